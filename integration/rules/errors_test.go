package rules_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/moby/buildkit/solver/errdefs"

	"github.com/cachewright/cachewright/integration/scenario"
)

// TestKeyErrors names sources that cannot be looked up. The error says which, and
// marks the line of the directive.
func TestKeyErrors(t *testing.T) {
	t.Parallel()
	sb, w := scenario.Start(t), scenario.NewWeb(t)
	const ignore = "*.md\n"
	for _, c := range []struct {
		name, key, ignore string
		want              []string
	}{
		{"http", w.URL + "/nothing", "", []string{w.URL + "/nothing", "404"}},
		{"http server", "http://127.0.0.1:1/", "", []string{"http://127.0.0.1:1/", "refused"}},
		{"git repository", w.URL + "/git/nothing.git", "", []string{w.URL + "/git/nothing.git", "not found"}},
		{"git option", w.URL + "/git/a.git?brunch=main", "", []string{"brunch"}},
		{"image", "image://cachewright/nothing:1", "", []string{"image://cachewright/nothing:1", "not found"}},
		{"file", "file:nothing", "", []string{`"/nothing": not found`}},
		{"wildcard", "file:nothing.*", "", []string{"nothing.*"}},
		{"ignored file", "file:README.md", ignore, []string{"file:README.md", ".dockerignore"}},
		{"ignored directory", "file:docs", "docs", []string{"file:docs", ".dockerignore"}},
		{"ignored with exceptions", "file:README.md", "*\n!src\n", []string{"file:README.md", ".dockerignore"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := newProject(t, sb, rebuild{
				Dockerfile: "FROM $BASE\nRUN echo before\n# cache=key=" + c.key + "\nRUN echo keyed\n",
				Files:      map[string]string{".dockerignore": c.ignore, "README.md": "", "docs/file": ""},
			})
			r, err := sb.Solve(t.Context(), p.Build)
			if err == nil {
				t.Fatalf("no error\n%s", r)
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("the error has no %q: %v", want, err)
				}
			}
			var lines []int32
			for _, s := range errdefs.Sources(err) {
				lines = append(lines, s.Ranges[0].Start.Line)
			}
			if !slices.Equal(lines, []int32{4}) {
				t.Errorf("marked lines are %v, want that of the directive: %v", lines, err)
			}
		})
	}
}
