// Package examples_test builds every project below examples/ the way a user
// does, through its # syntax= line, and checks what its README says about the
// cache.
package examples_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/moby/buildkit/client"

	"github.com/cachewright/cachewright/integration/sandbox"
)

// example is one project in a directory that the test may change.
type example struct {
	t  *testing.T
	sb *sandbox.Sandbox
	b  sandbox.Build
}

// open copies an example and puts the frontend that it names into the registry.
func open(t *testing.T, name string, images ...sandbox.Image) *example {
	t.Helper()
	sb := sandbox.Shared(t, images...)
	if err := sb.PushFrontend(t.Context(), sandbox.FrontendRef); err != nil {
		t.Fatal(err)
	}
	root, err := sandbox.RepoRoot()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(root, "examples", name))); err != nil {
		t.Fatal(err)
	}
	return &example{t: t, sb: sb, b: sandbox.Build{Context: dir}}
}

// build builds the example and compares the state of steps. The keys of want are
// parts of step names, enough to tell a step from the others.
func (e *example) build(what string, want map[string]string) {
	e.t.Helper()
	r, err := e.sb.Solve(e.t.Context(), e.b)
	if err != nil {
		e.t.Fatalf("%s: %v\n%s", what, err, r)
	}
	for part, state := range want {
		var found []*sandbox.Step
		for _, s := range r.Steps {
			if strings.Contains(s.Name, part) {
				found = append(found, s)
			}
		}
		if len(found) != 1 || found[0].State() != state {
			e.t.Errorf("%s: want one step with %q, %s; have\n%s", what, part, state, r)
		}
	}
}

// change appends text to a file of the example.
func (e *example) change(name, text string) {
	e.t.Helper()
	f, err := os.OpenFile(filepath.Join(e.b.Context, name), os.O_APPEND|os.O_WRONLY, 0)
	if err == nil {
		_, err = f.WriteString(text)
		f.Close()
	}
	if err != nil {
		e.t.Fatal(err)
	}
}

// output exports the built files from now on and returns their directory.
func (e *example) output() string {
	dir := e.t.TempDir()
	e.b.Exports = []client.ExportEntry{sandbox.ExportDir(dir)}
	return dir
}

func TestLayers(t *testing.T) {
	e := open(t, "layers", sandbox.Alpine)
	out := e.output()
	const install, audit, bundle, report = "RUN npm ci", "RUN npm audit", "RUN npm run build", "COPY --from=audit"
	e.build("first", map[string]string{install: "ran", audit: "ran", bundle: "ran", report: "ran"})
	for _, file := range []string{"app/dist/server.js", "app/node_modules/router/index.js", "app/audit.txt"} {
		if _, err := os.Stat(filepath.Join(out, file)); err != nil {
			t.Error(err)
		}
	}
	e.build("unchanged", map[string]string{install: "cached", audit: "cached", bundle: "cached", report: "cached"})
	later := time.Now().Add(time.Hour)
	for _, file := range []string{"package-lock.json", "src/server.js"} {
		if err := os.Chtimes(filepath.Join(e.b.Context, file), later, later); err != nil {
			t.Fatal(err)
		}
	}
	e.build("file times", map[string]string{install: "cached", audit: "cached", bundle: "cached"})
	e.change("src/server.js", "// more\n")
	e.build("source", map[string]string{install: "cached", audit: "cached", bundle: "ran", report: "cached"})
	e.b.Args = map[string]string{"CACHEBUST": "2"}
	e.build("CACHEBUST", map[string]string{install: "cached", audit: "ran", bundle: "cached", report: "cached"})
	e.change("package-lock.json", "\n")
	e.build("lock file", map[string]string{install: "ran", audit: "ran", bundle: "ran"})
}

