package fields_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cachewright/cachewright/cachepolicy/fields"
	"github.com/cachewright/cachewright/cachepolicy/fieldspec"
	"github.com/cachewright/cachewright/integration/sandbox"
)

// registry serves the packages left and right, each in two versions.
func registry(t *testing.T) string {
	t.Helper()
	tarballs := map[string][]byte{}
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	for _, name := range []string{"left", "right"} {
		versions := map[string]any{}
		for _, version := range []string{"1.0.0", "1.1.0"} {
			file := fmt.Sprintf("/%s/-/%s-%s.tgz", name, name, version)
			data := tarball(t, map[string]string{
				"package/package.json": fmt.Sprintf(`{"name":%q,"version":%q,"license":"MIT"}`, name, version),
				"package/index.js":     fmt.Sprintf("module.exports = %q\n", version),
			})
			tarballs[file] = data
			sum := sha512.Sum512(data)
			versions[version] = map[string]any{"name": name, "version": version, "license": "MIT", "dist": map[string]string{
				"tarball": server.URL + file, "integrity": "sha512-" + base64.StdEncoding.EncodeToString(sum[:]),
			}}
		}
		doc, err := json.Marshal(map[string]any{"name": name, "dist-tags": map[string]string{"latest": "1.1.0"}, "versions": versions})
		if err != nil {
			t.Fatal(err)
		}
		mux.HandleFunc("/"+name, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(doc) })
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if data, ok := tarballs[r.URL.Path]; ok {
			_, _ = w.Write(data)
			return
		}
		http.NotFound(w, r)
	})
	return server.URL
}

func tarball(t *testing.T, files map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	zip := gzip.NewWriter(&b)
	archive := tar.NewWriter(zip)
	for name, text := range files {
		if err := archive.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(text))}); err != nil {
			t.Fatal(err)
		}
		if _, err := archive.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	if err := zip.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// command runs a program in a directory, with a home of its own, and returns its
// output and whether it succeeded.
func command(t *testing.T, dir, program string, args ...string) (string, bool) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "npm_config_cache="+filepath.Join(t.TempDir(), "npm"), "npm_config_update_notifier=false", "CARGO_TARGET_DIR="+filepath.Join(dir, "target"))
	out, err := cmd.CombinedOutput()
	return string(out), err == nil
}

func must(t *testing.T, dir, program string, args ...string) {
	t.Helper()
	if out, ok := command(t, dir, program, args...); !ok {
		t.Fatalf("%s %s in %s:\n%s", program, strings.Join(args, " "), dir, out)
	}
}

// tree is a project: its files by their paths.
type tree map[string]string

