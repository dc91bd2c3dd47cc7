// Package travel_test runs builders that share nothing but the cache that they export
// and import, and looks at what travels in it.
package travel_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	bkclient "github.com/moby/buildkit/client"

	"github.com/cachewright/cachewright/integration/sandbox"
	"github.com/cachewright/cachewright/integration/scenario"
)

// start returns the shared sandbox, whose registry has all that builds need.
func start(t *testing.T) *sandbox.Sandbox {
	t.Helper()
	return scenario.Start(t, sandbox.Busybox)
}

// transport is a way for a cache to get from one builder to another.
type transport struct {
	imports, exports []bkclient.CacheOptionsEntry
}

func entry(kind string, attrs ...string) bkclient.CacheOptionsEntry {
	e := bkclient.CacheOptionsEntry{Type: kind, Attrs: map[string]string{}}
	for i := 0; i < len(attrs); i += 2 {
		e.Attrs[attrs[i]] = attrs[i+1]
	}
	return e
}

// registry is a repository of its own in the sandbox's registry.
func registry(sb *sandbox.Sandbox, attrs ...string) transport {
	ref := []string{"ref", sb.Registry() + "/" + scenario.NewRepository() + ":cache"}
	return transport{
		imports: []bkclient.CacheOptionsEntry{entry("registry", ref...)},
		exports: []bkclient.CacheOptionsEntry{entry("registry", append(ref, attrs...)...)},
	}
}

func local(t *testing.T, attrs ...string) transport {
	dir := filepath.Join(t.TempDir(), "cache")
	return transport{
		imports: []bkclient.CacheOptionsEntry{entry("local", "src", dir)},
		exports: []bkclient.CacheOptionsEntry{entry("local", append([]string{"dest", dir}, attrs...)...)},
	}
}

// project is what is built, on one builder after the other.
type project struct {
	t *testing.T
	transport
	sandbox.Build
	builder *sandbox.Sandbox
}

// counting has a cache mount to which each run adds a line, and from which the result
// comes. Its base is unlike all others', so that no test meets another's cache.
const counting = `FROM busybox AS build
ARG ID
ARG N
# cache=mounts=share
RUN --mount=type=cache,target=/c,id=count-$ID echo $N >>/c/list && cp /c/list /list && head -c 20000 /dev/urandom >/c/data-$N
FROM scratch
COPY --from=build /list /
`

func newProject(t *testing.T, tr transport, dockerfile string) *project {
	id := scenario.NewID()
	return &project{t: t, transport: tr, Build: sandbox.Build{
		Frontend: sandbox.FrontendRef,
		Context:  sandbox.Files(t, map[string]string{"Dockerfile": strings.ReplaceAll(dockerfile, "$ID", id)}),
		Args:     map[string]string{},
		Attrs:    map[string]string{"attest:provenance": "mode=min,inline-only=true"},
	}}
}

// fresh begins a new builder, which has nothing.
func (p *project) fresh() {
	p.t.Helper()
	p.builder = sandbox.New(p.t, sandbox.Options{Registry: start(p.t).Registry()})
}

// build builds with the cache, and returns the files that come out by name, and what
// the build said.
func (p *project) build(exports ...bkclient.ExportEntry) (map[string]string, *sandbox.Result) {
	p.t.Helper()
	b := p.Build
	b.Args = maps.Clone(p.Args)
	out := p.t.TempDir()
	b.Exports = append([]bkclient.ExportEntry{sandbox.ExportDir(out)}, exports...)
	b.CacheImports, b.CacheExports = cloned(p.imports), cloned(p.exports)
	r, err := p.builder.Solve(p.t.Context(), b)
	if err != nil {
		p.t.Fatalf("%v\n%s", err, r)
	}
	return filesIn(p.t, out), r
}

// cloned copies cache options: the client notes in them what it found.
func cloned(list []bkclient.CacheOptionsEntry) []bkclient.CacheOptionsEntry {
	var out []bkclient.CacheOptionsEntry
	for _, e := range list {
		out = append(out, bkclient.CacheOptionsEntry{Type: e.Type, Attrs: maps.Clone(e.Attrs)})
	}
	return out
}

func filesIn(t *testing.T, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, item := range list {
		if item.Type().IsRegular() {
			data, err := os.ReadFile(filepath.Join(dir, item.Name()))
			if err != nil {
				t.Fatal(err)
			}
			found[item.Name()] = string(data)
		}
	}
	return found
}

// own returns the names of the frontend's own steps that ran.
func own(r *sandbox.Result) []string {
	var out []string
	for _, s := range r.Steps {
		if strings.HasPrefix(s.Name, "[internal] ") && strings.Contains(s.Name, "cache mount") && s.Ran() {
			out = append(out, strings.TrimPrefix(s.Name, "[internal] "))
		}
	}
	slices.Sort(out)
	return out
}

// warnings returns what the build warned of.
func warnings(r *sandbox.Result) []string {
	var out []string
	for _, w := range r.Warnings {
		out = append(out, string(w.Short))
	}
	return out
}
