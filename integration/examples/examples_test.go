// Package examples_test builds every project below examples/ the way a user
// does, through its # syntax= line, then with docker/dockerfile, and checks what
// its README says about the cache.
package examples_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/moby/buildkit/client"

	"github.com/cachewright/cachewright/integration/sandbox"
	"github.com/cachewright/cachewright/integration/scenario"
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
	sb := scenario.Start(t, images...)
	root, err := sandbox.RepoRoot()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(root, "examples", name))); err != nil {
		t.Fatal(err)
	}
	// Reasons behind the names of steps would shorten those by which a test knows them.
	attrs := map[string]string{"build-arg:CACHEWRIGHT_EXPLAIN": "off"}
	return &example{t: t, sb: sb, b: sandbox.Build{Context: dir, Attrs: attrs}}
}

// elsewhere builds from now on with the daemon's own docker/dockerfile, as if the
// first line named that. It shares the daemon's cache with our frontend, but for
// steps with cache rules, which are comments to it.
func (e *example) elsewhere() {
	e.t.Helper()
	text, err := os.ReadFile(filepath.Join(e.b.Context, "Dockerfile"))
	if err != nil {
		e.t.Fatal(err)
	}
	rest, ok := strings.CutPrefix(string(text), "# syntax="+sandbox.FrontendRef+"\n")
	if !ok {
		e.t.Fatalf("the first line does not name %s:\n%s", sandbox.FrontendRef, text)
	}
	e.b.DockerfileDir = sandbox.Files(e.t, map[string]string{"Dockerfile": rest})
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

// replace replaces a text wherever it stands in a file of the example.
func (e *example) replace(name, from, to string) {
	e.t.Helper()
	file := filepath.Join(e.b.Context, name)
	data, err := os.ReadFile(file)
	if err == nil && !strings.Contains(string(data), from) {
		err = fmt.Errorf("%s has no %q", name, from)
	}
	if err == nil {
		err = os.WriteFile(file, []byte(strings.ReplaceAll(string(data), from, to)), 0o644)
	}
	if err != nil {
		e.t.Fatal(err)
	}
}

// at sets the clock of the rules from now on.
func (e *example) at(now string) {
	e.b.Args = map[string]string{"CACHEWRIGHT_NOW": now}
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
	e.elsewhere()
	e.build("elsewhere", map[string]string{install: "cached", audit: "cached", bundle: "cached", report: "cached"})
}

func TestRelease(t *testing.T) {
	e := open(t, "release", sandbox.Alpine)
	out := e.output()
	const manifests, install, sources = "COPY package.json", "RUN npm ci", "COPY . ."
	installs, installed := map[string]string{manifests: "ran", install: "ran", sources: "ran"}, map[string]string{manifests: "cached", install: "cached", sources: "ran"}
	raise := func(from, to string) {
		e.replace("package.json", from, to)
		e.replace("package-lock.json", from, to)
	}
	e.build("first", installs)
	raise("1.4.0", "1.5.0")
	e.build("release", installed)
	if data, err := os.ReadFile(filepath.Join(out, "app/package.json")); err != nil || !strings.Contains(string(data), "1.5.0") {
		t.Errorf("package.json in the image: %q, %v", data, err)
	}
	if _, err := os.Stat(filepath.Join(out, "app/node_modules/router/index.js")); err != nil {
		t.Error(err)
	}
	e.replace("package.json", "Sells things", "Sells all things")
	e.replace("package.json", "Ann", "Bob")
	e.build("description, author", installed)
	e.replace("package.json", `"version": "1.5.0",`, "")
	e.replace("package.json", `"name": "shop",`, "\n    \"version\":\"1.5.0\",  \"name\":\"shop\",")
	e.build("order, blanks", installed)
	raise("^2.1.0", "^2.2.0")
	e.build("dependency", installs)
	e.elsewhere()
	e.build("elsewhere", installs)
	raise("1.5.0", "1.6.0")
	e.build("release, elsewhere", installs)
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
	e.elsewhere()
	e.build("elsewhere", map[string]string{compile: "cached", copied: "cached"})
}

// TestCI builds on one new builder after the other, which share only a cache.
func TestCI(t *testing.T) {
	e := open(t, "ci", sandbox.Golang)
	imports, exports := e.sb.RegistryCache("example/ci:cache", "max")
	e.b.CacheImports, e.b.CacheExports = []client.CacheOptionsEntry{imports}, []client.CacheOptionsEntry{exports}
	e.b.Attrs["attest:provenance"] = "mode=min,inline-only=true"
	compiled := func() []string {
		e.sb = sandbox.New(t, sandbox.Options{Registry: e.sb.Registry()})
		r, err := e.sb.Solve(t.Context(), e.b)
		if err != nil {
			t.Fatalf("%v\n%s", err, r)
		}
		for _, s := range r.Steps {
			if strings.Contains(s.Name, "go build -v") {
				return strings.Fields(s.Logs)
			}
		}
		t.Fatalf("no step compiles:\n%s", r)
		return nil
	}
	if n := len(compiled()); n < 40 {
		t.Errorf("the first builder compiled %d packages", n)
	}
	e.change("main.go", "\n// More.\nvar _ = 1\n")
	if got := strings.Join(compiled(), " "); got != "example.org/hello" {
		t.Errorf("the second builder compiled %s", got)
	}
}

func TestApt(t *testing.T) {
	e := open(t, "apt", sandbox.Debian)
	out := e.output()
	const install, jq = "apt-get install", "RUN jq"
	e.at("2026-05-15T12:00:00Z") // a Friday
	e.build("first", map[string]string{install: "ran", jq: "ran"})
	report, err := os.ReadFile(filepath.Join(out, "report.txt"))
	if want := "install: 41 s\ncompile: 12 s\n"; err != nil || string(report) != want {
		t.Errorf("report.txt: %q, %v; want %q", report, err, want)
	}
	e.build("unchanged", map[string]string{install: "cached", jq: "cached"})
	e.change("report.json", "\n")
	e.build("report.json", map[string]string{install: "cached", jq: "ran"})
	e.at("2026-05-17T23:59:59Z")
	e.build("Sunday", map[string]string{install: "cached", jq: "cached"})
	e.at("2026-05-18T00:00:00Z")
	e.build("Monday", map[string]string{install: "ran", jq: "ran"})
	e.elsewhere()
	e.build("elsewhere", map[string]string{install: "ran", jq: "ran"})
	e.at("2026-05-25T00:00:00Z")
	e.build("elsewhere, a week later", map[string]string{install: "cached", jq: "cached"})
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
	e.elsewhere()
	e.build("elsewhere", map[string]string{user: "cached", fetch: "cached"})
}

func TestStageFilter(t *testing.T) {
	e := open(t, "stage-filter", sandbox.Alpine)
	const deps, test, app, log = "[deps 4/4] RUN", "RUN ./smoke-test.sh", "RUN ./app.sh", "COPY --from=test"
	e.build("first", map[string]string{deps: "ran", test: "ran", app: "ran", log: "ran"})
	e.build("unchanged", map[string]string{deps: "cached", test: "cached", app: "cached", log: "cached"})
	e.b.Attrs["no-cache"] = "test"
	e.build("filter", map[string]string{deps: "cached", test: "ran", app: "cached", log: "cached"})
	e.elsewhere()
	e.build("filter elsewhere", map[string]string{deps: "cached", test: "ran", app: "cached", log: "cached"})
}

func TestMultiPlatform(t *testing.T) {
	e := open(t, "multi-platform", sandbox.Alpine)
	e.b.Attrs["platform"] = "linux/amd64,linux/arm64"
	out := e.output()
	e.build("first", map[string]string{"RUN tr": "ran"})
	for _, arch := range []string{"amd64", "arm64"} {
		got, err := os.ReadFile(filepath.Join(out, "linux_"+arch, "greeting.txt"))
		want := "HELLO FROM A SMALL IMAGE\nfor linux/" + arch + "\n"
		if err != nil || string(got) != want {
			t.Errorf("%s: %q, %v; want %q", arch, got, err, want)
		}
	}
	e.elsewhere()
	e.build("elsewhere", map[string]string{"RUN tr": "cached"})
}

func TestFreshData(t *testing.T) {
	e := open(t, "fresh-data", sandbox.Alpine)
	const fetch, smoke, data, passed = "RUN fetch-advisories.sh", "app.sh --check", "COPY --from=advisories", "COPY --from=smoke-test"
	e.at("2026-05-17T09:00:00Z")
	e.build("first", map[string]string{fetch: "ran", smoke: "ran", data: "ran", passed: "ran"})
	e.at("2026-05-17T23:59:59Z")
	e.build("the same day", map[string]string{fetch: "cached", smoke: "ran", data: "cached", passed: "cached"})
	e.at("2026-05-18T00:00:00Z")
	e.build("the next day", map[string]string{fetch: "ran", smoke: "ran", data: "cached", passed: "cached"})
	e.change("fetch-advisories.sh", "echo one more\n")
	e.at("2026-05-19T00:00:00Z")
	e.build("new data", map[string]string{fetch: "ran", smoke: "ran", data: "ran"})
	e.elsewhere()
	e.build("elsewhere", map[string]string{fetch: "ran", smoke: "ran"})
	e.at("2026-05-20T00:00:00Z")
	e.build("elsewhere, a day later", map[string]string{fetch: "cached", smoke: "cached", data: "cached", passed: "cached"})
}

func TestBuildArguments(t *testing.T) {
	e := open(t, "build-arguments", sandbox.Alpine)
	out := e.output()
	const install, bundle = "RUN npm ci", "RUN npm run build"
	for i, state := range []string{"ran", "cached"} {
		e.b.Args = map[string]string{"GIT_SHA": "f00d", "BUILD_NUMBER": strconv.Itoa(i)}
		e.build("another number", map[string]string{install: state, bundle: "ran"})
	}
	version, err := os.ReadFile(filepath.Join(out, "app/version.txt"))
	if want := "commit f00d, build 1\n"; err != nil || string(version) != want {
		t.Errorf("version.txt: %q, %v; want %q", version, err, want)
	}
	e.build("unchanged", map[string]string{install: "cached", bundle: "cached"})
	e.change("src/server.js", "// more\n")
	e.build("source", map[string]string{install: "cached", bundle: "ran"})
	e.elsewhere()
	for _, number := range []string{"2", "3"} {
		e.b.Args["BUILD_NUMBER"] = number
		e.build("elsewhere, another number", map[string]string{install: "ran", bundle: "ran"})
	}
}

// TestAllExamplesAreTested fails when an example has no test above.
func TestAllExamplesAreTested(t *testing.T) {
	root, err := sandbox.RepoRoot()
	if err != nil {
		t.Fatal(err)
	}
	tested := []string{"apt", "build-arguments", "ci", "fresh-data", "go-service", "layers", "multi-platform", "release", "secrets", "stage-filter"}
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
