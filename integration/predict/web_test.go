package predict_test

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
)

// web serves pages, which tests may change, and git repositories below /git/.
type web struct {
	*httptest.Server
	repositories string

	mu    sync.Mutex
	pages map[string]string
}

func newWeb(t *testing.T) *web {
	t.Helper()
	w := &web{repositories: t.TempDir(), pages: map[string]string{}}
	backend, err := exec.Command("git", "--exec-path").Output()
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(rw http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		defer w.mu.Unlock()
		fmt.Fprint(rw, w.pages[r.URL.Path])
	})
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
func (w *web) set(path, text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.pages[path] = text
}

// commit adds a commit that changes file, and not dir, to a repository, which is
// made if it is not there, and returns its digits.
func (w *web) commit(p *project, repository string) string {
	p.t.Helper()
	dir := filepath.Join(w.repositories, repository)
	if _, err := os.Stat(dir); err != nil {
		p.must(os.MkdirAll(dir, 0o755))
		w.git(p, dir, "init --initial-branch=main .")
	}
	n := w.git(p, dir, "rev-list --count --all")
	p.must(os.WriteFile(filepath.Join(dir, "file"), []byte(n), 0o644))
	p.must(os.MkdirAll(filepath.Join(dir, "dir"), 0o755))
	p.must(os.WriteFile(filepath.Join(dir, "dir", "same"), nil, 0o644))
	w.git(p, dir, "add .")
	w.git(p, dir, "commit -m more")
	return strings.TrimSpace(w.git(p, dir, "rev-parse HEAD"))
}

func (w *web) git(p *project, dir, command string) string {
	p.t.Helper()
	cmd := exec.CommandContext(p.t.Context(), "git", strings.Fields(command)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.org", "GIT_COMMITTER_NAME=a",
		"GIT_COMMITTER_EMAIL=a@example.org", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null")
	out, err := cmd.CombinedOutput()
	if err != nil {
		p.must(fmt.Errorf("git %s: %w\n%s", command, err, out))
	}
	return string(out)
}
