package explain_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/cachewright/cachewright/integration/sandbox"
)

// TestProjects builds two projects with the same Dockerfile in turn: neither is an
// earlier build of the other.
func TestProjects(t *testing.T) {
	t.Parallel()
	sb := start(t)
	c := rebuild{dockerfile: "FROM $BASE\nCOPY file /\nRUN cat /file\n", files: map[string]string{"file": "1 " + t.Name()}}
	one, two := newProject(t, sb, c), newProject(t, sb, c)
	two.Args = one.Args
	two.write("file", "two "+t.Name()) // for a build that is equal to the last byte the builder has its answer
	one.quiet("one", one.solve())
	two.quiet("two", two.solve())
	two.write("file", "2 "+t.Name())
	two.expect("two changed", two.solve(), rebuild{notes: map[string]string{"COPY file /": "file changed", "RUN cat /file": "follows 2/3"}})
	one.quiet("one unchanged", one.solve())
	one.write("file", "3 "+t.Name())
	one.expect("one changed", one.solve(), rebuild{notes: map[string]string{"COPY file /": "file changed", "RUN cat /file": "follows 2/3"}})
}

// TestPlatforms builds for two platforms: each has a record of its own.
func TestPlatforms(t *testing.T) {
	t.Parallel()
	sb := sandbox.Shared(t, sandbox.Busybox)
	start(t)
	p := newProject(t, sb, rebuild{
		dockerfile: "FROM busybox\nARG TARGETARCH\nCOPY all $TARGETARCH /\n",
		files:      map[string]string{"all": t.Name(), "amd64": "1", "arm64": "1"},
	})
	p.attr("platform", "linux/amd64,linux/arm64")
	p.platforms("first build", nil)
	p.write("arm64", "2")
	p.platforms("one platform's file", []string{"linux/arm64: arm64 changed"})
	p.write("all", "2 "+t.Name())
	p.platforms("both platforms' file", []string{"linux/amd64: all changed", "linux/arm64: all changed"})
	p.write("amd64", "2")
	p.attr("platform", "linux/amd64")
	p.expect("one platform", p.solve(), rebuild{notes: map[string]string{"COPY all amd64 /": "amd64 changed"}})
}

// platforms builds and expects notes, each with the platform of its step.
func (p *project) platforms(build string, want []string) {
	p.t.Helper()
	r := p.solve()
	var got []string
	for _, s := range r.Steps {
		if name, note, ok := strings.Cut(s.Name, arrow); ok {
			platform, _, _ := strings.Cut(strings.TrimPrefix(name, "["), " ")
			got = append(got, platform+": "+note)
		}
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		p.t.Errorf("%s: %q, want %q\n%s", build, got, want, r)
	}
}

// TestConcurrent builds one repository several times at once, each time with
// another argument: all of them are in one record, and later nothing is new.
func TestConcurrent(t *testing.T) {
	t.Parallel()
	sb := start(t)
	const builds = 6
	p := newProject(t, sb, rebuild{
		dockerfile: "FROM $BASE\nCOPY file /\nARG V\nRUN echo $V\n", files: map[string]string{"file": t.Name()},
	})
	p.attr("vcs:source", "https://example.org/"+t.Name())
	p.quiet("first build", p.solve())
	run := newRepository()
	value := func(i int) string { return fmt.Sprintf("%s-%d", run, i) }
	var group sync.WaitGroup
	for i := range builds {
		group.Go(func() {
			b := p.Build
			b.Args = maps.Clone(b.Args)
			b.Args["V"] = value(i)
			if r, err := sb.Solve(t.Context(), b); err != nil {
				t.Errorf("%v\n%s", err, r)
			}
		})
	}
	group.Wait()
	for i := range builds {
		p.arg("V", value(i))
		p.quiet(fmt.Sprint("argument ", i), p.solve())
	}
	found, err := os.ReadFile(filepath.Join(inRecords(t, sb, "grep -lr '"+run+"' . >/out/found"), "found"))
	p.must(err)
	if n := strings.Count(string(found), "\n"); n != 1 {
		t.Errorf("%d files have the builds, want one record", n)
	}
	for i := range builds {
		inRecords(t, sb, "grep -qr -- '"+value(i)+"' .")
	}
}

// call returns what buildx build --call prints.
func (p *project) call(call string, more ...string) string {
	p.t.Helper()
	r, err := p.sb.Buildx(p.t.Context(), p.buildxArgs(append(more, "--call="+call)...)...)
	p.must(err)
	return r.Stdout
}

// buildxArgs are the arguments of buildx build for the project.
func (p *project) buildxArgs(more ...string) []string {
	args := append([]string{"--build-arg=BUILDKIT_SYNTAX=" + sandbox.FrontendRef, "--file=" + filepath.Join(p.Context, "Dockerfile")}, more...)
	for _, name := range slices.Sorted(maps.Keys(p.Args)) {
		args = append(args, "--build-arg="+name+"="+p.Args[name])
	}
	return append(args, p.Context)
}
