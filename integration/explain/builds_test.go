package explain_test

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cachewright/cachewright/integration/sandbox"
	"github.com/cachewright/cachewright/integration/scenario"
)

// TestProjects builds two projects with the same Dockerfile in turn: neither is an
// earlier build of the other.
func TestProjects(t *testing.T) {
	t.Parallel()
	sb := scenario.Start(t)
	c := rebuild{Dockerfile: "FROM $BASE\nCOPY file /\nRUN cat /file\n", Files: map[string]string{"file": "1 " + t.Name()}}
	one, two := scenario.New(t, sb, c), scenario.New(t, sb, c)
	two.Args = one.Args
	two.Write("file", "two "+t.Name()) // for a build that is equal to the last byte the builder has its answer
	quiet(one, "one", solve(one))
	quiet(two, "two", solve(two))
	two.Write("file", "2 "+t.Name())
	expect(two, "two changed", solve(two), expected{notes: map[string]string{"COPY file /": "file changed", "RUN cat /file": "follows 2/3"}})
	quiet(one, "one unchanged", solve(one))
	one.Write("file", "3 "+t.Name())
	expect(one, "one changed", solve(one), expected{notes: map[string]string{"COPY file /": "file changed", "RUN cat /file": "follows 2/3"}})
}

// TestLookAlikes builds projects one after the other that have the same Dockerfile and
// names of files, in a directory of one name, and no repository: the first build of
// each says nothing, with every client and whatever times the files have.
func TestLookAlikes(t *testing.T) {
	t.Parallel()
	sb := scenario.Start(t)
	c := rebuild{
		Dockerfile: "FROM $BASE\nCOPY lib /lib\nRUN cat /lib/x.c\n",
		Files:      map[string]string{"lib/x.c": "int x = 1; // $ID", "lib/common.h": "the same"},
	}
	for name, at := range map[string]*time.Time{"as written": nil, "from an archive": ptr(time.Unix(1_700_000_000, 0)), "without times": ptr(time.Unix(0, 0))} {
		for client, build := range map[string]func(*project) *sandbox.Result{"buildx": buildx, "client": solve} {
			t.Run(name+"/"+client, func(t *testing.T) {
				base := scenario.New(t, sb, c)
				for _, number := range []string{"one", "two"} {
					p := workspace(t, base, number, at)
					quiet(p, number, build(p))
				}
			})
		}
	}
}

// workspace returns another project like p, in a directory named workspace, with all
// files changed last at a time, if there is one.
func workspace(t *testing.T, p *project, number string, at *time.Time) *project {
	t.Helper()
	other := *p
	other.T, other.SharedKey = t, ""
	other.Context = filepath.Join(t.TempDir(), number, "workspace")
	p.Must(os.CopyFS(other.Context, os.DirFS(p.Context)))
	other.Write("lib/x.c", number+" "+t.Name())
	p.Must(filepath.WalkDir(other.Context, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || at == nil {
			return err
		}
		return os.Chtimes(path, *at, *at)
	}))
	return &other
}

// buildx builds a project with buildx.
func buildx(p *project) *sandbox.Result {
	p.T.Helper()
	r, err := p.Sandbox.Buildx(p.T.Context(), append([]string{"--output=type=cacheonly"}, p.BuildxArgs()...)...)
	p.Must(err)
	return r.Result
}

func ptr[T any](v T) *T { return &v }

// TestPlatforms builds for two platforms: each has a record of its own.
func TestPlatforms(t *testing.T) {
	t.Parallel()
	sb := scenario.Start(t, sandbox.Busybox)
	p := scenario.New(t, sb, rebuild{
		Dockerfile: "FROM busybox\nARG TARGETARCH\nCOPY all $TARGETARCH /\n",
		Files:      map[string]string{"all": t.Name(), "amd64": "1", "arm64": "1"},
	})
	p.Attr("platform", "linux/amd64,linux/arm64")
	platforms(p, "first build", nil)
	p.Write("arm64", "2")
	platforms(p, "one platform's file", []string{"linux/arm64: arm64 changed"})
	p.Write("all", "2 "+t.Name())
	platforms(p, "both platforms' file", []string{"linux/amd64: all changed", "linux/arm64: all changed"})
	p.Write("amd64", "2")
	p.Attr("platform", "linux/amd64")
	expect(p, "one platform", solve(p), expected{notes: map[string]string{"COPY all amd64 /": "amd64 changed"}})
}

// platforms builds and expects notes, each with the platform of its step.
func platforms(p *project, build string, want []string) {
	p.T.Helper()
	r := solve(p)
	var got []string
	for _, s := range scenario.Steps(r) {
		if s.Note != "" {
			platform, _, _ := strings.Cut(s.Number, " ")
			got = append(got, platform+": "+s.Note)
		}
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		p.T.Errorf("%s: %q, want %q\n%s", build, got, want, r)
	}
}

// TestConcurrent builds one repository several times at once, each time with
// another argument: all of them are in one record, and later nothing is new.
func TestConcurrent(t *testing.T) {
	t.Parallel()
	sb := scenario.Start(t, sandbox.Busybox)
	const builds = 6
	p := scenario.New(t, sb, rebuild{
		Dockerfile: "FROM $BASE\nCOPY file /\nARG V\nRUN echo $V\n", Files: map[string]string{"file": t.Name()},
	})
	p.Attr("vcs:source", "https://example.org/"+t.Name())
	quiet(p, "first build", solve(p))
	run := scenario.NewRepository()
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
		p.Arg("V", value(i))
		quiet(p, fmt.Sprint("argument ", i), solve(p))
	}
	found, err := os.ReadFile(filepath.Join(inRecords(t, sb, "grep -lr '"+run+"' . >/out/found"), "found"))
	p.Must(err)
	if n := strings.Count(string(found), "\n"); n != 1 {
		t.Errorf("%d files have the builds, want one record", n)
	}
	for i := range builds {
		inRecords(t, sb, "grep -qr -- '"+value(i)+"' .")
	}
}