func TestGoService(t *testing.T) {
	e := open(t, "go-service", sandbox.Golang)
	out := e.output()
	const compile, copied = "go build -trimpath", "COPY --from=build"
	e.build("first", map[string]string{compile: "ran", copied: "ran"})
	if info, err := os.Stat(filepath.Join(out, "service")); err != nil || info.Mode()&0o111 == 0 {
		t.Errorf("service: %v, %v", info, err)
	}
	e.build("unchanged", map[string]string{compile: "cached", copied: "cached"})
	e.change("README.md", "more\n")
	e.build("an ignored file", map[string]string{compile: "cached", copied: "cached"})
	e.change("main.go", "// The same binary.\n")
	e.build("a comment", map[string]string{compile: "ran", copied: "cached"})
	e.change("main.go", "func init() { println(\"another binary\") }\n")
	e.build("the program", map[string]string{compile: "ran", copied: "ran"})
}

func TestApt(t *testing.T) {
	e := open(t, "apt", sandbox.Debian)
	out := e.output()
	e.build("first", map[string]string{"apt-get install": "ran", "RUN jq": "ran"})
	report, err := os.ReadFile(filepath.Join(out, "report.txt"))
	if want := "install: 41 s\ncompile: 12 s\n"; err != nil || string(report) != want {
		t.Errorf("report.txt: %q, %v; want %q", report, err, want)
	}
	e.build("unchanged", map[string]string{"apt-get install": "cached", "RUN jq": "cached"})
	e.change("report.json", "\n")
	e.build("report.json", map[string]string{"apt-get install": "cached", "RUN jq": "ran"})
}

func TestSecrets(t *testing.T) {
	e := open(t, "secrets", sandbox.Alpine)
	const user, fetch = "RUN adduser", "fetch.sh /run/secrets"
	if _, err := e.sb.Solve(t.Context(), e.b); err == nil {
		t.Error("no error without the secret")
	}
	e.b.Secrets = map[string][]byte{"token": []byte("one")}
	e.build("first", map[string]string{user: "cached", fetch: "ran"})
	e.b.Secrets = map[string][]byte{"token": []byte("another")}
	e.build("another token", map[string]string{user: "cached", fetch: "cached"})
	e.b.Args = map[string]string{"CACHEBUST": "2"}
	e.build("another CACHEBUST", map[string]string{user: "cached", fetch: "ran"})
}

func TestStageFilter(t *testing.T) {
	e := open(t, "stage-filter", sandbox.Alpine)
	const deps, test, app, log = "[deps 4/4] RUN", "RUN ./smoke-test.sh", "RUN ./app.sh", "COPY --from=test"
	e.build("first", map[string]string{deps: "ran", test: "ran", app: "ran", log: "ran"})
	e.build("unchanged", map[string]string{deps: "cached", test: "cached", app: "cached", log: "cached"})
	e.b.Attrs = map[string]string{"no-cache": "test"}
	e.build("filter", map[string]string{deps: "cached", test: "ran", app: "cached", log: "cached"})
}

func TestMultiPlatform(t *testing.T) {
	e := open(t, "multi-platform", sandbox.Alpine)
	e.b.Attrs = map[string]string{"platform": "linux/amd64,linux/arm64"}
	out := e.output()
	e.build("first", map[string]string{"RUN tr": "ran"})
	for _, arch := range []string{"amd64", "arm64"} {
		got, err := os.ReadFile(filepath.Join(out, "linux_"+arch, "greeting.txt"))
		want := "HELLO FROM A SMALL IMAGE\nfor linux/" + arch + "\n"
		if err != nil || string(got) != want {
			t.Errorf("%s: %q, %v; want %q", arch, got, err, want)
		}
	}
}

// TestAllExamplesAreTested fails when an example has no test above.
func TestAllExamplesAreTested(t *testing.T) {
	root, err := sandbox.RepoRoot()
	if err != nil {
		t.Fatal(err)
	}
	tested := []string{"apt", "go-service", "layers", "multi-platform", "secrets", "stage-filter"}
	dockerfiles, err := filepath.Glob(filepath.Join(root, "examples", "*", "Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, path := range dockerfiles {
		found = append(found, filepath.Base(filepath.Dir(path)))
	}
	if strings.Join(found, " ") != strings.Join(tested, " ") {
		t.Errorf("examples: %q; tests for: %q", found, tested)
	}
}
