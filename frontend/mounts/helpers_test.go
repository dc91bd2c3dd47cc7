package mounts

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

const noLimit = 1 << 30

// tree describes all that counts of what is in a directory, one line for each file.
func tree(t *testing.T, dir string) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		var st unix.Stat_t
		if err := unix.Lstat(path, &st); err != nil {
			return err
		}
		line := fmt.Sprintf("%s %o %d:%d %d", name, st.Mode, st.Uid, st.Gid, st.Mtim.Nano())
		switch st.Mode & unix.S_IFMT {
		case unix.S_IFREG:
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			line += fmt.Sprintf(" links=%d %q", st.Nlink, data)
			list := make([]byte, 1<<10)
			n, err := unix.Listxattr(path, list)
			if err != nil {
				return err
			}
			for _, attr := range strings.Split(strings.TrimRight(string(list[:n]), "\x00"), "\x00") {
				value := make([]byte, 1<<10)
				if n, err := unix.Getxattr(path, attr, value); err == nil {
					line += fmt.Sprintf(" %s=%x", attr, value[:n])
				}
			}
		case unix.S_IFLNK:
			target, err := os.Readlink(path)
			if err != nil {
				return err
			}
			line += " -> " + target
		}
		out = append(out, line)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// write makes files in a directory; a name that ends in a slash is a directory.
func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, data := range files {
		path := filepath.Join(dir, name)
		parent := filepath.Dir(path)
		if strings.HasSuffix(name, "/") {
			parent = path
		}
		must(t, os.MkdirAll(parent, 0o755))
		if parent != path {
			must(t, os.WriteFile(path, []byte(data), 0o644))
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func openRoot(t *testing.T, dir string) *os.Root {
	t.Helper()
	root, err := os.OpenRoot(dir)
	must(t, err)
	t.Cleanup(func() { root.Close() })
	return root
}

// saves is a mount and the layers that were saved of it.
type saves struct {
	t      *testing.T
	dir    string
	chain  *Chain
	layers map[string]string // by ID, the directory
}

func newSaves(t *testing.T) *saves {
	return &saves{t: t, dir: t.TempDir(), layers: map[string]string{}}
}

// save saves the mount and reports whether there was anything to save.
func (s *saves) save(max int64) bool {
	s.t.Helper()
	out := s.t.TempDir()
	last := ""
	if s.chain != nil {
		last = s.layers[s.chain.last().ID]
	}
	chain, err := save(openRoot(s.t, s.dir), "m", s.chain, last, max, filepath.Join(out, LayerName))
	must(s.t, err)
	if chain == nil {
		return false
	}
	s.chain = chain
	s.layers[chain.last().ID] = out
	return true
}

func (s *saves) dirs() []string {
	var out []string
	for _, l := range s.chain.Layers {
		out = append(out, s.layers[l.ID])
	}
	return out
}

// restored restores what was saved into an empty directory and returns that.
func (s *saves) restored() string {
	s.t.Helper()
	dir := s.t.TempDir()
	if _, err := restore(openRoot(s.t, dir), s.chain, s.dirs(), noLimit); err != nil {
		s.t.Fatal(err)
	}
	return dir
}

// compare fails if a restored directory is not as the mount.
func (s *saves) compare() {
	s.t.Helper()
	want, got := tree(s.t, s.dir), tree(s.t, s.restored())
	if !slices.Equal(want, got) {
		s.t.Errorf("restored\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

func touch(t *testing.T, path string, at time.Time) {
	t.Helper()
	must(t, os.Chtimes(path, at, at))
}
