package rules_test

import (
	"fmt"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// web serves pages, which tests may change, and git repositories below /git/.
type web struct {
	*httptest.Server
	repositories string
	making       sync.Mutex // a repository

	mu    sync.Mutex
	pages map[string]page
	sent  map[string][]answer
}

type page struct {
	body, etag string
	modified   time.Time
}

// answer is what a client got for a request.
type answer struct {
	status, bytes int
}

func newWeb(t *testing.T) *web {
	t.Helper()
	w := &web{repositories: t.TempDir(), pages: map[string]page{}, sent: map[string][]answer{}}
	backend, err := exec.Command("git", "--exec-path").Output()
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/", w.page)
	mux.Handle("/git/", &cgi.Handler{
		Path: filepath.Join(strings.TrimSpace(string(backend)), "git-http-backend"),
		Root: "/git",
		Env:  []string{"GIT_PROJECT_ROOT=" + w.repositories, "GIT_HTTP_EXPORT_ALL=1"},
	})
	w.Server = httptest.NewServer(mux)
	t.Cleanup(w.Close)
	return w
}

// set changes a page.
func (w *web) set(path string, p page) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.pages[path] = p
}

// answers returns what was sent for a path since the last call.
func (w *web) answers(path string) []answer {
	w.mu.Lock()
	defer w.mu.Unlock()
	defer delete(w.sent, path)
	return w.sent[path]
}

func (w *web) page(rw http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	p, ok := w.pages[r.URL.Path]
	w.mu.Unlock()
	counted := &counter{ResponseWriter: rw, answer: answer{status: http.StatusOK}}
	if ok {
		if p.etag != "" {
			counted.Header().Set("ETag", p.etag)
		}
		http.ServeContent(counted, r, "", p.modified, strings.NewReader(p.body))
	} else {
		http.NotFound(counted, r)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sent[r.URL.Path] = append(w.sent[r.URL.Path], counted.answer)
}

// counter notes what is written.
type counter struct {
	http.ResponseWriter
	answer
}

func (c *counter) WriteHeader(status int) {
	c.status = status
	c.ResponseWriter.WriteHeader(status)
}

func (c *counter) Write(data []byte) (int, error) {
	n, err := c.ResponseWriter.Write(data)
	c.bytes += n
	return n, err
}

// keyHTTP are URLs as key inputs: their content counts, not what comes with it.
func keyHTTP(w *web) []rebuild {
	const file = "FROM $BASE\nRUN echo before\n# cache=key=%\nRUN echo keyed\nRUN echo after\n"
	then := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	var cases []rebuild
	for _, c := range []struct {
		name       string
		first, now page
		misses     bool
	}{
		{"unchanged", page{body: "1"}, page{body: "1"}, false},
		{"changed", page{body: "1"}, page{body: "2"}, true},
		{"unchanged with ETag", page{"1", `"a"`, then}, page{"1", `"a"`, then}, false},
		{"changed with ETag", page{"1", `"a"`, then}, page{"2", `"b"`, then}, true},
		{"changed with a weak ETag", page{"1", `W/"a"`, then}, page{"2", `W/"b"`, then}, true},
		{"only the ETag", page{"1", `"a"`, then}, page{"1", `"b"`, then}, false},
		{"only the time", page{"1", `"a"`, then}, page{"1", `"b"`, then.Add(time.Hour)}, false},
	} {
		path := "/" + strings.ReplaceAll(c.name, " ", "-")
		w.set(path, c.first)
		r := rebuild{
			name: c.name, dockerfile: replaced(file, "%", w.URL+path),
			change: func(*project) { w.set(path, c.now) },
		}
		if c.misses {
			r.ran = []string{"RUN echo keyed", "RUN echo after"}
		}
		cases = append(cases, r)
	}
	w.set("/two", page{body: "1"})
	w.set("/three", page{body: "1"})
	return append(cases, rebuild{
		name: "one of two", dockerfile: replaced(file, "%", w.URL+"/two,"+w.URL+"/three"),
		change: func(*project) { w.set("/three", page{body: "3"}) },
		ran:    []string{"RUN echo keyed", "RUN echo after"},
	})
}

// TestRevalidation is what key=https costs when nothing changed: a request with an
// answer of no content.
func TestRevalidation(t *testing.T) {
	t.Parallel()
	w := newWeb(t)
	const path, size = "/InRelease", 1 << 20
	w.set(path, page{body: strings.Repeat("a", size), etag: `"a"`})
	c := rebuild{dockerfile: "FROM $BASE\n# cache=key=" + w.URL + path + "\nRUN echo keyed\n"}
	p := newProject(t, start(t), c)
	total := func(as []answer) (bytes int) {
		for _, a := range as {
			bytes += a.bytes
		}
		return bytes
	}
	p.expect("first", p.build(), []string{"RUN echo keyed"})
	if as := w.answers(path); total(as) != size {
		t.Errorf("first build: the server sent %v, want the page once", as)
	}
	p.expect("second", p.build(), nil)
	as := w.answers(path)
	if total(as) != 0 || !slices.Contains(as, answer{status: http.StatusNotModified}) {
		t.Errorf("second build: the server sent %v, want no content", as)
	}
	w.set(path, page{body: strings.Repeat("b", size), etag: `"b"`})
	p.expect("third", p.build(), []string{"RUN echo keyed"})
	if as := w.answers(path); total(as) != size {
		t.Errorf("third build: the server sent %v, want the page once", as)
	}
}

// keyGit are git references as key inputs: the commit counts.
func keyGit(w *web) []rebuild {
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
			name: c.name, dockerfile: replaced(file, "%", w.URL+"/git/"+name+c.ref),
			prepare: func(p *project) { w.repository(p, name) },
			change: func(p *project) {
				for _, command := range c.change {
					w.git(p, name, command)
				}
			},
		}
		if c.misses {
			r.ran = []string{"RUN echo keyed", "RUN echo after"}
		}
		cases = append(cases, r)
	}
	return cases
}

