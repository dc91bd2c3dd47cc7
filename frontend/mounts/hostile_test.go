package mounts

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// archiveFile is a file of a layer that somebody made.
type archiveFile struct {
	header tar.Header
	data   string
}

// forge makes a layer, and the chain that points to it, out of an index and more files.
func forge(t testing.TB, index string, files ...archiveFile) (*Chain, string) {
	t.Helper()
	dir := t.TempDir()
	var buf bytes.Buffer
	z, err := zstd.NewWriter(&buf)
	if err != nil {
		t.Fatal(err)
	}
	w := tar.NewWriter(z)
	files = append([]archiveFile{{tar.Header{Name: indexName, Typeflag: tar.TypeReg}, index}}, files...)
	for _, f := range files {
		f.header.Mode = 0o600
		if f.header.Typeflag == tar.TypeReg {
			f.header.Size = int64(len(f.data))
		}
		if err := w.WriteHeader(&f.header); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(f.data)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, LayerName), buf.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return &Chain{Mount: "m", Index: digestOf([]byte(index)), Layers: []Layer{{ID: NewID()}}}, dir
}

func indexOf(entries ...string) string {
	return `{"version":1,"mount":"m","entries":[` + strings.Join(entries, ",") + `]}`
}

func content(data string) archiveFile {
	return archiveFile{tar.Header{Name: digestOf([]byte(data)), Typeflag: tar.TypeReg}, data}
}

func fileEntry(path, data string) string {
	p, _ := json.Marshal(path)
	return fmt.Sprintf(`{"path":%s,"kind":"file","mode":420,"size":%d,"data":"%s"}`, p, len(data), digestOf([]byte(data)))
}

// hostile are layers as nobody saves them. Each comes with what the error has to say.
var hostile = []struct {
	name, index string
	files       []archiveFile
	want        string
}{
	{"up", indexOf(fileEntry("../escape", "x")), []archiveFile{content("x")}, "not a path in the mount"},
	{"up within", indexOf(`{"path":"a","kind":"dir"}`, fileEntry("a/../../escape", "x")), []archiveFile{content("x")}, "not a path in the mount"},
	{"absolute", indexOf(fileEntry("/escape", "x")), []archiveFile{content("x")}, "not a path in the mount"},
	{"the mount itself", indexOf(`{"path":".","kind":"dir","mode":511}`), nil, "not a path in the mount"},
	{"no path", indexOf(`{"path":"","kind":"dir","mode":511}`), nil, "not a path in the mount"},
	{"zero byte", indexOf(fileEntry("a\x00b", "x")), nil, "not a path in the mount"},
	{"our own name", indexOf(`{"path":"` + tempPrefix + `1","kind":"dir"}`), nil, "not a path in the mount"},
	{"through a link", indexOf(`{"path":"a","kind":"sym","target":"OUTSIDE"}`, fileEntry("a/escape", "x")), []archiveFile{content("x")}, "not in a directory"},
	{"through a file", indexOf(fileEntry("a", "x"), fileEntry("a/b", "x")), []archiveFile{content("x")}, "not in a directory"},
	{"twice", indexOf(`{"path":"a","kind":"sym","target":"OUTSIDE"}`, fileEntry("a", "x")), []archiveFile{content("x")}, "there twice"},
	{"without a directory", indexOf(fileEntry("a/b", "x")), []archiveFile{content("x")}, "not in a directory"},
	{"link out", indexOf(`{"path":"a","kind":"link","target":"../escape"}`), nil, "a link to no file"},
	{"link to a link", indexOf(`{"path":"a","kind":"sym","target":"OUTSIDE/secret"}`, `{"path":"b","kind":"link","target":"a"}`), nil, "a link to no file"},
	{"device", indexOf(`{"path":"a","kind":"device"}`), nil, "unknown kind"},
	{"mode", indexOf(`{"path":"a","kind":"dir","mode":4294967295}`), nil, "not an owner and mode"},
	{"owner", indexOf(`{"path":"a","kind":"dir","uid":-1}`), nil, "not an owner and mode"},
	{"xattr", indexOf(`{"path":"a","kind":"dir","xattrs":{"trusted.overlay.redirect":"eA=="}}`), nil, "not an extended attribute"},
	{"size below zero", indexOf(`{"path":"a","kind":"file","size":-1}`), nil, "a file without content"},
	{"more than there is", indexOf(`{"path":"a","kind":"file","size":1099511627776,"data":"` + digestOf(nil) + `"}`), nil, "at most"},
	{"another mount's", strings.Replace(indexOf(), `"m"`, `"other"`, 1), nil, `of mount "other"`},
	{"newer", strings.Replace(indexOf(), `"version":1`, `"version":2`, 1), nil, "version 2"},
	{"no JSON", "hello", nil, "index:"},
	{"content missing", indexOf(fileEntry("a", "x")), nil, "contents of 1 files are missing"},
	{"other content", indexOf(fileEntry("a", "x")), []archiveFile{{tar.Header{Name: digestOf([]byte("x")), Typeflag: tar.TypeReg}, "y"}}, "has another content"},
	{"content too long", indexOf(fileEntry("a", "x")), []archiveFile{{tar.Header{Name: digestOf([]byte("x")), Typeflag: tar.TypeReg}, "xx"}}, "has 2 bytes, want 1"},
	{"two sizes", indexOf(fileEntry("a", "x"), strings.Replace(fileEntry("b", "x"), `"size":1`, `"size":2`, 1)), []archiveFile{content("x")}, "two sizes"},
	{"link in the archive", indexOf(fileEntry("a", "x")), []archiveFile{{tar.Header{Name: digestOf([]byte("x")), Typeflag: tar.TypeSymlink, Linkname: "OUTSIDE"}, ""}}, "is not a file"},
}

