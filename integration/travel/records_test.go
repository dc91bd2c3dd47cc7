package travel_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cachewright/cachewright/integration/sandbox"
	"github.com/cachewright/cachewright/integration/scenario"
)

// explained has two stages, and a file for each of them.
const explained = `FROM busybox AS deps
ARG VERSION=1
COPY package.json /
RUN echo install $VERSION $ID && cat package.json >/installed
FROM busybox AS build
COPY --from=deps /installed /
COPY main.js /
RUN echo build && cat main.js >/built
FROM scratch
COPY --from=build /built /list
`

// newExplained is the project, built on one builder.
func newExplained(t *testing.T, tr transport) *project {
	t.Helper()
	p := newProject(t, tr, explained)
	p.commit("3f2c1ab9e4d07c5a1f3b8d6e5a4c3b2a19080706", "package.json", "{}")
	p.write("main.js", "1")
	p.fresh()
	p.build()
	if tr.imports[0].Type == "local" { // which clients do not import until it is there
		p.fresh()
		p.build()
	}
	return p
}

func (p *project) write(name, content string) {
	p.t.Helper()
	must(p.t, os.WriteFile(filepath.Join(p.Context, name), []byte(content), 0o644))
}

// commit changes a file in another revision, on a new builder.
func (p *project) commit(revision, name, content string) {
	p.t.Helper()
	p.write(name, content)
	p.Attrs["vcs:revision"] = revision
	p.fresh()
}

// said returns what a build says of the steps of a stage, and whether they ran.
func said(r *sandbox.Result, stage string) []string {
	var out []string
	for _, s := range scenario.Steps(r) {
		if strings.HasPrefix(s.Number, stage+" ") && !strings.HasPrefix(s.Text, "FROM") {
			out = append(out, strings.TrimSpace(s.State()+" "+s.Number+" "+s.Note))
		}
	}
	slices.Sort(out)
	return out
}

// recordSteps returns the steps of the frontend that ran in a container.
func recordSteps(r *sandbox.Result) []string {
	var out []string
	for _, s := range r.Steps {
		for _, name := range []string{"compare", "look up", "note", "record"} {
			if strings.HasPrefix(s.Name, "[internal] "+name) && s.Ran() {
				out = append(out, name)
			}
		}
	}
	slices.Sort(out)
	return out
}

func expect(t *testing.T, what string, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// A new builder says what changed since the commit that another one has built, and why
// a result of that one does not come out of the cache.
func TestRecordsTravel(t *testing.T) {
	sb := start(t)
	for name, tr := range transports(sb) {
		if strings.Contains(name, "index") || name == "registry Docker" {
			continue // only another form of the same layers
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newExplained(t, tr(t))
			p.commit("77aa10bc04d07c5a1f3b8d6e5a4c3b2a19080706", "main.js", "2")
			_, r := p.build()
			stays, note, warned := "cached", "", []string(nil)
			if p.exports[0].Attrs["mode"] == "min" {
				stays, note = "ran", " may not be in the imported cache"
				warned = []string{"Built before, but not in the imported cache, since only the last results were exported with it, as with mode=min: deps/2 and 2 more"}
			}
			expect(t, "deps", said(r, "deps"), []string{stays + " deps 2/3" + note, stays + " deps 3/3" + note})
			expect(t, "build", said(r, "build"), []string{stays + " build 2/4" + note, "ran build 3/4 main.js changed since 3f2c1ab", "ran build 4/4 follows 3/4"})
			expect(t, "warnings", warnings(r), warned)
			// One container more than without a travelling record.
			expect(t, "containers", recordSteps(r), []string{"compare", "note", "record"})

			p.commit("0bad5eed04d07c5a1f3b8d6e5a4c3b2a19080706", "package.json", "{1}")
			_, r = p.build()
			expect(t, "deps", said(r, "deps"), []string{"ran deps 2/3 package.json changed since 77aa10b", "ran deps 3/3 follows 2/3"})

			// Everything is as it was.
			p.commit("c0ffee0004d07c5a1f3b8d6e5a4c3b2a19080706", "package.json", "{1}")
			_, r = p.build()
			for _, stage := range []string{"deps", "build"} {
				for _, step := range said(r, stage) {
					if !strings.HasPrefix(step, "cached ") || strings.Count(step, " ") > 2 {
						t.Errorf("unchanged: %s", step)
					}
				}
			}
			expect(t, "containers, unchanged", recordSteps(r), []string{"compare", "record"})
			expect(t, "warnings, unchanged", warnings(r), []string(nil))
			// And on this builder once more.
			_, r = p.build()
			expect(t, "containers, again", recordSteps(r), []string(nil))

			// Back to what another builder has built, but not the last one: an export takes
			// along some of what was imported.
			p.commit("3f2c1ab9e4d07c5a1f3b8d6e5a4c3b2a19080706", "package.json", "{}")
			_, r = p.build()
			if got := said(r, "deps"); !strings.HasSuffix(got[0], " deps 2/3 may not be in the imported cache, package.json changed since 0bad5ee") {
				t.Errorf("back: %q", got)
			}
		})
	}
}

