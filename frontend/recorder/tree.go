package recorder

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/cachewright/cachewright/cachepolicy/cacheplan"
)

// tree is a build context, read as far as somebody has asked. It never leaves the
// context: symbolic links are resolved here, not by the kernel.
type tree struct {
	root string // where it is mounted
	top  node
}

// node is a file of a tree.
type node struct {
	path     string // below the root, without links; empty for the root itself
	stat     fileStat
	children []node // of a directory, by name, once read is set
	read     bool

	// What counts of the file, once digested is set.
	digested bool
	digest   cacheplan.FileDigest
	mode     uint32 // that of stat, or the one a directory had earlier: see index
}

// fileStat is what the kernel says of a file. While it is the same, so is the file,
// save for a change right after it was looked at: see index.
type fileStat struct {
	size, mtime, ctime int64 // times in nanoseconds
	ino, rdev          uint64
	mode, uid, gid     uint32
}

func newFileStat(s *unix.Stat_t) fileStat {
	return fileStat{
		size: s.Size, mtime: s.Mtim.Nano(), ctime: s.Ctim.Nano(),
		ino: s.Ino, rdev: uint64(s.Rdev), mode: s.Mode, uid: s.Uid, gid: s.Gid,
	}
}

func (s *fileStat) is(kind uint32) bool { return s.mode&unix.S_IFMT == kind }

func (n *node) isDir() bool  { return n.stat.is(unix.S_IFDIR) }
func (n *node) isLink() bool { return n.stat.is(unix.S_IFLNK) }
func (n *node) name() string { return path.Base(n.path) }

// openTree returns the tree of a mounted context. It fails if there is none.
func openTree(root string) (*tree, error) {
	var s unix.Stat_t
	if err := unix.Stat(root, &s); err != nil {
		return nil, &os.PathError{Op: "stat", Path: root, Err: err}
	}
	t := &tree{root: root}
	t.top.stat = newFileStat(&s)
	if !t.top.isDir() {
		return nil, &os.PathError{Op: "open", Path: root, Err: unix.ENOTDIR}
	}
	return t, nil
}

func (t *tree) file(n *node) string { return filepath.Join(t.root, filepath.FromSlash(n.path)) }

// list reads a directory, unless that is done.
func (t *tree) list(n *node) error {
	if n.read {
		return nil
	}
	dir, err := os.OpenFile(t.file(n), os.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW, 0)
	if err != nil {
		return err
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return err
	}
	slices.Sort(names)
	children := make([]node, 0, len(names))
	for _, name := range names {
		var s unix.Stat_t
		if err := unix.Fstatat(int(dir.Fd()), name, &s, unix.AT_SYMLINK_NOFOLLOW); err != nil {
			return &os.PathError{Op: "stat", Path: filepath.Join(dir.Name(), name), Err: err}
		}
		children = append(children, node{path: join(n.path, name), stat: newFileStat(&s)})
	}
	n.children, n.read = children, true
	return nil
}

// listAll reads all below a directory, one level after the other.
func (t *tree) listAll(n *node) error {
	for level := []*node{n}; len(level) > 0; {
		errs := make([]error, len(level))
		parallel(len(level), func(i int) { errs[i] = t.list(level[i]) })
		var next []*node
		for i, dir := range level {
			if errs[i] != nil {
				return errs[i]
			}
			for j := range dir.children {
				if dir.children[j].isDir() {
					next = append(next, &dir.children[j])
				}
			}
		}
		level = next
	}
	return nil
}

// child returns a file of a directory, or nil.
func (t *tree) child(n *node, name string) (*node, error) {
	if !n.isDir() {
		return nil, nil
	}
	if err := t.list(n); err != nil {
		return nil, err
	}
	i, ok := slices.BinarySearchFunc(n.children, name, func(c node, name string) int { return strings.Compare(c.name(), name) })
	if !ok {
		return nil, nil
	}
	return &n.children[i], nil
}

// at returns the file at a clean path of which no component is a link, or nil.
func (t *tree) at(p string) (*node, error) {
	n := &t.top
	for name := range strings.SplitSeq(p, "/") {
		if name == "" {
			continue
		}
		var err error
		if n, err = t.child(n, name); n == nil || err != nil {
			return nil, err
		}
	}
	return n, nil
}

// maxLinks is how many links may lead to a file, as in BuildKit.
const maxLinks = 255

// follow returns the file at a path, or nil. Links in the path are followed within
// the context, that of the last component only if trailing is set.
func (t *tree) follow(p string, trailing bool) (*node, error) {
	links, done, rest := 0, "/", p
	for rest != "" {
		var name string
		name, rest, _ = strings.Cut(rest, "/")
		done = path.Join(done, name)
		n, err := t.at(done)
		if err != nil {
			return nil, err
		}
		if n == nil || !n.isLink() || rest == "" && !trailing {
			continue
		}
		if links++; links > maxLinks {
			return nil, nil
		}
		target, err := os.Readlink(t.file(n))
		if err != nil {
			return nil, fmt.Errorf("follow %s: %w", p, err)
		}
		if rest = target + "/" + rest; !path.IsAbs(target) {
			done = path.Dir(done)
		} else {
			done = "/"
		}
	}
	return t.at(done)
}

// join appends a name to a path below the root.
func join(dir, name string) string {
	if dir == "" {
		return name
	}
	return dir + "/" + name
}
