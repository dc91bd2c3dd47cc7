package explain_test

import (
	"os"
	"slices"
	"testing"

	"github.com/moby/buildkit/client"

	"github.com/cachewright/cachewright/integration/sandbox"
	"github.com/cachewright/cachewright/integration/scenario"
)

// closingNotes are what a build says about itself at its end.
func closingNotes(r *sandbox.Result) []string {
	var out []string
	for _, w := range r.Warnings {
		if w.URL == "" { // not one of a check
			out = append(out, string(w.Short))
		}
	}
	return out
}

const forgotten = "Nothing has changed since an earlier build: a step that runs again does so because this builder does not have its result any more"

// TestForgotten removes results and keeps the record: the build is equal to an
// earlier one, but runs.
func TestForgotten(t *testing.T) {
	sb := scenario.StartOwn(t)
	c := rebuild{Dockerfile: "FROM $BASE\nCOPY file /\nRUN cat /file\n# cache=off\nRUN echo off\n", Files: map[string]string{"file": "1"}}
	p := scenario.New(t, sb, c)
	quiet(p, "first build", solve(p))
	off := expected{notes: map[string]string{"RUN echo off": "runs in every build"}}
	expect(p, "unchanged", solve(p), off)
	p.Edit("# cache=off", "# say\n# cache=off")
	expect(p, "another line", solve(p), off)
	p.Edit("RUN echo off\n", "RUN echo off\n# the end\n")
	expect(p, "a comment at the end", solve(p), off)

	p.Must(sb.Client().Prune(t.Context(), nil, client.WithFilter([]string{"type==regular"})))
	r := solve(p)
	if got := closingNotes(r); !slices.Equal(got, []string{forgotten}) {
		t.Errorf("after prune: %q", got)
	}
	r.Warnings = nil
	off.silent = []string{"COPY file /", "RUN cat /file"}
	expect(p, "after prune", r, off)
	off.silent = nil
	expect(p, "unchanged after prune", solve(p), off)

	p.Must(sb.Client().Prune(t.Context(), nil, client.WithFilter([]string{"type==regular"})))
	p.Write("file", "2")
	expect(p, "after prune and a change", solve(p), expected{notes: map[string]string{
		"COPY file /": "file changed", "RUN cat /file": "follows 2/4", "RUN echo off": "runs in every build",
	}})

	p.Must(sb.Client().Prune(t.Context(), nil, client.PruneAll))
	expect(p, "after everything was pruned", solve(p), expected{silent: []string{"COPY file /", "RUN cat /file", "RUN echo off"}})
}

// TestNotForgotten changes what no step takes, but what the comparison is given: all
// comes from the cache, and nothing is said to be missing there.
func TestNotForgotten(t *testing.T) {
	sb := scenario.Start(t)
	const file = "FROM $BASE\nRUN --mount=type=tmpfs,target=/t echo before\nCOPY file /\n"
	for name, change := range map[string]func(*project){
		"mode of the Dockerfile":    func(p *project) { p.Must(os.Chmod(p.Path("Dockerfile"), 0o600)) },
		"Dockerfile.dockerignore":   scenario.Written("Dockerfile.dockerignore", "# nothing\n"),
		"a file that no step takes": scenario.Written("beside", "2"),
		"a new file":                scenario.Written("new", ""),
		"nothing":                   func(*project) {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := scenario.New(t, sb, rebuild{Dockerfile: file, Files: map[string]string{"file": t.Name(), "beside": "1", "Dockerfile.dockerignore": "# none\n"}})
			quiet(p, "first build", solve(p))
			change(p)
			r := solve(p)
			if got := closingNotes(r); len(got) > 0 {
				t.Errorf("%q", got)
			}
			expect(p, "second build", r, expected{})
		})
	}
}
