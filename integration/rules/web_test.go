package rules_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cachewright/cachewright/integration/scenario"
)

// keyHTTP are URLs as key inputs: their content counts, not what comes with it.
func keyHTTP(w *scenario.Web) []rebuild {
	const file = "FROM $BASE\nRUN echo before\n# cache=key=%\nRUN echo keyed\nRUN echo after\n"
	then := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	tagged := func(body, etag string, modified time.Time) scenario.Page {
		return scenario.Page{Body: body, ETag: etag, Modified: modified}
	}
	var cases []rebuild
	for _, c := range []struct {
		name       string
		first, now scenario.Page
		misses     bool
	}{
		{"unchanged", scenario.Page{Body: "1"}, scenario.Page{Body: "1"}, false},
		{"changed", scenario.Page{Body: "1"}, scenario.Page{Body: "2"}, true},
		{"unchanged with ETag", tagged("1", `"a"`, then), tagged("1", `"a"`, then), false},
		{"changed with ETag", tagged("1", `"a"`, then), tagged("2", `"b"`, then), true},
		{"changed with a weak ETag", tagged("1", `W/"a"`, then), tagged("2", `W/"b"`, then), true},
		{"only the ETag", tagged("1", `"a"`, then), tagged("1", `"b"`, then), false},
		{"only the time", tagged("1", `"a"`, then), tagged("1", `"b"`, then.Add(time.Hour)), false},
	} {
		path := "/" + strings.ReplaceAll(c.name, " ", "-")
		w.Set(path, c.first)
		r := rebuild{
			Name: c.name, Dockerfile: replaced(file, "%", w.URL+path),
			Change: func(*project) { w.Set(path, c.now) },
		}
		if c.misses {
			r.Want.ran = []string{"RUN echo keyed", "RUN echo after"}
		}
		cases = append(cases, r)
	}
	w.SetText("/two", "1")
	w.SetText("/three", "1")
	return append(cases, rebuild{
		Name: "one of two", Dockerfile: replaced(file, "%", w.URL+"/two,"+w.URL+"/three"),
		Change: w.Paged("/three", "3"),
		Want:   expected{ran: []string{"RUN echo keyed", "RUN echo after"}},
	})
}

// TestRevalidation is what key=https costs when nothing changed: a request with an
// answer of no content.
func TestRevalidation(t *testing.T) {
	t.Parallel()
	w := scenario.NewWeb(t)
	const path, size = "/InRelease", 1 << 20
	w.Set(path, scenario.Page{Body: strings.Repeat("a", size), ETag: `"a"`})
	c := rebuild{Dockerfile: "FROM $BASE\n# cache=key=" + w.URL + path + "\nRUN echo keyed\n"}
	p := newProject(t, scenario.Start(t), c)
	total := func(as []scenario.Answer) (bytes int) {
		for _, a := range as {
			bytes += a.Bytes
		}
		return bytes
	}
	expect(p, "first", build(p), []string{"RUN echo keyed"})
	if as := w.Answers(path); total(as) != size {
		t.Errorf("first build: the server sent %v, want the page once", as)
	}
	expect(p, "second", build(p), nil)
	as := w.Answers(path)
	if total(as) != 0 || !slices.Contains(as, scenario.Answer{Status: http.StatusNotModified}) {
		t.Errorf("second build: the server sent %v, want no content", as)
	}
	w.Set(path, scenario.Page{Body: strings.Repeat("b", size), ETag: `"b"`})
	expect(p, "third", build(p), []string{"RUN echo keyed"})
	if as := w.Answers(path); total(as) != size {
		t.Errorf("third build: the server sent %v, want the page once", as)
	}
}

// keyGit are git references as key inputs: the commit counts.
func keyGit(w *scenario.Web) []rebuild {
	const file = "FROM $BASE\nRUN echo before\n# cache=key=%\nRUN echo keyed\nRUN echo after\n"
	var cases []rebuild
	for _, c := range []struct {
		name, ref string
		change    []string // git commands
		misses    bool
	}{
		{"unchanged", "#main", nil, false},
		{"branch", "#main", []string{"commit --allow-empty -m more"}, true},
		{"no branch named", "", []string{"commit --allow-empty -m more"}, true},
		{"another branch", "#main", []string{"checkout -b other", "commit --allow-empty -m more"}, false},
		{"branch by query", "?branch=main", []string{"commit --allow-empty -m more"}, true},
		{"tag", "#v1", []string{"commit --allow-empty -m more"}, false},
		{"tag moved", "#v1", []string{"commit --allow-empty -m more", "tag -f v1"}, true},
		{"directory", "#main:dir", []string{"commit --allow-empty -m more"}, true},
	} {
		name := strings.ReplaceAll(c.name, " ", "-") + ".git"
		r := rebuild{
			Name: c.name, Dockerfile: replaced(file, "%", w.URL+"/git/"+name+c.ref),
			Prepare: func(p *project) { w.Repository(p, name) },
			Change: func(p *project) {
				for _, command := range c.change {
					w.Git(p, name, command)
				}
			},
		}
		if c.misses {
			r.Want.ran = []string{"RUN echo keyed", "RUN echo after"}
		}
		cases = append(cases, r)
	}
	return cases
}

// TestOverlap changes a page while a build that has looked it up still runs. The
// next build sees what is there now. Its status stream would also repeat what the
// other one ran, so the step counts itself.
func TestOverlap(t *testing.T) {
	t.Parallel()
	w := scenario.NewWeb(t)
	w.SetText("/overlap", "1")
	w.SetText("/ran", "counted")
	reached, release := make(chan struct{}), make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		close(reached)
		<-release
	}))
	defer slow.Close()
	p := newProject(t, scenario.Start(t), rebuild{
		Dockerfile: "FROM $BASE AS keyed\n# cache=key=" + w.URL + "/overlap\nRUN wget -qO- " + w.URL + "/ran\nFROM keyed\nRUN wget -qO- " + slow.URL + "\n",
	})
	long := make(chan error, 1)
	b := p.Build
	go func() {
		_, err := p.Sandbox.Solve(t.Context(), b)
		long <- err
	}()
	select {
	case <-reached:
	case err := <-long:
		t.Fatalf("the long build ended: %v", err)
	}
	w.Answers("/ran")
	w.SetText("/overlap", "2")
	p.Target = "keyed"
	p.Solve()
	if n := len(w.Answers("/ran")); n != 1 {
		t.Errorf("the step ran %d times after the change, want once", n)
	}
	close(release)
	if err := <-long; err != nil {
		t.Error(err)
	}
}
