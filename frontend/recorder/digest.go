package recorder

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"hash"
	"io"
	"os"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/cachewright/cachewright/cachepolicy/cacheplan"
)

// digestFiles takes the digests of selected files, each once. Those that the index
// has are not read. It fails on the first that cannot be read.
func (t *tree) digestFiles(files []selected, x *index) error {
	var open []*node
	for _, f := range files {
		n := f.node
		if n.digested {
			continue
		}
		n.digested = true
		if !x.lookup(n) {
			n.mode = n.stat.mode
			open = append(open, n)
		}
	}
	errs, settled := make([]error, len(open)), make([]bool, len(open))
	parallel(len(open), func(i int) { settled[i], errs[i] = t.digest(open[i]) })
	for i, n := range open {
		if errs[i] != nil {
			n.digested = false
			return errs[i]
		}
		if settled[i] {
			x.add(n)
		}
	}
	return nil
}

// digest takes the digest of one file. It also returns whether the file stayed as
// it was meanwhile.
func (t *tree) digest(n *node) (settled bool, err error) {
	header, err := t.header(n)
	if err != nil || header == nil {
		return err == nil, err
	}
	h := sha256.New()
	h.Write(header)
	settled = true
	if n.stat.is(unix.S_IFREG) {
		settled, err = t.content(n, h)
	}
	copy(n.digest[:], h.Sum(nil))
	return settled, err
}

// header returns what counts of a file besides its content, path and mode, or nil
// for a directory that has nothing else.
func (t *tree) header(n *node) ([]byte, error) {
	attrs, err := t.attributes(n)
	if err != nil {
		return nil, err
	}
	if n.isDir() && attrs == nil && n.stat.uid == 0 && n.stat.gid == 0 {
		return nil, nil
	}
	var out []byte
	for _, number := range []uint64{uint64(n.stat.mode & unix.S_IFMT), uint64(n.stat.uid), uint64(n.stat.gid)} {
		out = binary.AppendUvarint(out, number)
	}
	switch {
	case n.isLink():
		target, err := os.Readlink(t.file(n))
		if err != nil {
			return nil, err
		}
		out = appendText(out, target)
	case n.stat.is(unix.S_IFBLK), n.stat.is(unix.S_IFCHR):
		out = binary.AppendUvarint(out, n.stat.rdev)
	}
	out = binary.AppendUvarint(out, uint64(len(attrs)))
	for _, a := range attrs {
		out = appendText(appendText(out, a.name), a.value)
	}
	return out, nil
}

func appendText(out []byte, text string) []byte {
	return append(binary.AppendUvarint(out, uint64(len(text))), text...)
}

var buffers = sync.Pool{New: func() any { return new([128 << 10]byte) }}

// content adds a regular file's content to a sum, and returns whether the file is
// still the one that was found.
func (t *tree) content(n *node, h hash.Hash) (settled bool, err error) {
	f, err := os.OpenFile(t.file(n), os.O_RDONLY|unix.O_NOFOLLOW, 0)
	if err != nil {
		return false, err
	}
	defer f.Close()
	buf := buffers.Get().(*[128 << 10]byte)
	defer buffers.Put(buf)
	if _, err := io.CopyBuffer(struct{ io.Writer }{h}, struct{ io.Reader }{f}, buf[:]); err != nil {
		return false, err
	}
	var s unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &s); err != nil {
		return false, &os.PathError{Op: "stat", Path: f.Name(), Err: err}
	}
	return newFileStat(&s) == n.stat, nil
}

// attribute is an extended attribute.
type attribute struct{ name, value string }

// attributes returns a file's extended attributes that count, by name: not those
// of the system, and of security's only the capabilities of a program.
func (t *tree) attributes(n *node) ([]attribute, error) {
	list, err := readAttribute(func(buf []byte) (int, error) { return unix.Llistxattr(t.file(n), buf) })
	if errors.Is(err, unix.ENOTSUP) {
		return nil, nil
	}
	if err != nil {
		return nil, &os.PathError{Op: "llistxattr", Path: t.file(n), Err: err}
	}
	var out []attribute
	for name := range bytes.SplitSeq(bytes.TrimSuffix(list, []byte{0}), []byte{0}) {
		name := string(name)
		if name == "" || strings.HasPrefix(name, "system.") || strings.HasPrefix(name, "security.") && name != "security.capability" {
			continue
		}
		value, err := readAttribute(func(buf []byte) (int, error) { return unix.Lgetxattr(t.file(n), name, buf) })
		if err == nil { // the builder does not count what cannot be read
			out = append(out, attribute{name: name, value: string(value)})
		}
	}
	slices.SortFunc(out, func(a, b attribute) int { return cmp.Compare(a.name, b.name) })
	return out, nil
}

// readAttribute calls a function that fills a buffer with one of the right size.
func readAttribute(read func(buf []byte) (int, error)) ([]byte, error) {
	for {
		size, err := read(nil)
		if size == 0 || err != nil {
			return nil, err
		}
		buf := make([]byte, size)
		if size, err = read(buf); !errors.Is(err, unix.ERANGE) {
			return buf[:max(size, 0)], err
		}
	}
}

// listFiles turns selected files, whose digests are taken, into those of a file
// set: sorted, each path once.
func listFiles(files []selected) []cacheplan.File {
	out := make([]cacheplan.File, len(files))
	for i, f := range files {
		out[i] = cacheplan.File{Path: f.path, Digest: f.node.digest, Mode: cacheplan.FileMode(f.node.mode)}
	}
	slices.SortFunc(out, func(a, b cacheplan.File) int {
		if c := strings.Compare(a.Path, b.Path); c != 0 {
			return c
		}
		return cmp.Or(bytes.Compare(a.Digest[:], b.Digest[:]), cmp.Compare(a.Mode, b.Mode))
	})
	out = slices.Compact(out)
	kept := out[:0]
	for _, f := range out {
		if last := len(kept) - 1; last >= 0 && kept[last].Path == f.Path {
			kept[last] = joinFiles(kept[last], f)
		} else {
			kept = append(kept, f)
		}
	}
	return kept
}

// joinFiles makes one file of two with the same path: two patterns lead there, and
// one follows a link.
func joinFiles(a, b cacheplan.File) cacheplan.File {
	data := slices.Concat(a.Digest[:], b.Digest[:])
	data = binary.AppendUvarint(data, uint64(b.Mode))
	total := sha256.Sum256(data)
	copy(a.Digest[:], total[:])
	return a
}