// A prediction on a new builder is what the build then does, or says that it is not
// known.
func TestRecordsPredict(t *testing.T) {
	sb := start(t)
	for name, c := range map[string]struct {
		mode string
		deps string
	}{"max": {"max", "hit"}, "min": {"min", "unknown"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newExplained(t, registry(sb, "mode", c.mode))
			cache := "--cache-from=type=registry,ref=" + p.imports[0].Attrs["ref"]
			call := func(expect string) (string, error) {
				p.fresh()
				r, err := p.builder.Buildx(t.Context(), "--build-arg=BUILDKIT_SYNTAX="+sandbox.FrontendRef,
					"--call=cache-assert", "--build-arg=CACHEWRIGHT_EXPECT="+expect, cache, p.Context)
				if r == nil {
					return "", err
				}
				return r.Stdout, err
			}
			if out, err := call("deps/*=hit, build/*=hit"); err != nil {
				t.Errorf("unchanged: %v\n%s", err, out)
			}
			p.write("main.js", "2")
			out, err := call("build/3=re-run, build/4=re-run, deps/2=hit, deps/3=hit, build/2=hit")
			if want := "main.js changed"; c.mode == "max" && err != nil || c.mode == "min" && (err == nil || !strings.Contains(out, "predicted unknown: may not be in the imported cache")) {
				t.Errorf("after a change (%s): %v\n%s", want, err, out)
			}
			p.fresh()
			_, r := p.build()
			for _, step := range said(r, "deps") {
				if ran := strings.HasPrefix(step, "ran"); ran != (c.mode == "min") {
					t.Errorf("predicted %s, but %s", c.deps, step)
				}
			}
		})
	}
}

// A cache of another platform is named as such, and is no earlier state.
func TestRecordsOfPlatform(t *testing.T) {
	p := newProject(t, registry(start(t), "mode", "max"), "FROM busybox\nCOPY main.js /list\nLABEL id=$ID\n")
	p.commit("3f2c1ab9e4d07c5a1f3b8d6e5a4c3b2a19080706", "main.js", "1")
	p.build()
	p.commit("77aa10bc04d07c5a1f3b8d6e5a4c3b2a19080706", "main.js", "2")
	p.Attrs["platform"] = "linux/arm64"
	_, r := p.build()
	if w := warnings(r); len(w) != 1 || !strings.Contains(w[0], "exported by a build for linux/amd64: it need not have anything for linux/arm64") {
		t.Errorf("%q", w)
	}
	for _, s := range scenario.Steps(r) {
		if s.Note != "" {
			t.Errorf("%s: %s", s.Number, s.Note)
		}
	}
}

// CACHEWRIGHT_SHARE says what travels.
func TestShare(t *testing.T) {
	sb := start(t)
	for share, want := range map[string]string{
		"auto":   "ran deps 3/3 follows 2/3, ARG VERSION changed (line 2) since 3f2c1ab",
		"values": "ran deps 3/3 follows 2/3, ARG VERSION 1 → 2 (line 2) since 3f2c1ab",
		"off":    "ran deps 3/3",
	} {
		t.Run(share, func(t *testing.T) {
			t.Parallel()
			p := newProject(t, registry(sb, "mode", "max"), explained)
			p.Args["CACHEWRIGHT_SHARE"], p.Args["VERSION"] = share, "1"
			p.commit("3f2c1ab9e4d07c5a1f3b8d6e5a4c3b2a19080706", "package.json", "{}")
			p.write("main.js", "1")
			p.build()
			p.commit("77aa10bc04d07c5a1f3b8d6e5a4c3b2a19080706", "package.json", "{1}")
			p.Args["VERSION"] = "2"
			_, r := p.build()
			if got := said(r, "deps"); got[1] != want {
				t.Errorf("got %q", got)
			}
			if steps := recordSteps(r); share == "off" {
				expect(t, "containers", steps, []string{"compare", "record"})
			}
		})
	}
}

// Two builders that export to one reference at the same time: one record is left, and
// it is whole.
func TestRecordsAtOnce(t *testing.T) {
	p := newExplained(t, registry(start(t), "mode", "max"))
	var work sync.WaitGroup
	for _, content := range []string{"2", "3"} {
		q := *p
		q.Build.Context = sandbox.Files(t, map[string]string{
			"Dockerfile": string(readFile(t, filepath.Join(p.Context, "Dockerfile"))), "package.json": "{}", "main.js": content,
		})
		q.fresh()
		work.Go(func() {
			if _, r := q.build(); len(r.Warnings) > 0 {
				t.Errorf("%q", warnings(r))
			}
		})
	}
	work.Wait()
	p.commit("77aa10bc04d07c5a1f3b8d6e5a4c3b2a19080706", "main.js", "4")
	_, r := p.build()
	if got := said(r, "build"); len(r.Warnings) > 0 || got[1] != "ran build 3/4 main.js changed since 3f2c1ab" || got[0] != "cached build 2/4" {
		t.Errorf("%q, %q", got, warnings(r))
	}
}
