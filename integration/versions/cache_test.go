package versions_test

import (
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/cachewright/cachewright/integration/sandbox"
	"github.com/cachewright/cachewright/integration/scenario"
)

// previousRef is where docker/dockerfile of the BuildKit before this one is pushed.
const previousRef = "docker/dockerfile:previous"

// TestCacheOfUpstream builds with docker/dockerfile and then with ours, and the other
// way round: each hits what the other built, in every step. docker/dockerfile is the
// one that the daemon has built in, or an image of an earlier version.
func TestCacheOfUpstream(t *testing.T) {
	pushPrevious(t)
	for _, side := range []struct {
		name     string
		daemon   sandbox.Pins
		upstream string // its frontend's image, the daemon's own if empty
	}{
		{"current", sandbox.Current, ""},
		{"previous-frontend", sandbox.Current, previousRef},
		{"previous-daemon", sandbox.Previous, ""},
		{"oldest-daemon", sandbox.Oldest, ""},
	} {
		t.Run(side.name, func(t *testing.T) {
			sb := start(t, side.daemon)
			oldest := side.daemon == sandbox.Oldest
			for _, test := range shared {
				if test.newer && oldest {
					continue
				}
				t.Run(test.name+"/hits-upstream", func(t *testing.T) {
					bothHit(t, sb, test.dockerfile, side.upstream, sandbox.FrontendRef, !oldest)
				})
				t.Run(test.name+"/hit-by-upstream", func(t *testing.T) {
					bothHit(t, sb, test.dockerfile, sandbox.FrontendRef, side.upstream, !oldest)
				})
			}
		})
	}
}

// shared are Dockerfiles that every version converts to the same.
var shared = []struct {
	name, dockerfile string
	newer            bool // than what the oldest one can
}{
	{"stages", "FROM busybox AS build\nWORKDIR /$ID\nCOPY f /in/\nRUN cp /in/f /out\n" +
		"FROM busybox\nCOPY --from=build /out /\nADD --chown=1:2 --chmod=604 f /g\n", false},
	{"heredocs", "FROM busybox\nRUN <<END\necho $ID >/a\nEND\nCOPY <<END <<'LAST' /dir/\n$PATH $ID\nEND\n$PATH $ID\nLAST\n" +
		"RUN <<END cat >/b\n$ID\nEND\n", false},
	{"link", "FROM busybox AS a\nRUN echo $ID >/a\nFROM busybox\nCOPY --link f /link/$ID/\nCOPY --link --from=a /a /\nADD --link f /$ID/\n", false},
	{"mounts", "FROM busybox AS a\nRUN echo $ID >/a\nFROM busybox\n" +
		"RUN --mount=target=/src --mount=from=a,target=/a,rw cat /src/f /a/a >/out\n" +
		"RUN --mount=type=cache,id=$ID,target=/cache,sharing=locked --mount=type=tmpfs,target=/tmp echo $ID >/cache/f\n" +
		"RUN --mount=type=secret,id=token,mode=0444,env=TOKEN --network=none cat /run/secrets/token >/token; echo $ID\n", true},
	{"variables", "ARG BASE=busybox\nFROM $BASE\nARG NAME=$ID VERSION\nENV WHO=$NAME PLACE=${VERSION:-none}\n" +
		"WORKDIR /$WHO\nRUN echo $WHO $VERSION\nUSER 1000\nSHELL [\"/bin/sh\", \"-ec\"]\nRUN echo $PLACE >/tmp/f\n" +
		"COPY --parents f ./${PLACE%e}/\n", true},
	{"onbuild", "FROM busybox AS base\nENV ID=$ID\nONBUILD COPY f /on/$ID/\nONBUILD RUN cat /on/*/f\nFROM base\nRUN [\"echo\", \"$ID\"]\n", false},
	{"exclude", "FROM busybox\nWORKDIR /$ID\nCOPY --exclude=*.md . .\nADD --exclude=f . /x/\n", true},
}

// bothHit builds a project with one frontend and then with the other, which finds all
// of it in the cache. Names are compared if sameNames; the oldest counts the steps of
// ONBUILD in another way.
func bothHit(t *testing.T, sb *sandbox.Sandbox, dockerfile, first, second string, sameNames bool) {
	p := scenario.New(t, sb, scenario.Rebuild[any]{
		Dockerfile: dockerfile,
		Files:      map[string]string{"f": "$ID", "README.md": "$ID"},
		Options: sandbox.Build{
			Args:    map[string]string{"VERSION": "3"},
			Attrs:   map[string]string{"build-arg:CACHEWRIGHT_EXPLAIN": "off"}, // names of ours alone
			Secrets: map[string][]byte{"token": []byte("t0ken")},
		},
	})
	var names [2][]string
	for i, frontend := range []string{first, second} {
		p.Frontend = frontend
		r := p.Solve()
		want := []string{"ran", "cached"}[i]
		for _, s := range scenario.Steps(r) {
			if strings.HasPrefix(s.Text, "FROM ") {
				continue
			}
			names[i] = append(names[i], s.Number+" "+s.Text)
			if s.State() != want {
				t.Errorf("with %q, %s %s, want it %s\n%s", frontend, s.Name, s.State(), want, r)
			}
		}
		slices.Sort(names[i])
	}
	if len(names[0]) == 0 || sameNames && !slices.Equal(names[0], names[1]) {
		t.Errorf("the builds have different steps:\n%q\n%q", names[0], names[1])
	}
}

// pushPrevious puts the earlier version's frontend into the registry.
func pushPrevious(t *testing.T) {
	t.Helper()
	binary, err := sandbox.Previous.Program(t.Context(), "dockerfile-frontend")
	if err != nil {
		t.Fatal(err)
	}
	image, err := sandbox.FrontendImage("linux/"+runtime.GOARCH, binary)
	if err != nil {
		t.Fatal(err)
	}
	if err := start(t, sandbox.Current).PushImage(t.Context(), previousRef, image); err != nil {
		t.Fatal(err)
	}
}
