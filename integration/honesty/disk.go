package honesty

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// fileEdit is one change of a directory tree. A zero Mode removes the file.
type fileEdit struct {
	Path string
	File
	ModeOnly bool
}

// diffFiles returns what makes the tree old to the tree new, sorted by path.
func diffFiles(old, new map[string]File) []fileEdit {
	var out []fileEdit
	for path, f := range new {
		was, ok := old[path]
		if !ok || was != f {
			out = append(out, fileEdit{Path: path, File: f, ModeOnly: ok && was.Content == f.Content})
		}
	}
	for path := range old {
		if _, ok := new[path]; !ok {
			out = append(out, fileEdit{Path: path})
		}
	}
	slices.SortFunc(out, func(a, b fileEdit) int { return strings.Compare(a.Path, b.Path) })
	return out
}

// disk returns all files of a state below the world's directory: the projects, and
// beside each one its directory for the named context lib.
func (s *State) disk(image, web string) map[string]File {
	out := map[string]File{}
	for _, p := range s.Projects {
		for name, f := range p.Tree(image, web) {
			out[p.Dir+"/"+name] = f
		}
		for name, f := range p.Lib {
			out[libDir(p)+"/"+name] = f
		}
	}
	return out
}

func libDir(p *Project) string { return p.Dir + "-lib" }

// apply makes the changes below root. Files that stay as they are are not touched,
// and directories that are empty afterwards are removed.
func apply(root string, edits []fileEdit) error {
	for _, e := range edits {
		path := filepath.Join(root, e.Path)
		if err := e.apply(root, path); err != nil {
			return err
		}
	}
	return nil
}

func (e fileEdit) apply(root, path string) error {
	switch {
	case e.Mode == 0:
		if err := os.Remove(path); err != nil {
			return err
		}
		for dir := filepath.Dir(path); dir != root; dir = filepath.Dir(dir) {
			if os.Remove(dir) != nil {
				break // it has other files
			}
		}
		return nil
	case e.ModeOnly:
	default:
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(e.Content), fs.FileMode(0o644)); err != nil {
			return err
		}
	}
	return os.Chmod(path, e.Mode)
}

// sortedNames returns the keys of a map in order.
func sortedNames[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