// write writes the files into a new directory.
func (f tree) write(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range f {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func (f tree) copy() tree { return maps.Clone(f) }

// reduced returns the files with the given ones reduced.
func (f tree) reduced(t *testing.T, preset string, names ...string) tree {
	t.Helper()
	spec, err := fieldspec.Parse(strings.Split(preset, ","))
	if err != nil {
		t.Fatal(err)
	}
	var files []fields.File
	for _, name := range names {
		files = append(files, fields.File{Path: name, Data: []byte(f[name])})
	}
	list, err := fields.Reduce(spec, files)
	if err != nil {
		t.Fatal(err)
	}
	out := f.copy()
	for _, r := range list {
		out[r.Path] = string(r.Data)
	}
	return out
}

// files lists what is below a directory: contents and the targets of links.
func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		rel, _ := filepath.Rel(dir, p)
		switch {
		case err != nil || d.IsDir():
			return err
		case d.Type()&fs.ModeSymlink != 0:
			out[rel], err = os.Readlink(p)
		case rel == ".package-lock.json":
			out[rel] = ownVersionsGone(t, read(t, p))
		default:
			out[rel] = read(t, p)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// ownVersionsGone returns what npm writes down of an installed tree without the
// versions of the project's own packages, which are what is left out.
func ownVersionsGone(t *testing.T, text string) string {
	t.Helper()
	var lock map[string]any
	if err := json.Unmarshal([]byte(text), &lock); err != nil {
		t.Fatal(err)
	}
	delete(lock, "version")
	packages, _ := lock["packages"].(map[string]any)
	for dir, p := range packages {
		if !strings.Contains(dir, "node_modules/") {
			for _, key := range []string{"version", "license"} {
				delete(p.(map[string]any), key)
			}
		}
	}
	out, err := json.Marshal(lock)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

var npmProject = tree{
	"package.json": `{"name":"root","version":"1.0.0","description":"d","private":true,"license":"MIT","workspaces":["packages/*"],
		"scripts":{"test":"true","postinstall":"mkdir -p node_modules && echo installed > node_modules/ran"},"dependencies":{"left":"^1.0.0"},"jest":{"a":1}}`,
	"packages/a/package.json": `{"name":"a","version":"1.0.0","license":"MIT","dependencies":{"b":"^1.0.0","right":"1.0.0"}}`,
	"packages/b/package.json": `{"name":"b","version":"1.0.0","author":"x"}`,
	"packages/c/package.json": `{"name":"c","version":"3.0.0","dependencies":{"a":"*"}}`,
}

var npmManifests = []string{"package.json", "packages/a/package.json", "packages/b/package.json", "packages/c/package.json"}

// TestNPM installs from the whole files and from the fields: the trees are the same,
// npm takes manifest and lock file for a pair, and a release has the same fields.
func TestNPM(t *testing.T) {
	if err := sandbox.RequirePrograms(t.Context(), map[string]string{"npm": "npm"}); err != nil {
		t.Fatal(err)
	}
	url := registry(t)
	locked := func(f tree) tree {
		dir := f.write(t)
		must(t, dir, "npm", "install", "--package-lock-only", "--lockfile-version=3", "--registry="+url, "--no-audit", "--no-fund")
		out := f.copy()
		out["package-lock.json"] = read(t, dir, "package-lock.json")
		return out
	}
	install := func(f tree) map[string]string {
		dir := f.write(t)
		must(t, dir, "npm", "ci", "--registry="+url, "--no-audit", "--no-fund")
		return files(t, filepath.Join(dir, "node_modules"))
	}
	all := append(npmManifests, "package-lock.json")
	whole := locked(npmProject)
	short := whole.reduced(t, "npm", all...)
	want := install(whole)
	if len(want) < 8 || want["ran"] == "" {
		t.Fatalf("npm installed little: %v", want)
	}
	for _, preset := range []string{"npm", "npm,noscripts"} {
		if diff := cmp.Diff(want, install(whole.reduced(t, preset, all...))); diff != "" {
			t.Errorf("%s installs something else (-whole +fields):\n%s", preset, diff)
		}
	}

	release := npmProject.copy()
	for _, edit := range [][2]string{{`"version":"1.0.0","description":"d"`, `"version":"1.1.0","description":"e"`}, {`"a":1`, `"a":2`}} {
		release["package.json"] = strings.ReplaceAll(release["package.json"], edit[0], edit[1])
	}
	release["packages/c/package.json"] = strings.ReplaceAll(release["packages/c/package.json"], "3.0.0", "4.0.0")
	if diff := cmp.Diff(short, locked(release).reduced(t, "npm", all...)); diff != "" {
		t.Errorf("a release has other fields:\n%s", diff)
	}

	// The pair is checked: npm refuses a manifest that asks for something else.
	broken := whole.reduced(t, "npm", all...)
	broken["package.json"] = strings.ReplaceAll(broken["package.json"], `"left":"^1.0.0"`, `"left":"1.0.0"`)
	if out, ok := command(t, broken.write(t), "npm", "ci", "--registry="+url, "--no-audit", "--no-fund"); ok || !strings.Contains(out, "in sync") {
		t.Errorf("npm ci takes another dependency with the old lock file:\n%s", out)
	}
}

var cargoProject = tree{
	"Cargo.toml": "[workspace]\nmembers = ['app', 'lib']\nresolver = '2'\n[workspace.package]\nversion = '1.2.0'\ndescription = 'd'\n",
	"app/Cargo.toml": "[package]\nname = 'app'\nversion.workspace = true\ndescription.workspace = true\nedition = '2021'\nauthors = ['x']\n" +
		"[dependencies]\nlib = { path = '../lib', version = '1.2' }\nleft = '1.0'\n",
	"app/src/main.rs":                  "fn main() { println!(\"{}\", lib::f()) }\n",
	"lib/Cargo.toml":                   "[package]\nname = 'lib'\nversion = '1.2.0'\nedition = '2021'\nlicense = 'MIT'\n",
	"lib/src/lib.rs":                   "pub fn f() -> u32 { 1 }\n",
	".cargo/config.toml":               "[source.crates-io]\nreplace-with = 'vendored'\n[source.vendored]\ndirectory = 'vendor'\n",
	"vendor/left/Cargo.toml":           "[package]\nname = 'left'\nversion = '1.0.3'\nedition = '2021'\n",
	"vendor/left/src/lib.rs":           "",
	"vendor/left/.cargo-checksum.json": `{"files":{},"package":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}`,
}

// TestCargo builds a workspace with a path dependency and a vendored crate, offline,
// with the lock file as it is.
func TestCargo(t *testing.T) {
	if err := sandbox.RequirePrograms(t.Context(), map[string]string{"cargo": "cargo"}); err != nil {
		t.Fatal(err)
	}
	locked := func(f tree) tree {
		dir := f.write(t)
		must(t, dir, "cargo", "generate-lockfile", "--offline")
		out := f.copy()
		out["Cargo.lock"] = read(t, dir, "Cargo.lock")
		return out
	}
	manifests := []string{"Cargo.toml", "app/Cargo.toml", "lib/Cargo.toml", "Cargo.lock"}
	whole := locked(cargoProject)
	short := whole.reduced(t, "cargo", manifests...)
	for what, f := range map[string]tree{"whole": whole, "fields": short} {
		if out, ok := command(t, f.write(t), "cargo", "build", "--offline", "--locked"); !ok {
			t.Errorf("%s: %s", what, out)
		}
	}
	release := cargoProject.copy()
	release["Cargo.toml"] = strings.ReplaceAll(release["Cargo.toml"], "1.2.0", "1.3.0")
	release["lib/Cargo.toml"] = strings.ReplaceAll(release["lib/Cargo.toml"], "1.2.0", "1.2.1")
	if diff := cmp.Diff(short, locked(release).reduced(t, "cargo", manifests...)); diff != "" {
		t.Errorf("a release has other fields:\n%s", diff)
	}
	changed := short.copy()
	changed["app/Cargo.toml"] = strings.ReplaceAll(changed["app/Cargo.toml"], "1.0", "2.0")
	if out, ok := command(t, changed.write(t), "cargo", "build", "--offline", "--locked"); ok {
		t.Errorf("another dependency builds with the old lock file:\n%s", out)
	}
}
