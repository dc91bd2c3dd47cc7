package rules_test

import (
	"archive/tar"
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/moby/buildkit/client"

	"github.com/cachewright/cachewright/integration/sandbox"
	"github.com/cachewright/cachewright/integration/scenario"
)

// landing has every flag of COPY and ADD beside modes=ignore.
const landing = `FROM scratch
# cache=modes=ignore
COPY src /tree
# cache=modes=ignore
COPY --chmod=600 --chown=1:2 src/run src/dir/in* /octal/
# cache=modes=ignore
COPY --chmod=g+w src/run src/dir /symbolic/
# cache=modes=ignore
COPY --parents --exclude=**/excluded src/./dir src/r* /parents/
# cache=modes=ignore
COPY --link src/run src/link /link/
# cache=modes=ignore
ADD src/*.tar src/run /unpacked/
# cache=modes=ignore
ADD --unpack=false src/a.tar /packed/
# cache=modes=ignore
COPY src/run <<END /mixed/
text
END
`

// landed is what landing makes of the context, whatever its modes: the mode, the
// owner, and a link's target. What an archive has inside keeps its modes.
var landed = map[string]string{
	"tree/": "755 0:0", "tree/file": "644 0:0", "tree/run": "755 0:0", "tree/link": "777 0:0 -> dir/inner", "tree/a.tar": "644 0:0",
	"tree/dir/": "755 0:0", "tree/dir/inner": "644 0:0", "tree/dir/excluded": "644 0:0",
	"octal/": "600 1:2", "octal/run": "600 1:2", "octal/inner": "600 1:2",
	"symbolic/": "755 0:0", "symbolic/run": "775 0:0", "symbolic/inner": "664 0:0", "symbolic/excluded": "664 0:0",
	"parents/": "755 0:0", "parents/dir/": "755 0:0", "parents/dir/inner": "644 0:0",
	"parents/src/": "755 0:0", "parents/src/run": "755 0:0",
	"link/": "755 0:0", "link/run": "755 0:0", "link/link": "644 0:0",
	"unpacked/": "755 0:0", "unpacked/inside": "4711 3:4", "unpacked/run": "755 0:0",
	"packed/": "755 0:0", "packed/a.tar": "644 0:0",
	"mixed/": "755 0:0", "mixed/run": "755 0:0", "mixed/END": "644 0:0",
}

// TestModesLanding builds two checkouts that differ in their modes, on two daemons
// that share a remote cache. Both give the same files, and the second build takes
// all steps from the cache.
func TestModesLanding(t *testing.T) {
	t.Parallel()
	one := scenario.Start(t)
	two := sandbox.New(t, sandbox.Options{Registry: one.Registry()})
	imports, exports := one.RegistryCache("rules/modes:1", "max")
	unique := rand.Text()
	for _, build := range []struct {
		on         *sandbox.Sandbox
		file, exec os.FileMode
		state      string
	}{{one, 0o644, 0o775, "ran"}, {one, 0o600, 0o700, "cached"}, {two, 0o666, 0o711, "cached"}} {
		b := sandbox.Build{Frontend: sandbox.FrontendRef, Context: checkout(t, unique, build.file, build.exec)}
		out := filepath.Join(t.TempDir(), "out.tar")
		b.Exports = []client.ExportEntry{sandbox.ExportTar(out)}
		b.CacheImports = []client.CacheOptionsEntry{imports}
		if build.state == "ran" {
			b.CacheImports, b.CacheExports = nil, []client.CacheOptionsEntry{exports}
		}
		r, err := build.on.Solve(t.Context(), b)
		if err != nil {
			t.Fatalf("%v\n%s", err, r)
		}
		for _, s := range r.Steps {
			if strings.HasPrefix(s.Name, "[stage-0 ") && s.State() != build.state {
				t.Errorf("checkout with modes %o and %o: %q: %s, want %s", build.file, build.exec, s.Name, s.State(), build.state)
			}
		}
		if d := cmp.Diff(landed, listTar(t, out)); d != "" {
			t.Errorf("checkout with modes %o and %o: -want +got\n%s", build.file, build.exec, d)
		}
	}
}

// checkout writes the context of landing with these modes for files and for
// directories and executables.
func checkout(t *testing.T, unique string, file, exec os.FileMode) string {
	t.Helper()
	dir := sandbox.Files(t, map[string]string{
		"Dockerfile": landing, "src/file": "file", "src/run": "#!/bin/sh\n# " + unique, "src/a.tar": archive(t),
		"src/dir/inner": "inner", "src/dir/excluded": "excluded",
	})
	for name, mode := range map[string]os.FileMode{
		"src": exec, "src/dir": exec, "src/run": exec,
		"src/file": file, "src/a.tar": file, "src/dir/inner": file, "src/dir/excluded": file,
	} {
		if err := os.Chmod(filepath.Join(dir, name), mode); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("dir/inner", filepath.Join(dir, "src/link")); err != nil {
		t.Fatal(err)
	}
	return dir
}

// archive returns a tar file.
func archive(t *testing.T) string {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	if err := errors.Join(w.WriteHeader(&tar.Header{Name: "inside", Mode: 0o4711, Uid: 3, Gid: 4}), w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// listTar describes what is in a tar file.
func listTar(t *testing.T, name string) map[string]string {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	found := map[string]string{}
	for r := tar.NewReader(f); ; {
		h, err := r.Next()
		if err == io.EOF {
			return found
		}
		if err != nil {
			t.Fatal(err)
		}
		found[h.Name] = fmt.Sprintf("%o %d:%d", h.Mode, h.Uid, h.Gid)
		if h.Linkname != "" {
			found[h.Name] += " -> " + h.Linkname
		}
	}
}

// TestModesOnPlatforms builds for two platforms at once, which share the copy of
// the context, and again with other modes.
func TestModesOnPlatforms(t *testing.T) {
	t.Parallel()
	p := newProject(t, scenario.Start(t), rebuild{
		Dockerfile: "FROM scratch\n# cache=modes=ignore\nCOPY src /src\n",
		Files:      map[string]string{"src/file": rand.Text()},
		Options:    sandbox.Build{Attrs: map[string]string{"platform": "linux/amd64,linux/arm64"}},
	})
	for _, want := range []string{"ran", "cached"} {
		r := p.Solve()
		found := map[string]string{}
		for _, s := range r.Steps {
			if strings.HasSuffix(s.Name, "COPY src /src") || strings.HasSuffix(s.Name, "without file modes") {
				_, text, _ := strings.Cut(s.Name, "] ")
				found[text] = s.State()
			}
		}
		// Both platforms have the same step, which is named after either.
		if d := cmp.Diff(map[string]string{
			"build context without file modes": "ran", "COPY src /src": want,
		}, found); d != "" {
			t.Errorf("-want +got\n%s\n%s", d, r)
		}
		mask(p, 0o077)
	}
}
