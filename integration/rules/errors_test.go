package rules_test

import (
	"encoding/json"
	"net/http"
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
	sb, w, secure := scenario.Start(t), scenario.NewWeb(t), scenario.NewTLSWeb(t)
	w.Set("/304", scenario.Page{Status: http.StatusNotModified})
	const ignore = "*.md\n"
	for _, c := range []struct {
		name, key, ignore string
		want              []string
	}{
		{"http", w.URL + "/nothing", "", []string{w.URL + "/nothing", "404", "it is the builder that asks this address"}},
		{"http, bad answer", w.URL + "/304", "", []string{w.URL + "/304", "304", "to get an answer of status 200"}},
		{"https, unknown certificate", secure.URL + "/page", "", []string{secure.URL, "certificate", "has to trust the server's certificate, with a CA of the builder's own machine"}},
		{"http server", "http://127.0.0.1:1/", "", []string{"http://127.0.0.1:1/", "refused"}},
		{"git repository", w.URL + "/git/nothing.git", "", []string{w.URL + "/git/nothing.git", "not found"}},
		{"git option", w.URL + "/git/a.git?brunch=main", "", []string{"brunch"}},
		{"image", "image://cachewright/nothing:1", "", []string{"image://cachewright/nothing:1", "not found"}},
		{"file", "file:nothing", "", []string{"option key", "file:nothing: nothing in the build context can be read as this; correct the path"}},
		{"wildcard", "file:nothing.*", "", []string{"option key", "file:nothing.*: nothing in the build context can be read as this"}},
		{"file below a file", "file:README.md/a", "", []string{"file:README.md/a: nothing in the build context can be read"}},
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

// TestKeyErrorsInPlan asks what a build will do whose key sources cannot be looked
// up: nothing is known of their steps, but the question has its answer.
func TestKeyErrorsInPlan(t *testing.T) {
	t.Parallel()
	sb, w, secure := scenario.Start(t), scenario.NewWeb(t), scenario.NewTLSWeb(t)
	for name, key := range map[string]string{
		"http": w.URL + "/nothing", "https": secure.URL + "/page", "git": w.URL + "/git/nothing.git", "image": "image://cachewright/nothing:1",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := scenario.New(t, sb, rebuild{Dockerfile: "FROM $BASE\nRUN echo before\n# cache=key=text:1\nRUN echo keyed\n"})
			p.Solve()
			p.Edit("key=text:1", "key="+key)
			var answer struct {
				Predictions []struct {
					State   string
					Reasons []struct{ Kind, Name string }
				}
			}
			p.Must(json.Unmarshal(p.Ask("cache")["result.json"], &answer))
			var states []string
			for _, pr := range answer.Predictions {
				states = append(states, pr.State)
			}
			if !slices.Equal(states, []string{"hit", "hit", "unknown"}) {
				t.Errorf("predicted are %q", states)
			}
		})
	}
}
