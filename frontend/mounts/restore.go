package mounts

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"

	"golang.org/x/sys/unix"
)

// tempPrefix begins the name of the directory in a mount in which its contents are
// put together.
const tempPrefix = ".cachewright-restore-"

func isTemporary(name string) bool { return strings.HasPrefix(name, tempPrefix) }

// isEmpty reports whether there is nothing in a mount but what restore leaves when
// it is killed, and returns that.
func isEmpty(dir *os.Root) (empty bool, left []string, err error) {
	f, err := dir.Open(".")
	if err != nil {
		return false, nil, err
	}
	defer f.Close()
	for {
		names, err := f.Readdirnames(16)
		if errors.Is(err, io.EOF) {
			return true, left, nil
		}
		if err != nil {
			return false, nil, err
		}
		for _, name := range names {
			if !isTemporary(name) {
				return false, nil, nil
			}
		}
		left = append(left, names...)
	}
}

// restore puts what was saved into a mount's directory, if that is empty, and returns
// how many files and directories there are. layers are the directories with the
// chain's layers. It fails, and leaves the mount empty, if anything is not as it was
// saved, or the files have more than max bytes.
func restore(dir *os.Root, c *Chain, layers []string, max int64) (entries int, err error) {
	unlock, err := lock(dir)
	if err != nil {
		return 0, err
	}
	defer unlock()
	empty, left, err := isEmpty(dir)
	if err != nil || !empty {
		return 0, err
	}
	for _, name := range left { // nobody else has the lock
		if err := dir.RemoveAll(name); err != nil {
			return 0, err
		}
	}
	x, err := restorable(c, layers, max)
	if err != nil {
		return 0, err
	}
	temp := tempPrefix + NewID()
	if err := dir.Mkdir(temp, 0o700); err != nil {
		return 0, err
	}
	defer dir.RemoveAll(temp)
	into, err := dir.OpenRoot(temp)
	if err != nil {
		return 0, err
	}
	defer into.Close()
	if err := build(into, x, layers, max); err != nil {
		return 0, err
	}
	return len(x.Entries), show(dir, into, x)
}

// lock keeps others from restoring into the same mount at the same time.
func lock(dir *os.Root) (unlock func(), err error) {
	f, err := dir.Open(".")
	if err != nil {
		return nil, err
	}
	for {
		err = unix.Flock(int(f.Fd()), unix.LOCK_EX)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return func() { f.Close() }, nil
}

// restorable reads the index of a chain, and fails if that is not to be restored.
func restorable(c *Chain, layers []string, max int64) (*index, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	if len(layers) != len(c.Layers) {
		return nil, fmt.Errorf("%d layers of %d", len(layers), len(c.Layers))
	}
	x, err := savedIndex(c, layers[len(layers)-1], max)
	if err != nil {
		return nil, err
	}
	size, err := x.size()
	if err == nil && size > max {
		err = &tooLargeError{size, max}
	}
	return x, err
}

// build makes all that the index lists in an empty directory.
func build(into *os.Root, x *index, layers []string, max int64) error {
	byData := map[string][]*entry{}
	for i := range x.Entries {
		e := &x.Entries[i]
		switch {
		case e.Kind == kindDir:
			if err := into.Mkdir(e.Path, 0o700); err != nil {
				return err
			}
		case e.Kind == kindSym:
			if err := into.Symlink(e.Target, e.Path); err != nil {
				return err
			}
		case e.Kind == kindFile && e.Size == 0:
			if err := writeFile(into, e, nil, nil); err != nil {
				return err
			}
		case e.Kind == kindFile:
			byData[e.Data] = append(byData[e.Data], e)
		}
	}
	for _, dir := range layers {
		if err := writeFiles(into, dir, byData, max); err != nil {
			return err
		}
	}
	if len(byData) > 0 {
		return fmt.Errorf("the contents of %d files are missing", len(byData))
	}
	return finish(into, x)
}

// writeFiles writes the files whose contents are in a layer, and takes them out of
// byData.
func writeFiles(into *os.Root, dir string, byData map[string][]*entry, max int64) error {
	r, err := openLayer(dir, max)
	if err != nil {
		return err
	}
	defer r.close()
	for len(byData) > 0 {
		h, err := r.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if same := byData[h.Name]; same != nil {
			if err := writeSame(into, r.tar, h, same); err != nil {
				return err
			}
			delete(byData, h.Name)
		}
	}
	return nil
}

// writeSame writes the files that have one content.
func writeSame(into *os.Root, from io.Reader, h *tar.Header, same []*entry) error {
	first := same[0]
	if h.Size != first.Size {
		return fmt.Errorf("layer: %s has %d bytes, want %d", h.Name, h.Size, first.Size)
	}
	sum := sha256.New()
	if err := writeFile(into, first, io.TeeReader(from, sum), nil); err != nil {
		return err
	}
	if hex.EncodeToString(sum.Sum(nil)) != first.Data {
		return fmt.Errorf("layer: %s has another content", h.Name)
	}
	for _, e := range same[1:] {
		if e.Size != first.Size {
			return fmt.Errorf("index: %s and %s have one content and two sizes", e.Path, first.Path)
		}
		if err := writeFile(into, e, nil, first); err != nil {
			return err
		}
	}
	return nil
}

// writeFile makes a file of what is read, or of what is in another one; empty if
// there is neither.
func writeFile(into *os.Root, e *entry, from io.Reader, other *entry) error {
	f, err := into.OpenFile(e.Path, os.O_WRONLY|os.O_CREATE|os.O_EXCL|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	switch {
	case from != nil:
		_, err = io.Copy(f, from)
	case other != nil:
		err = copyFile(into, other, f)
	}
	if err != nil {
		return err
	}
	return setAttributes(f, &e.attributes)
}

// finish adds the other names of files, and sets the attributes of directories and
// links and all times. What is in a directory comes before it, since it changes the
// directory's time.
func finish(into *os.Root, x *index) error {
	for i := range x.Entries {
		if e := &x.Entries[i]; e.Kind == kindLink {
			if err := into.Link(e.Target, e.Path); err != nil {
				return err
			}
		}
	}
	for i := len(x.Entries) - 1; i >= 0; i-- {
		e := &x.Entries[i]
		if e.Kind == kindLink {
			continue
		}
		if err := finishEntry(into, e); err != nil {
			return err
		}
	}
	return nil
}

func finishEntry(into *os.Root, e *entry) error {
	switch e.Kind {
	case kindDir:
		f, err := into.OpenFile(e.Path, os.O_RDONLY|unix.O_DIRECTORY, 0)
		if err != nil {
			return err
		}
		err = setAttributes(f, &e.attributes)
		f.Close()
		if err != nil {
			return err
		}
	case kindSym:
		if err := into.Lchown(e.Path, e.UID, e.GID); err != nil {
			return err
		}
	case kindFile, kindLink:
	}
	return setTime(into, e.Path, e.Time)
}

// show moves all that was put together to its place.
func show(dir, from *os.Root, x *index) error {
	source, err := from.Open(".")
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := dir.Open(".")
	if err != nil {
		return err
	}
	defer target.Close()
	for i := range x.Entries {
		name := x.Entries[i].Path
		if path.Dir(name) != "." {
			continue
		}
		err := unix.Renameat2(int(source.Fd()), name, int(target.Fd()), name, unix.RENAME_NOREPLACE)
		if err != nil && !errors.Is(err, fs.ErrExist) { // a step of another build was faster
			return &os.PathError{Op: "move", Path: name, Err: err}
		}
	}
	return nil
}
