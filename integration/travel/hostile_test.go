package travel_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/cachewright/cachewright/integration/cacheapi"
)

// damages are what can be in a local cache instead of what was saved, each with what
// the warning says.
var damages = []struct {
	name   string
	damage func(t *testing.T, dir string)
	want   string
}{
	{"contents lost", inLayer(func([]byte) []byte { return nil }), "not restored: the cache has lost them"},
	{"contents cut short", inLayer(func(data []byte) []byte { return data[:len(data)/2] }), "not restored: "},
	{"contents of another mount", forged(`{"version":1,"mount":"another","entries":[]}`), `not restored: index: of mount "another"`},
	{"contents of a newer version", forged(`{"version":2,"mount":"$MOUNT","entries":[]}`), "not restored: index: version 2"},
	{"contents above the mount", forged(`{"version":1,"mount":"$MOUNT","entries":[{"path":"../list","kind":"sym","target":"/etc/passwd"}]}`), "not a path in the mount"},
	{"contents behind a link", forged(`{"version":1,"mount":"$MOUNT","entries":[{"path":"list","kind":"sym","target":"/"},{"path":"list/escape","kind":"dir"}]}`), "not in a directory of the mount"},
	{"contents that are too many", forged(`{"version":1,"mount":"$MOUNT","entries":[{"path":"list","kind":"file","size":3000000000,"data":"` + strings.Repeat("0", 64) + `"}]}`), "not restored: its files have 3GB, and CACHEWRIGHT_MOUNTS_MAX is 2GB"},
	{"contents are a link", linked("layer.tar.zst", "/etc/passwd"), "not restored: "},
	{"pointer of a newer version", inPointer(`"version":1`, `"version":9`), "cannot be read: pointer: version 9"},
	{"pointer without sense", func(t *testing.T, dir string) {
		rewrite(t, dir, "data", func(data []byte) []byte { return data[:len(data)/2] })
	}, "cannot be read: pointer: "},
	{"pointer to another mount", inPointer(`"index":"`, `"index":"00`), "cannot be read: pointer: "},
	{"pointer of 64 MB", func(t *testing.T, dir string) {
		rewrite(t, dir, "data", func([]byte) []byte { return make([]byte, 64<<20) })
	}, "cannot be read: "},
	{"pointer is a link", linked("data", "../../../../etc/passwd"), "cannot be read: "},
}

// What is put into the cache instead of what was saved is not restored, said once, and
// the build goes on with an empty mount, and saves that. TestEvicted has the build after.
func TestForeignCache(t *testing.T) {
	good := local(t, "mode", "max")
	p := newProject(t, good, counting)
	p.fresh()
	for _, n := range []string{"first", "0"} { // a client does not import what is not there
		p.Args["N"] = n
		p.build()
	}
	for _, d := range damages {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			p := *p
			p.t, p.transport = t, local(t, "mode", "max")
			dir := p.exports[0].Attrs["dest"]
			must(t, os.CopyFS(dir, os.DirFS(good.exports[0].Attrs["dest"])))
			d.damage(t, dir)
			p.fresh()
			p.Args = map[string]string{"N": "1"}
			files, r := p.build()
			if w := warnings(r); files["list"] != "1\n" || len(w) != 1 || !strings.Contains(w[0], d.want) {
				t.Errorf("got %q, %q, want %q\n%s", files["list"], w, d.want, r)
			}
			if !slices.Contains(own(r), "note saved cache mounts") {
				t.Errorf("did not save:\n%s", r)
			}
		})
	}
}

// GitHub forgets single blobs of a cache. That costs the contents, and neither the build
// nor its export, be there something to save or not. Without the pointer nobody knows that
// something was saved.
func TestEvicted(t *testing.T) {
	for file, warning := range map[string]string{"layer.tar.zst": "the cache has lost them", "data": ""} {
		t.Run(file, func(t *testing.T) {
			server := cacheapi.NewGitHub(t)
			p := newProject(t, github(server, server.Token(main), "max"), counting)
			for i, c := range []struct{ n, want string }{
				{"0", "0\n"}, {"0", "0\n"}, {"1", "1\n"}, {"2", "1\n2\n"},
			} {
				p.fresh()
				p.Args["N"] = c.n
				files, r := p.build()
				w := warnings(r)
				// In build 1 nobody needs the contents, but that may not be known.
				warned, may, must := len(w) == 1 && strings.Contains(w[0], warning), i == 1 || i == 2, i == 2 && warning != ""
				if files["list"] != c.want || len(w) > 0 && !warned || warned && !may || must && !warned {
					t.Errorf("build %d: got %q, want %q, %q\n%s", i, files["list"], c.want, w, r)
				}
				if i == 0 && server.Evict(func(blob []byte) bool { return len(inside(t, blob, file)) > 0 }) != 1 {
					t.Fatal("not evicted")
				}
			}
		})
	}
}

// inLayer changes the contents that were saved.
func inLayer(change func([]byte) []byte) func(*testing.T, string) {
	return func(t *testing.T, dir string) { rewrite(t, dir, "layer.tar.zst", change) }
}

// inPointer replaces text in what says what was saved.
func inPointer(old, text string) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		rewrite(t, dir, "data", func(data []byte) []byte { return bytes.Replace(data, []byte(old), []byte(text), 1) })
	}
}

