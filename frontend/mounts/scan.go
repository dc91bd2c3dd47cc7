package mounts

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"runtime"
	"slices"
	"sync"

	"golang.org/x/sys/unix"
)

// tooLargeError says that a mount has more than is saved.
type tooLargeError struct{ size, max int64 }

func (e *tooLargeError) Error() string {
	return fmt.Sprintf("%d bytes of files, at most %d are saved", e.size, e.max)
}

// scan returns the index of a directory. It fails with a *tooLargeError if the files
// have more than max bytes. Files that go away meanwhile are left out, and so is
// what cannot be restored elsewhere: devices, pipes and sockets.
func scan(dir *os.Root, mount string, max int64) (*index, error) {
	s := &scanner{dir: dir, x: &index{Version: Version, Mount: mount, Entries: []entry{}}, names: map[inode]string{}}
	if err := s.list("."); err != nil {
		return nil, err
	}
	size, err := s.x.size()
	if err != nil {
		return nil, err
	}
	if size > max {
		return nil, &tooLargeError{size, max}
	}
	return s.x, s.digest()
}

type scanner struct {
	dir   *os.Root
	x     *index
	names map[inode]string // of files that have several: the first one
}

type inode struct{ dev, ino uint64 }

// list adds what is below a directory.
func (s *scanner) list(dir string) error {
	list, err := s.readDir(dir)
	if err != nil {
		return err
	}
	for _, item := range list {
		if dir == "." && isTemporary(item.Name()) {
			continue
		}
		name := path.Join(dir, item.Name())
		err := s.add(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *scanner) readDir(name string) ([]fs.DirEntry, error) {
	f, err := s.dir.OpenFile(name, os.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	list, err := f.ReadDir(-1)
	slices.SortFunc(list, func(a, b fs.DirEntry) int { return cmpName(a.Name(), b.Name()) })
	return list, err
}

func cmpName(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// add adds a file, or a directory with what is in it.
func (s *scanner) add(name string) error {
	info, err := s.dir.Lstat(name)
	if err != nil {
		return err
	}
	e := entry{Path: name}
	st, ok := statOf(info)
	if !ok {
		return fmt.Errorf("%s: no status", name)
	}
	switch mode := info.Mode(); {
	case mode.IsRegular():
		e.Kind, e.Size = kindFile, info.Size()
		at := inode{uint64(st.Dev), st.Ino}
		if first := s.names[at]; first != "" && st.Nlink > 1 {
			e.Kind, e.Size, e.Target = kindLink, 0, first
		} else if st.Nlink > 1 {
			s.names[at] = name
		}
	case mode.IsDir():
		e.Kind = kindDir
	case mode&fs.ModeSymlink != 0:
		e.Kind = kindSym
		if e.Target, err = s.dir.Readlink(name); err != nil {
			return err
		}
	default:
		return nil
	}
	if e.Kind != kindLink {
		if e.attributes, err = attributesOf(s.dir, name, e.Kind, st); err != nil {
			return err
		}
	}
	if len(s.x.Entries) == maxEntries {
		return fmt.Errorf("more than %d files", maxEntries)
	}
	s.x.Entries = append(s.x.Entries, e)
	if e.Kind == kindDir {
		return s.list(name)
	}
	return nil
}

// digest takes the digests of all files, a few at a time.
func (s *scanner) digest() error {
	next := make(chan *entry)
	var work sync.WaitGroup
	var once sync.Once
	var failed error
	for range runtime.GOMAXPROCS(0) {
		work.Go(func() {
			for e := range next {
				if err := digestFile(s.dir, e); err != nil {
					once.Do(func() { failed = err })
				}
			}
		})
	}
	for i := range s.x.Entries {
		if e := &s.x.Entries[i]; e.Size > 0 {
			next <- e
		}
	}
	close(next)
	work.Wait()
	return failed
}

// digestFile fails if the file is not as it was: somebody else uses the mount, and
// what is in it may be half-written.
func digestFile(dir *os.Root, e *entry) error {
	sum := sha256.New()
	if err := copyFile(dir, e, sum); err != nil {
		return err
	}
	e.Data = hex.EncodeToString(sum.Sum(nil))
	return nil
}

// copyFile copies the content of a file, which has to have the size of its entry.
func copyFile(dir *os.Root, e *entry, to io.Writer) error {
	f, err := dir.OpenFile(e.Path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	n, err := io.Copy(to, io.LimitReader(f, e.Size+1))
	if err == nil && n != e.Size {
		err = fmt.Errorf("%s changes while it is saved", e.Path)
	}
	return err
}
