// Package versions_test builds with the frontend's image on daemons of several
// versions of BuildKit, from the oldest that still compiles to the one that the
// frontend follows, and next to docker/dockerfile of those versions. What a daemon
// cannot do is an error that says which version can, never another result.
package versions_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/moby/buildkit/client"

	"github.com/cachewright/cachewright/integration/sandbox"
	"github.com/cachewright/cachewright/integration/scenario"
)

// running are the daemons that have been started, by what they are of.
var running = map[sandbox.Pins]*sandbox.Sandbox{}

// start returns the daemon of a version, which all tests share, with the frontend and
// busybox in its registry, which all daemons share.
func start(t *testing.T, daemon sandbox.Pins) *sandbox.Sandbox {
	t.Helper()
	if sb, ok := running[daemon]; ok {
		return sb
	}
	if daemon == sandbox.Current {
		running[daemon] = scenario.Start(t, sandbox.Busybox)
		return running[daemon]
	}
	// As long as the test binary, like the current one.
	ctx := context.WithoutCancel(t.Context())
	sb, err := sandbox.Start(ctx, sandbox.Options{Daemon: daemon, Registry: start(t, sandbox.Current).Registry()})
	if err != nil {
		t.Fatal(err)
	}
	running[daemon] = sb
	return sb
}

// all are the daemons, the latest first.
var all = []sandbox.Pins{sandbox.Current, sandbox.Previous, sandbox.Oldest}

// TestDaemons builds, builds again, changes a file and builds once more: results,
// what is cached and what is said are the same on all daemons.
func TestDaemons(t *testing.T) {
	for _, daemon := range all {
		t.Run(strings.ReplaceAll(string(daemon), "/", "-"), func(t *testing.T) {
			version, err := daemon.Version(t.Context(), "github.com/moby/buildkit")
			if err != nil {
				t.Fatal(err)
			}
			sb := start(t, daemon)
			info, err := sb.Client().Info(t.Context())
			if err != nil || info.BuildkitVersion.Version != version {
				t.Fatalf("the daemon is %+v, want %s (%v)", info, version, err)
			}
			p := scenario.New(t, sb, scenario.Rebuild[any]{
				Dockerfile: "FROM $BASE AS build\nWORKDIR /$ID\nCOPY src src\n# cache=ttl=daily\nRUN --mount=type=cache,target=/c cat src/* >/out\n" +
					"FROM scratch\nCOPY --link --chmod=640 --from=build /out /\nCOPY <<END /heredoc\n$ID\nEND\n",
				Files:   map[string]string{"src/a": "a"},
				Options: sandbox.Build{Args: map[string]string{"CACHEWRIGHT_NOW": "2026-03-01T00:00:00Z"}},
			})
			build := func(want ...string) {
				t.Helper()
				out := t.TempDir()
				p.Exports = []client.ExportEntry{sandbox.ExportDir(out)}
				r := p.Solve()
				var got []string
				for _, s := range scenario.Steps(r) {
					if !strings.HasPrefix(s.Text, "FROM ") {
						got = append(got, strings.TrimSpace(s.Number+" "+s.State()+" "+s.Note))
					}
				}
				slices.Sort(got) // independent steps start in any order
				if !slices.Equal(got, want) {
					t.Errorf("steps are %q, want %q\n%s", got, want, r)
				}
				src, err := os.ReadFile(p.Path("src/a"))
				p.Must(err)
				built, err := os.ReadFile(filepath.Join(out, "out"))
				if err != nil || string(built) != string(src) {
					t.Errorf("built %q of %q (%v)", built, src, err)
				}
			}
			build("build 2/4 ran", "build 3/4 ran", "build 4/4 ran", "stage-1 1/2 ran", "stage-1 2/2 ran")
			build("build 2/4 cached", "build 3/4 cached", "build 4/4 cached", "stage-1 1/2 cached", "stage-1 2/2 cached")
			p.Write("src/a", "b")
			build("build 2/4 cached", "build 3/4 ran src/a changed", "build 4/4 ran follows 3/4",
				"stage-1 1/2 ran follows build 4/4 if that changed", "stage-1 2/2 ran follows 1/2 if that changed")
		})
	}
}

// TestMissing asks each daemon for what the oldest cannot do: it is built right, or
// refused with the version that can.
func TestMissing(t *testing.T) {
	for _, test := range []struct {
		name, dockerfile string
		refused          string // by the oldest, in the error; empty if it builds there too
	}{
		{"symbolic mode", "FROM $BASE\nCOPY --chmod=u=rwX,go=rX a /\n", "--chmod=u=rwX,go=rX needs BuildKit v0.17 or later"},
		{"modes", "FROM $BASE\n# cache=modes=ignore\nCOPY a /\n", "needs BuildKit v0.17 or later"},
		{"content base", "FROM $BASE\nCOPY a /\n# cache=base=content\nRUN cat /a\n", ""},
		{"exclude", "FROM $BASE\nCOPY --exclude=b . /\n", ""},
		{"parents", "FROM $BASE\nCOPY --parents a /x/\n", ""},
	} {
		for _, daemon := range all {
			t.Run(strings.ReplaceAll(test.name+"/"+string(daemon), "/tools/", "-"), func(t *testing.T) {
				p := scenario.New(t, start(t, daemon), scenario.Rebuild[any]{
					Dockerfile: test.dockerfile,
					Files:      map[string]string{"a": "$ID", "b": "$ID"},
				})
				r, err := p.Sandbox.Solve(t.Context(), p.Build)
				switch refused := daemon == sandbox.Oldest && test.refused != ""; {
				case refused && (err == nil || !strings.Contains(err.Error(), test.refused)):
					t.Errorf("want an error with %q: %v\n%s", test.refused, err, r)
				case !refused && err != nil:
					t.Errorf("%v\n%s", err, r)
				}
			})
		}
	}
}