// forged puts contents with another index in the place of those that were saved, and
// has the pointer say so.
func forged(index string) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		var name string
		rewrite(t, dir, "data", func(data []byte) []byte {
			var pointer struct {
				Chains []struct{ Mount, Index string }
			}
			decode(t, data, &pointer)
			name = pointer.Chains[0].Mount
			index = strings.ReplaceAll(index, "$MOUNT", name)
			return bytes.Replace(data, []byte(pointer.Chains[0].Index), []byte(digest.FromString(index).Encoded()), 1)
		})
		rewrite(t, dir, "layer.tar.zst", func([]byte) []byte {
			var out bytes.Buffer
			z, err := zstd.NewWriter(&out)
			must(t, err)
			w := tar.NewWriter(z)
			must(t, w.WriteHeader(&tar.Header{Name: "index.json", Typeflag: tar.TypeReg, Mode: 0o600, Size: int64(len(index))}))
			_, err = io.WriteString(w, index)
			must(t, err)
			must(t, w.Close())
			must(t, z.Close())
			return out.Bytes()
		})
	}
}

// linked puts a symbolic link in the place of a file.
func linked(name, target string) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		rewriteHeader(t, dir, name, func(h *tar.Header, _ []byte) []byte {
			h.Typeflag, h.Linkname = tar.TypeSymlink, target
			return []byte{}
		})
	}
}

// inside returns the contents of the file with a name in a layer that is compressed
// with gzip; none if there is no such layer or file.
func inside(t *testing.T, layer []byte, name string) []byte {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(layer))
	if err != nil {
		return nil
	}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if err == io.EOF {
			return nil
		}
		must(t, err)
		data, err := io.ReadAll(r)
		must(t, err)
		if isCalled(h, data, name) {
			return data
		}
	}
}

// recordName is what these functions call a record that travels: its file in a layer has
// the name of all that travels in this way.
const recordName = "record"

// isCalled reports whether a file in a layer is the one with a name.
func isCalled(h *tar.Header, data []byte, name string) bool {
	is := filepath.Base(h.Name)
	if is == "data" && bytes.HasPrefix(data, []byte("CWTRAVEL")) {
		is = recordName
	}
	return is == name
}

// rewrite changes a file in the layers of a local cache, and all digests along with it.
// Without data the file goes.
func rewrite(t *testing.T, dir, name string, change func([]byte) []byte) {
	t.Helper()
	rewriteHeader(t, dir, name, func(_ *tar.Header, data []byte) []byte { return change(data) })
}

// rewriteHeader is rewrite for what may become something other than a file.
func rewriteHeader(t *testing.T, dir, name string, change func(*tar.Header, []byte) []byte) {
	t.Helper()
	var top ocispecs.Index
	var manifest ocispecs.Manifest
	decode(t, readFile(t, filepath.Join(dir, "index.json")), &top)
	decode(t, readFile(t, blobPath(dir, top.Manifests[0].Digest)), &manifest)
	config := readFile(t, blobPath(dir, manifest.Config.Digest))
	found := false
	for i := range manifest.Layers {
		layer := &manifest.Layers[i]
		tarball, ok := changed(t, readFile(t, blobPath(dir, layer.Digest)), name, change)
		if !ok {
			continue
		}
		found = true
		var buf bytes.Buffer
		z := gzip.NewWriter(&buf)
		_, err := z.Write(tarball)
		must(t, err)
		must(t, z.Close())
		old := layer.Digest
		layer.Digest, layer.Size = addBlob(t, dir, buf.Bytes())
		layer.Annotations["containerd.io/uncompressed"] = digest.FromBytes(tarball).String()
		config = bytes.ReplaceAll(config, []byte(old), []byte(layer.Digest))
	}
	if !found {
		t.Fatalf("no layer has %s", name)
	}
	manifest.Config.Digest, manifest.Config.Size = addBlob(t, dir, config)
	top.Manifests[0].Digest, top.Manifests[0].Size = addBlob(t, dir, encode(t, manifest))
	must(t, os.WriteFile(filepath.Join(dir, "index.json"), encode(t, top), 0o644))
}

// changed returns a layer's archive with a file changed; false if it is not in there.
func changed(t *testing.T, layer []byte, name string, change func(*tar.Header, []byte) []byte) ([]byte, bool) {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(layer))
	must(t, err)
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	found := false
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		must(t, err)
		data, err := io.ReadAll(r)
		must(t, err)
		if isCalled(h, data, name) && len(data) > 0 {
			found = true
			if data = change(h, data); data == nil {
				continue
			}
			h.Size = int64(len(data))
		}
		must(t, w.WriteHeader(h))
		_, err = w.Write(data)
		must(t, err)
	}
	must(t, w.Close())
	return out.Bytes(), found
}

func blobPath(dir string, d digest.Digest) string {
	return filepath.Join(dir, "blobs", "sha256", d.Encoded())
}

func addBlob(t *testing.T, dir string, data []byte) (digest.Digest, int64) {
	t.Helper()
	d := digest.FromBytes(data)
	must(t, os.WriteFile(blobPath(dir, d), data, 0o644))
	return d, int64(len(data))
}