// repository makes a repository with a commit, unless it is there.
func (w *web) repository(p *project, name string) {
	p.t.Helper()
	w.making.Lock()
	defer w.making.Unlock()
	dir := filepath.Join(w.repositories, name, "dir")
	if _, err := os.Stat(dir); err == nil {
		return
	}
	p.must(os.MkdirAll(dir, 0o755))
	p.must(os.WriteFile(filepath.Join(dir, "file"), nil, 0o644))
	w.git(p, name, "init --initial-branch=main .")
	w.git(p, name, "add .")
	w.git(p, name, "commit -m first")
	w.git(p, name, "tag v1")
}

// git runs a git command in a repository.
func (w *web) git(p *project, repository, command string) {
	p.t.Helper()
	cmd := exec.CommandContext(p.t.Context(), "git", strings.Fields(command)...)
	cmd.Dir = filepath.Join(w.repositories, repository)
	cmd.Env = append(os.Environ(), "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.org", "GIT_COMMITTER_NAME=a",
		"GIT_COMMITTER_EMAIL=a@example.org", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null")
	if out, err := cmd.CombinedOutput(); err != nil {
		p.must(fmt.Errorf("git %s: %w\n%s", command, err, out))
	}
}

// TestOverlap changes a page while a build that has looked it up still runs. The
// next build sees what is there now. Its status stream would also repeat what the
// other one ran, so the step counts itself.
func TestOverlap(t *testing.T) {
	t.Parallel()
	w := newWeb(t)
	w.set("/overlap", page{body: "1"})
	w.set("/ran", page{body: "counted"})
	reached, release := make(chan struct{}), make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		close(reached)
		<-release
	}))
	defer slow.Close()
	p := newProject(t, start(t), rebuild{
		dockerfile: "FROM $BASE AS keyed\n# cache=key=" + w.URL + "/overlap\nRUN wget -qO- " + w.URL + "/ran\nFROM keyed\nRUN wget -qO- " + slow.URL + "\n",
	})
	long := make(chan error, 1)
	b := p.Build
	go func() {
		_, err := p.sb.Solve(t.Context(), b)
		long <- err
	}()
	select {
	case <-reached:
	case err := <-long:
		t.Fatalf("the long build ended: %v", err)
	}
	w.answers("/ran")
	w.set("/overlap", page{body: "2"})
	p.Target = "keyed"
	p.solve()
	if n := len(w.answers("/ran")); n != 1 {
		t.Errorf("the step ran %d times after the change, want once", n)
	}
	close(release)
	if err := <-long; err != nil {
		t.Error(err)
	}
}
