package explain_test

import (
	"slices"
	"testing"

	"github.com/moby/buildkit/client"

	"github.com/cachewright/cachewright/integration/sandbox"
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
	sb := ownSandbox(t)
	c := rebuild{dockerfile: "FROM $BASE\nCOPY file /\nRUN cat /file\n# cache=off\nRUN echo off\n", files: map[string]string{"file": "1"}}
	p := newProject(t, sb, c)
	p.quiet("first build", p.solve())
	off := rebuild{notes: map[string]string{"RUN echo off": "runs in every build"}}
	p.expect("unchanged", p.solve(), off)
	p.edit("# cache=off", "# say\n# cache=off")
	p.expect("another line", p.solve(), off)
	p.edit("RUN echo off\n", "RUN echo off\n# the end\n")
	p.expect("a comment at the end", p.solve(), off)

	p.must(sb.Client().Prune(t.Context(), nil, client.WithFilter([]string{"type==regular"})))
	r := p.solve()
	if got := closingNotes(r); !slices.Equal(got, []string{forgotten}) {
		t.Errorf("after prune: %q", got)
	}
	r.Warnings = nil
	off.silent = []string{"COPY file /", "RUN cat /file"}
	p.expect("after prune", r, off)
	off.silent = nil
	p.expect("unchanged after prune", p.solve(), off)

	p.must(sb.Client().Prune(t.Context(), nil, client.WithFilter([]string{"type==regular"})))
	p.write("file", "2")
	p.expect("after prune and a change", p.solve(), rebuild{notes: map[string]string{
		"COPY file /": "file changed", "RUN cat /file": "follows 2/4", "RUN echo off": "runs in every build",
	}})

	p.must(sb.Client().Prune(t.Context(), nil, client.PruneAll))
	p.expect("after everything was pruned", p.solve(), rebuild{silent: []string{"COPY file /", "RUN cat /file", "RUN echo off"}})
}

// ownSandbox returns a daemon of the test's own, with the frontend in its registry.
func ownSandbox(t *testing.T) *sandbox.Sandbox {
	t.Helper()
	sb := sandbox.New(t, sandbox.Options{}, sandbox.Busybox)
	if err := sb.PushFrontend(t.Context(), sandbox.FrontendRef); err != nil {
		t.Fatal(err)
	}
	return sb
}