// Nothing that others put into a cache leaves a trace, in the mount or outside.
func TestHostile(t *testing.T) {
	for _, c := range hostile {
		t.Run(c.name, func(t *testing.T) {
			parent := t.TempDir()
			write(t, parent, map[string]string{"outside/secret": "s", "mount/": ""})
			before := tree(t, parent)
			chain, dir := forge(t, strings.ReplaceAll(c.index, "OUTSIDE", filepath.Join(parent, "outside")), c.files...)
			_, err := restore(openRoot(t, filepath.Join(parent, "mount")), chain, []string{dir}, noLimit)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if after := tree(t, parent); !slices.Equal(withoutTimes(after), withoutTimes(before)) {
				t.Errorf("left %q", after)
			}
		})
	}
}

func withoutTimes(lines []string) []string {
	var out []string
	for _, l := range lines {
		f := strings.Fields(l)
		out = append(out, f[0]+" "+f[1])
	}
	return out
}

// A layer that was cut short, or of which any byte was changed, is not restored, or
// restored as it was.
func TestDamaged(t *testing.T) {
	s := newSaves(t)
	write(t, s.dir, map[string]string{"a": strings.Repeat("abc", 100), "b/c": "d"})
	s.save(noLimit)
	layer := filepath.Join(s.dirs()[0], LayerName)
	whole, err := os.ReadFile(layer)
	must(t, err)
	want := tree(t, s.dir)
	try := func(what string, data []byte) {
		t.Helper()
		must(t, os.WriteFile(layer, data, 0o644))
		dir := t.TempDir()
		_, err := restore(openRoot(t, dir), s.chain, s.dirs(), noLimit)
		got := tree(t, dir)
		if err != nil && len(got) != 0 || err == nil && !slices.Equal(got, want) {
			t.Errorf("%s: %v, restored %q", what, err, got)
		}
	}
	for n := range whole {
		try(fmt.Sprintf("%d bytes of %d", n, len(whole)), whole[:n])
		damaged := slices.Clone(whole)
		damaged[n] ^= 0x10
		try(fmt.Sprintf("byte %d changed", n), damaged)
	}
	for name, other := range map[string]func(string) error{
		"none":           func(string) error { return nil },
		"a directory":    func(p string) error { return os.Mkdir(p, 0o755) },
		"a link outside": func(p string) error { return os.Symlink("/etc/passwd", p) },
	} {
		must(t, os.RemoveAll(layer))
		must(t, other(layer))
		dir := t.TempDir()
		if _, err := restore(openRoot(t, dir), s.chain, s.dirs(), noLimit); err == nil || len(tree(t, dir)) != 0 {
			t.Errorf("%s: restored", name)
		}
	}
}

