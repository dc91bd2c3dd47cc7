package explain_test

import (
	"crypto/sha256"
	"encoding/hex"
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

// commit adds a commit to a repository, which is made if it is not there, and
// returns its digits that are shown.
func (w *web) commit(p *project, repository string) string {
	p.t.Helper()
	dir := filepath.Join(w.repositories, repository)
	if _, err := os.Stat(dir); err != nil {
		p.must(os.MkdirAll(dir, 0o755))
		w.git(p, dir, "init --initial-branch=main .")
	}
	w.git(p, dir, "commit --allow-empty -m more")
	return w.git(p, dir, "rev-parse HEAD")[:12]
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

func shortSum(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])[:12]
}

// keyChanges are changes of what key= names.
func keyChanges(w *web) []rebuild {
	const file = "FROM $BASE\nRUN echo before\n# cache=key=%s\nRUN echo keyed\nRUN echo after\n"
	because := func(note string) map[string]string {
		return map[string]string{"RUN echo keyed": note, "RUN echo after": "follows 3/4"}
	}
	w.set("/page", "1")
	const repository = "source.git"
	return []rebuild{
		{
			name: "http", dockerfile: fmt.Sprintf(file, w.URL+"/page"), change: func(*project) { w.set("/page", "2") },
			notes: because(w.URL + "/page moved " + shortSum("1") + " → " + shortSum("2")),
		},
		{
			name: "git", dockerfile: fmt.Sprintf(file, w.URL+"/git/"+repository+"#main"),
			prepare: func(p *project) { p.digests["$OLD"] = w.commit(p, repository) },
			change:  func(p *project) { p.digests["$NEW"] = w.commit(p, repository) },
			notes:   because(w.URL + "/git/" + repository + "#main moved $OLD → $NEW"),
		},
		{
			name: "image", dockerfile: fmt.Sprintf(file, "image://REPOSITORY"),
			prepare: func(p *project) {
				image := p.newBase()
				p.digests["$NAME"], p.digests["$OLD"] = p.pushBase(newRepository()+":1", image), p.short(image)
				p.edit("REPOSITORY", p.digests["$NAME"])
			},
			change: func(p *project) {
				image := p.newBase()
				p.pushBase(p.digests["$NAME"], image)
				p.digests["$NEW"] = p.short(image)
			},
			notes: because("$NAME moved $OLD → $NEW"),
		},
		{
			name: "file", dockerfile: fmt.Sprintf(file, "file:go.sum"), files: map[string]string{"go.sum": "1"}, change: written("go.sum", "2"),
			notes: because("go.sum changed"),
		},
		{name: "argument", dockerfile: fmt.Sprintf(file, "arg:REV"), change: given("REV", "2"), notes: because("ARG REV not given → \"2\" (line 4)")},
		{name: "text", dockerfile: fmt.Sprintf(file, "text:1"), change: edited("text:1", "text:2"), notes: because("rule key=text:1 → key=text:2")},
	}
}
