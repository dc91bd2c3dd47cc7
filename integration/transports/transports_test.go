// Package transports_test runs the frontend's image on real daemons the way its
// users reach it: through each cache transport, each client, each kind of
// context, and on an old Docker Engine; and checks that builds that are cut short
// end cleanly.
package transports_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/cachewright/cachewright/integration/sandbox"
	"github.com/cachewright/cachewright/integration/scenario"
)

// explain is the option that says whether names of steps carry reasons, which
// would make them differ from docker/dockerfile's.
const explain = "build-arg:CACHEWRIGHT_EXPLAIN"

// start returns the shared sandbox with busybox and our frontend in its registry.
func start(t *testing.T) *sandbox.Sandbox {
	t.Helper()
	return scenario.Start(t, sandbox.Busybox)
}

// counted matches the names of the steps that a Dockerfile asks for, without FROM.
// Which platform a step is named after that several platforms share is chance.
var counted = regexp.MustCompile(`(?s)^\[(?:linux/\S+ )?([^\]]*\d+/\d+\] (?:ONBUILD |LINK )?(?:RUN|COPY|ADD|WORKDIR).*)`)

// steps returns what became of the steps of the Dockerfile. Of those that are one
// and the same on several platforms there is only one.
func steps(r *sandbox.Result) []*sandbox.Step {
	var found []*sandbox.Step
	for _, s := range r.Steps {
		if counted.MatchString(s.Name) {
			found = append(found, s)
		}
	}
	return found
}

// solve builds b and checks that all its steps are in the given state.
func solve(t *testing.T, sb *sandbox.Sandbox, b sandbox.Build, state string) *sandbox.Result {
	t.Helper()
	r, err := sb.Solve(t.Context(), b)
	if err != nil {
		t.Fatalf("%v\n%s", err, r)
	}
	all := steps(r)
	bad := slices.ContainsFunc(all, func(s *sandbox.Step) bool { return s.State() != state })
	if bad || len(all) == 0 {
		t.Fatalf("want every step %s:\n%s", state, r)
	}
	return r
}

// sameSteps checks that two builds have steps of the same names. Their digests
// differ, because they tell one client's local files from another's.
func sameSteps(t *testing.T, first, second *sandbox.Result) {
	t.Helper()
	if !slices.Equal(names(first), names(second)) {
		t.Errorf("the builds have different steps:\n%s\n%s", first, second)
	}
}

func names(r *sandbox.Result) []string {
	var found []string
	for _, s := range steps(r) {
		found = append(found, counted.FindStringSubmatch(s.Name)[1])
	}
	slices.Sort(found)
	return found
}

// unique puts the test's name in the place of each @, so that tests that share a
// daemon do not meet each other's cache.
func unique(t *testing.T, text string) string {
	return strings.ReplaceAll(text, "@", t.Name())
}
