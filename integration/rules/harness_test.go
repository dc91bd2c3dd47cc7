// Package rules_test shows the cache rules on a real daemon, those that hold
// without any directive and those that directives add: which steps a second build
// runs again after one change, and which it takes from the cache. The builds go
// through the frontend's image, and what ran is read from their status streams.
package rules_test

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/cachewright/cachewright/integration/sandbox"
	"github.com/cachewright/cachewright/integration/scenario"
)

type (
	rebuild = scenario.Rebuild[expected]
	project = scenario.Project
)

// expected is what the builds after a change do.
type expected struct {
	// ran are the steps that the second build must run, by their text without the
	// number in front. It must take every other step from the cache.
	ran []string
	// more are further changes, each on top of those before, with a build after each.
	more []change
}

// change is a change of a project and the steps that the next build must run.
type change struct {
	name string
	make scenario.Change
	ran  []string
}

// TestRules runs all tables on one daemon.
func TestRules(t *testing.T) {
	sb := scenario.Start(t)
	scenario.Run(t, map[string][]rebuild{
		"R1 base": base(), "R2 R4 definition": definition(), "R3 content": content(), "R3 selection": selection(),
		"R5 chain": chain(), "R6 no-cache": noCache(), "R7 arguments": arguments(), "R8 secrets": secrets(),
		"R9 never in the key": neverInTheKey(),
		"off":                 off(), "ttl": ttl(), "stage default": stageDefaults(),
		"export": exportNo(), "key text and arg": keyTexts(), "key image": keyImages(), "key file": keyFiles(),
		"key http": keyHTTP(scenario.NewWeb(t)), "key git": keyGit(scenario.NewWeb(t)),
		"base=content": contentBases(), "modes=ignore": modesIgnored(), "args": withheldArgs(), "file defaults": fileDefaults(),
		"selectors": selectors(), "directive forms": directiveForms(),
	}, func(t *testing.T, c rebuild) { run(newProject(t, sb, c), c) })
}

// newProject makes a project whose builds do not look for reasons.
func newProject(t *testing.T, sb *sandbox.Sandbox, c rebuild) *project {
	t.Helper()
	p := scenario.New(t, sb, c)
	p.Arg("CACHEWRIGHT_EXPLAIN", "off")
	return p
}

// run builds, changes and builds again.
func run(p *project, c rebuild) {
	p.T.Helper()
	first := build(p)
	expect(p, "first build", first, first.texts())
	if c.Change != nil {
		c.Change(p)
	}
	expect(p, "second build", build(p), c.Want.ran)
	for _, m := range c.Want.more {
		m.make(p)
		expect(p, m.name, build(p), m.ran)
	}
}

// states are the states of a build's steps, by their text without the number.
type states map[string]string

func (s states) texts() []string { return slices.Collect(maps.Keys(s)) }

// build builds the project and returns the states of the instructions' steps,
// those of FROM excepted.
func build(p *project) states {
	p.T.Helper()
	return statesOf(p, p.Solve())
}

func statesOf(p *project, r *sandbox.Result) states {
	p.T.Helper()
	found := states{}
	for _, step := range scenario.Steps(r) {
		if strings.HasPrefix(step.Text, "FROM ") {
			continue
		}
		if _, again := found[step.Text]; again {
			p.T.Fatalf("two steps are named %q in\n%s", step.Text, r)
		}
		found[step.Text] = step.State()
	}
	if len(found) == 0 {
		p.T.Fatalf("no step in\n%s", r)
	}
	return found
}

// expect checks that exactly the steps in ran ran and that the others came from
// the cache.
func expect(p *project, build string, got states, ran []string) {
	p.T.Helper()
	for _, text := range ran {
		if _, ok := got[text]; !ok {
			p.T.Errorf("%s: no step %q", build, text)
		}
	}
	for _, text := range slices.Sorted(maps.Keys(got)) {
		want := "cached"
		if slices.Contains(ran, text) {
			want = "ran"
		}
		if got[text] != want {
			p.T.Errorf("%s: %q: %s, want %s", build, text, got[text], want)
		}
	}
}

// replaced puts a text into the place of another.
func replaced(in, old, text string) string {
	return strings.ReplaceAll(in, old, text)
}

// logOf returns what the step with the text in its name wrote.
func logOf(t testing.TB, r *sandbox.Result, text string) string {
	t.Helper()
	for _, s := range r.Steps {
		if strings.Contains(s.Name, text) {
			return s.Logs
		}
	}
	t.Fatalf("no step has %q in its name:\n%s", text, r)
	return ""
}

func read(t testing.TB, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
