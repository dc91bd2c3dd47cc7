package scenario

import (
	"fmt"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// Web serves pages, which tests may change, and git repositories below /git/. Its
// methods may be called from several goroutines.
type Web struct {
	*httptest.Server
	repositories string
	making       sync.Mutex // a commit

	mu    sync.Mutex
	pages map[string]Page
	sent  map[string][]Answer
}

// Page is what a path has. The zero ETag and time are not sent.
type Page struct {
	Body, ETag string
	Modified   time.Time
	Status     int // of every answer, with Body; zero serves as a file server does
}

// Answer is what a client got for a request.
type Answer struct {
	Status, Bytes int
}

// NewWeb starts a server, which ends with the test.
func NewWeb(t testing.TB) *Web { return newWeb(t, (*httptest.Server).Start) }

// NewTLSWeb is NewWeb with https and a certificate that nobody knows.
func NewTLSWeb(t testing.TB) *Web { return newWeb(t, (*httptest.Server).StartTLS) }

func newWeb(t testing.TB, start func(*httptest.Server)) *Web {
	t.Helper()
	w := &Web{repositories: t.TempDir(), pages: map[string]Page{}, sent: map[string][]Answer{}}
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
	w.Server = httptest.NewUnstartedServer(mux)
	start(w.Server)
	t.Cleanup(w.Close)
	return w
}

// Set changes a page. Paths that were never set are not found.
func (w *Web) Set(path string, p Page) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.pages[path] = p
}

// SetText changes a page to one with nothing but a body.
func (w *Web) SetText(path, body string) { w.Set(path, Page{Body: body}) }

// Paged is the change of a page to one with nothing but a body.
func (w *Web) Paged(path, body string) Change {
	return func(*Project) { w.SetText(path, body) }
}

// Answers returns what was sent for a path since the last call.
func (w *Web) Answers(path string) []Answer {
	w.mu.Lock()
	defer w.mu.Unlock()
	defer delete(w.sent, path)
	return w.sent[path]
}

func (w *Web) page(rw http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	p, ok := w.pages[r.URL.Path]
	w.mu.Unlock()
	counted := &counter{ResponseWriter: rw, answer: Answer{Status: http.StatusOK}}
	if p.ETag != "" {
		counted.Header().Set("ETag", p.ETag)
	}
	switch {
	case !ok:
		http.NotFound(counted, r)
	case p.Status != 0:
		counted.WriteHeader(p.Status)
		_, _ = counted.Write([]byte(p.Body)) // a status without a body refuses it
	default:
		http.ServeContent(counted, r, "", p.Modified, strings.NewReader(p.Body))
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sent[r.URL.Path] = append(w.sent[r.URL.Path], counted.answer)
}

// counter notes what is written.
type counter struct {
	http.ResponseWriter
	answer Answer
}

func (c *counter) WriteHeader(status int) {
	c.answer.Status = status
	c.ResponseWriter.WriteHeader(status)
}

func (c *counter) Write(data []byte) (int, error) {
	n, err := c.ResponseWriter.Write(data)
	c.answer.Bytes += n
	return n, err
}

// Repository makes a git repository with one commit, unless it is there: branch
// main, tag v1, the files file and dir/file. It returns its URL.
func (w *Web) Repository(p *Project, name string) string {
	p.T.Helper()
	w.making.Lock()
	defer w.making.Unlock()
	url := w.URL + "/git/" + name
	dir := filepath.Join(w.repositories, name)
	if _, err := os.Stat(dir); err == nil {
		return url
	}
	p.Must(os.MkdirAll(filepath.Join(dir, "dir"), 0o755))
	p.Must(os.WriteFile(filepath.Join(dir, "file"), nil, 0o644))
	p.Must(os.WriteFile(filepath.Join(dir, "dir", "file"), nil, 0o644))
	w.Git(p, name, "init --initial-branch=main .")
	w.Git(p, name, "add .")
	w.Git(p, name, "commit -m first")
	w.Git(p, name, "tag v1")
	return url
}

// Commit adds a commit that changes file, and not dir, to a repository, which is
// made if it is not there, and returns the commit's 40 digits.
func (w *Web) Commit(p *Project, name string) string {
	p.T.Helper()
	w.Repository(p, name)
	w.making.Lock()
	defer w.making.Unlock()
	commits := w.Git(p, name, "rev-list --count --all")
	p.Must(os.WriteFile(filepath.Join(w.repositories, name, "file"), []byte(commits), 0o644))
	w.Git(p, name, "commit --all -m more")
	return w.Git(p, name, "rev-parse HEAD")
}

// Git runs a git command, whose words are separated by blanks, in a repository and
// returns what it printed.
func (w *Web) Git(p *Project, name, command string) string {
	p.T.Helper()
	cmd := exec.CommandContext(p.T.Context(), "git", strings.Fields(command)...)
	cmd.Dir = filepath.Join(w.repositories, name)
	cmd.Env = append(os.Environ(), "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.org", "GIT_COMMITTER_NAME=a",
		"GIT_COMMITTER_EMAIL=a@example.org", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null")
	out, err := cmd.CombinedOutput()
	if err != nil {
		p.Must(fmt.Errorf("git %s: %w\n%s", command, err, out))
	}
	return strings.TrimSpace(string(out))
}
