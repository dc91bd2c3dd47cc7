package fields_test

import (
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cachewright/cachewright/cachepolicy/fields"
	"github.com/cachewright/cachewright/cachepolicy/fieldspec"
)

// tree is a project: its files by their paths.
type tree map[string]string

// write writes the files into a new directory.
func (f tree) write(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	f.writeTo(t, dir)
	return dir
}

// writeTo writes the files into a directory.
func (f tree) writeTo(t *testing.T, dir string) {
	t.Helper()
	for name, text := range f {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// with returns the files with others in their places.
func (f tree) with(others tree) tree {
	out := maps.Clone(f)
	maps.Copy(out, others)
	return out
}

// edited returns the files with texts replaced.
func (f tree) edited(t *testing.T, edits ...edit) tree {
	t.Helper()
	out := maps.Clone(f)
	for _, e := range edits {
		if !strings.Contains(out[e.file], e.old) {
			t.Fatalf("%s has no %q:\n%s", e.file, e.old, out[e.file])
		}
		out[e.file] = strings.ReplaceAll(out[e.file], e.old, e.text)
	}
	return out
}

// reduced returns the files with those that patterns match reduced.
func (f tree) reduced(t *testing.T, preset string, patterns ...string) tree {
	t.Helper()
	spec, err := fieldspec.Parse(strings.Split(preset, ","))
	if err != nil {
		t.Fatal(err)
	}
	var list []fields.File
	for _, name := range slices.Sorted(maps.Keys(f)) {
		if slices.ContainsFunc(patterns, func(p string) bool { ok, _ := path.Match(p, name); return ok }) {
			list = append(list, fields.File{Path: name, Data: []byte(f[name])})
		}
	}
	reduced, err := fields.Reduce(spec, list)
	if err != nil {
		t.Fatal(err)
	}
	out := tree{}
	for _, r := range reduced {
		out[r.Path] = string(r.Data)
	}
	return f.with(out)
}

// differing returns the files in which two trees differ, and whether there are none.
func differing(a, b tree) ([]string, bool) {
	var out []string
	for name := range a.with(b) {
		old, had := a[name]
		if now, has := b[name]; had != has || old != now {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out, len(out) == 0
}

// files lists what is below a directory: contents and the targets of links.
func files(t testing.TB, dir string) tree {
	t.Helper()
	out := tree{}
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		rel, _ := filepath.Rel(dir, p)
		switch {
		case err != nil:
			return err
		case d.IsDir() && d.Name() == "__pycache__":
			return fs.SkipDir
		case d.IsDir():
			return nil
		case d.Type()&fs.ModeSymlink != 0:
			out[rel], err = os.Readlink(p)
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