// A small layer that becomes a large one is read as far as a mount can be large.
func TestBomb(t *testing.T) {
	bomb := strings.Repeat("\x00", 64<<20)
	chain, dir := forge(t, indexOf(fileEntry("a", "x")), archiveFile{tar.Header{Name: "bomb", Typeflag: tar.TypeReg}, bomb}, content("x"))
	r, err := openLayer(dir, 1-maxOverhead)
	must(t, err)
	defer r.close()
	if _, err := r.readIndex(chain); err == nil {
		t.Error("read more than was allowed")
	}
	info, err := os.Stat(filepath.Join(dir, LayerName))
	must(t, err)
	if info.Size() > 1<<20 {
		t.Errorf("the bomb has %d bytes", info.Size())
	}
	if n, err := restore(openRoot(t, t.TempDir()), chain, []string{dir}, noLimit); n != 1 || err != nil {
		t.Errorf("what is within the limit: %d, %v", n, err)
	}
}

func TestPointer(t *testing.T) {
	good := Chain{Mount: "m", Index: digestOf(nil), Layers: []Layer{{ID: NewID(), Bytes: 3}}}
	p := Pointer{}.With(good).With(Chain{Mount: "n", Index: good.Index, Layers: good.Layers})
	p = p.With(good)
	data, err := p.Encode()
	must(t, err)
	back, err := DecodePointer(data)
	if err != nil || len(back.Chains) != 2 || back.Chain("m") == nil || back.Chain("x") != nil {
		t.Errorf("got %+v, %v", back, err)
	}
	if p, err := DecodePointer(nil); err != nil || len(p.Chains) != 0 {
		t.Errorf("no bytes: %+v, %v", p, err)
	}
	text := string(data)
	for name, bad := range map[string]string{
		"newer":         strings.Replace(text, `"version":1`, `"version":2`, 1),
		"no JSON":       text[:len(text)-1],
		"long":          text + strings.Repeat(" ", MaxPointerBytes),
		"twice":         strings.Replace(text, `"n"`, `"m"`, 1),
		"no layers":     `{"version":1,"chains":[{"mount":"m","index":"` + good.Index + `","layers":[]}]}`,
		"no ID":         strings.Replace(text, good.Layers[0].ID, "../../etc", 1),
		"digest":        strings.Replace(text, good.Index, strings.ToUpper(good.Index), 1),
		"below zero":    strings.Replace(text, `"bytes":3`, `"bytes":-3`, 1),
		"many layers":   `{"version":1,"chains":[{"mount":"m","index":"` + good.Index + `","layers":[` + strings.Repeat(`{"id":"`+good.Layers[0].ID+`","bytes":1},`, 20) + `{}]}]}`,
		"not an object": `[]`,
	} {
		if p, err := DecodePointer([]byte(bad)); err == nil || len(p.Chains) != 0 {
			t.Errorf("%s: %d chains, %v", name, len(p.Chains), err)
		}
	}
}

// Whatever an index says, what it makes stays in the mount.
func FuzzRestore(f *testing.F) {
	for _, c := range hostile {
		f.Add(c.index, "x")
	}
	f.Add(indexOf(`{"path":"d","kind":"dir"}`, fileEntry("d/a", "x"), `{"path":"d/b","kind":"link","target":"d/a"}`, `{"path":"s","kind":"sym","target":"d"}`), "x")
	f.Fuzz(func(t *testing.T, index, data string) {
		parent := t.TempDir()
		write(t, parent, map[string]string{"outside": "s", "mount/": ""})
		chain, dir := forge(t, index, content(data))
		n, err := restore(openRoot(t, filepath.Join(parent, "mount")), chain, []string{dir}, 1<<20)
		list, _ := os.ReadDir(parent)
		if secret, _ := os.ReadFile(filepath.Join(parent, "outside")); len(list) != 2 || string(secret) != "s" {
			t.Fatalf("changed something outside the mount: %v", list)
		}
		left, _ := os.ReadDir(filepath.Join(parent, "mount"))
		if err != nil && len(left) > 0 || err == nil && n > 0 && len(left) == 0 {
			t.Fatalf("%d entries, %v, and %d in the mount", n, err, len(left))
		}
	})
}

func FuzzDecodePointer(f *testing.F) {
	f.Add([]byte(`{"version":1,"chains":[{"mount":"m","index":"` + digestOf(nil) + `","layers":[{"id":"` + NewID() + `","bytes":1}]}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := DecodePointer(data)
		if err != nil && len(p.Chains) > 0 {
			t.Fatal("an error and chains")
		}
		for _, c := range p.Chains {
			if err := c.check(); err != nil {
				t.Fatal(err)
			}
		}
	})
}
