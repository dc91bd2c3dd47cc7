package docs_test

import (
	"crypto/rand"
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

	"github.com/cachewright/cachewright/integration/sandbox"
)

// token is what the server's repository lib wants as the password.
const token = "t0ken"

// server serves texts, and git repositories with the branches main, v2 and other.
type server struct {
	t    *testing.T
	addr string // host:port
	git  string // directory of the repositories

	mu    sync.Mutex
	texts map[string]string // by path
}

func newServer(t *testing.T) *server {
	t.Helper()
	if err := sandbox.RequirePrograms(t.Context(), map[string]string{"git": "git"}); err != nil {
		t.Fatal(err)
	}
	s := &server{t: t, git: t.TempDir(), texts: map[string]string{
		"/debian-security/dists/bookworm-security/InRelease": "Date: Wed",
		"/blocklist.txt": "192.0.2.1\n",
		"/large.bin":     "weights\n",
		"/prices.csv":    "a,1\n",
		"/stock.csv":     "a,2\n",
		"/latest.txt":    "1.0\n",
		"/install.sh":    "echo installed >/tool\n",
	}}
	for _, repo := range []string{"tool", "lib"} {
		for _, branch := range []string{"main", "v2", "other"} {
			s.commit(repo, branch)
		}
	}
	backend := &cgi.Handler{
		Path: "/usr/lib/git-core/git-http-backend",
		Env:  []string{"GIT_PROJECT_ROOT=" + s.git, "GIT_HTTP_EXPORT_ALL=1"},
	}
	mux := http.NewServeMux()
	mux.Handle("/acme/tool.git/", backend)
	mux.HandleFunc("/acme/lib.git/", func(w http.ResponseWriter, r *http.Request) {
		if _, password, _ := r.BasicAuth(); password != token {
			w.Header().Set("WWW-Authenticate", "Basic")
			http.Error(w, "no token", http.StatusUnauthorized)
			return
		}
		backend.ServeHTTP(w, r)
	})
	mux.HandleFunc("/", s.serveText)
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	s.addr = srv.Listener.Addr().String()
	return s
}

func (s *server) serveText(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	text, ok := s.texts[r.URL.Path]
	s.mu.Unlock()
	if !ok {
		http.NotFound(w, r)
		return
	}
	http.ServeContent(w, r, "", time.Time{}, strings.NewReader(text))
}

// set changes what the server has at a path.
func (s *server) set(path, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.texts[path] = text
}

// commit adds a commit to a branch, which it makes if it is not there.
func (s *server) commit(repo, branch string) {
	s.t.Helper()
	dir := filepath.Join(s.git, "acme", repo+".git")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		s.t.Fatal(err)
	}
	const generate = "#!/bin/sh\necho data\n"
	for _, step := range []string{
		"git init -q --bare",
		"printf '" + strings.ReplaceAll(generate, "\n", `\n`) + "' | git hash-object -w --stdin >generate.id",
		"printf '100755 blob %s\\tgenerate\\n' $(cat generate.id) | git mktree >tree.id",
		"git -c user.name=t -c user.email=t@example.org commit-tree $(cat tree.id) -m " + rand.Text() + " >commit.id",
		"git update-ref refs/heads/" + branch + " $(cat commit.id)",
	} {
		cmd := exec.CommandContext(s.t.Context(), "/bin/sh", "-ec", step)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null")
		if out, err := cmd.CombinedOutput(); err != nil {
			s.t.Fatalf("%s: %v\n%s", step, err, out)
		}
	}
}
