package scenario_test

import (
	"net/http"
	"testing"

	"github.com/cachewright/cachewright/integration/scenario"
)

// TestWeb asks for pages of each kind and for a repository.
func TestWeb(t *testing.T) {
	w := scenario.NewWeb(t)
	w.SetText("/page", "12")
	w.Set("/tagged", scenario.Page{Body: "1", ETag: `"a"`})
	w.Set("/bad", scenario.Page{Status: http.StatusNotModified})
	p := &scenario.Project{T: t}
	w.Repository(p, "a.git")
	first := w.Git(p, "a.git", "rev-parse v1")
	if second := w.Commit(p, "a.git"); len(second) != 40 || second == first {
		t.Errorf("commit %q after %q", second, first)
	}
	for path, want := range map[string]scenario.Answer{
		"/page": {200, 2}, "/tagged": {304, 0}, "/bad": {304, 0}, "/none": {404, 19},
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.URL+path, nil)
		p.Must(err)
		req.Header.Set("If-None-Match", `"a"`)
		resp, err := http.DefaultClient.Do(req)
		p.Must(err)
		p.Must(resp.Body.Close())
		if got := w.Answers(path); len(got) != 1 || got[0] != want {
			t.Errorf("%s: %v, want %v", path, got, want)
		}
	}
	resp, err := http.Get(w.URL + "/git/a.git/info/refs?service=git-upload-pack")
	p.Must(err)
	p.Must(resp.Body.Close())
	if resp.StatusCode != http.StatusOK {
		t.Errorf("the repository: %s", resp.Status)
	}
}
