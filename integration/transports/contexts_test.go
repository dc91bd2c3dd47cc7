package transports_test

import (
	"bytes"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cachewright/cachewright/integration/sandbox"
)

// serve serves a directory with a Dockerfile over HTTP, as a tar file at
// /context.tar and as a repository at /repo.git, and returns the URL of the server.
func serve(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := sandbox.Files(t, files)
	root := t.TempDir()
	repo := filepath.Join(root, "repo.git")
	tar := runIn(t, dir, "tar", "-c", ".")
	runIn(t, dir, "git", "init", "-q", "-b", "main")
	runIn(t, dir, "git", "add", ".")
	runIn(t, dir, "git", "-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "-q", "-m", "Files")
	runIn(t, dir, "git", "clone", "-q", "--bare", dir, repo)
	mux := http.NewServeMux()
	mux.HandleFunc("/context.tar", func(w http.ResponseWriter, _ *http.Request) { w.Write(tar) })
	mux.HandleFunc("/f", func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("of the server")) })
	mux.Handle("/repo.git/", &cgi.Handler{
		Path: "/usr/lib/git-core/git-http-backend",
		Env:  []string{"GIT_PROJECT_ROOT=" + root, "GIT_HTTP_EXPORT_ALL=1"},
	})
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	return srv.URL
}

func runIn(t *testing.T, dir, name string, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, stderr.String())
	}
	return out
}

func TestContexts(t *testing.T) {
	sb := start(t)
	if err := sandbox.RequirePrograms(t.Context(), map[string]string{"git": "git", "tar": "tar"}); err != nil {
		t.Fatal(err)
	}
	url := serve(t, map[string]string{
		"Dockerfile":     syntax + "COPY f /\n",
		"f":              "of the root",
		"sub/Dockerfile": syntax + "COPY f /\n",
		"sub/f":          "of the subdirectory",
		"sub/D":          syntax + "COPY f /of-D\n",
	})
	layout := filepath.Join(t.TempDir(), "layout")
	call{"layout", map[string]string{"Dockerfile": syntax + "COPY f /\n", "f": "of the layout"},
		"buildx build --output type=oci,tar=false,dest=" + layout + " {dir}", "", nil}.run(t, sb)

	named := map[string]string{"Dockerfile": syntax + "COPY --from=other f /\n", "other/f": "of the directory", "f": ""}
	busybox := map[string]string{"Dockerfile": syntax + "COPY --from=other /bin/busybox /sh\nFROM other AS run\nRUN echo hello >/f\nFROM scratch\nCOPY --from=run f /\n"}
	root, sub := map[string]string{"f": "of the root"}, map[string]string{"f": "of the subdirectory"}
	const build = "buildx build -o {out} "
	for _, test := range []call{
		{"named-directory", named, build + "--build-context other=other {dir}", "", map[string]string{"f": "of the directory"}},
		{"named-image", busybox, build + "--build-context other=docker-image://busybox {dir}", "", map[string]string{"f": "hello\n"}},
		{"named-layout", named, build + "--build-context other=oci-layout://{layout}:latest {dir}", "", map[string]string{"f": "of the layout"}},
		{"named-git", named, build + "--build-context other={url}/repo.git#main:sub {dir}", "", sub},
		{"named-http", map[string]string{"Dockerfile": syntax + "COPY --from=other context /f\n"},
			build + "--build-context other={url}/f {dir}", "", map[string]string{"f": "of the server"}},
		{"replaced-base", map[string]string{"Dockerfile": syntax + "FROM base\nCOPY <<END /g\ng\nEND\n"},
			build + "--build-context base=oci-layout://{layout}:latest {dir}", "", map[string]string{"f": "of the layout", "g": "g\n"}},
		{"git", nil, build + "{url}/repo.git", "", root},
		{"git-subdirectory", nil, build + "{url}/repo.git#main:sub", "", sub},
		{"git-subdirectory-file", nil, build + "-f D {url}/repo.git#main:sub", "", map[string]string{"of-D": "of the subdirectory"}},
		{"git-query", nil, build + "{url}/repo.git?branch=main&subdir=sub", "", sub},
		{"git-stdin-file", map[string]string{"in": syntax + "COPY sub/f /\n"}, build + "-f - {url}/repo.git", "in", sub},
		{"tar", nil, build + "{url}/context.tar", "", root},
		{"tar-subdirectory-file", nil, build + "-f sub/D {url}/context.tar", "", map[string]string{"of-D": "of the root"}},
		{"tar-from-stdin", map[string]string{"in": string(runIn(t, sandbox.Files(t, map[string]string{
			"Dockerfile": syntax + "COPY f /\n", "f": "of the root"}), "tar", "-c", "."))}, build + "-", "in", root},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, sb, "{url}", url, "{layout}", layout) })
	}
}
