package recorder

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/cachewright/cachewright/cachepolicy/cacheplan"
)

// Limits of an index. What is more is read again in every build.
const (
	maxIndexEntries = 250_000
	maxIndexBytes   = 32 << 20
	// maxIndexAge is after how many changes of the index a file is forgotten that no
	// build has looked at since.
	maxIndexAge = 32
)

// index knows the digests of the files of one context, so that only those are read
// that changed. It goes by what the kernel says of a file. The time of the last
// change of the inode is part of that: nobody can set it, so a file whose size and
// modification time were put back is read again.
//
// Two changes within one tick of the clock look alike. So a file that was changed
// just before its digest was taken is not put into the index; Git calls this racy.
//
// A directory is another matter. The builder takes its mode and owner into account
// when it gets the directory, and does not look again when it updates a local
// context in place. The index remembers them from then.
type index struct {
	taken   time.Time // when the context was looked at first
	entries map[string]indexEntry
	changed bool
}

type indexEntry struct {
	stat   fileStat
	digest cacheplan.FileDigest
	age    uint8 // changes of the index since a build looked at the file
	used   bool  // by this build
}

// indexName returns the file name of the index of a context. A context that the
// builder updates in place keeps the inode of its root.
func indexName(t *tree) string { return fmt.Sprintf("%016x", t.top.stat.ino) + indexSuffix }

// lookup fills in what counts of a file, and reports whether it is in the index.
func (x *index) lookup(n *node) bool {
	e, ok := x.entries[n.path]
	sameDir := n.isDir() && e.stat.is(unix.S_IFDIR) && e.stat.ino == n.stat.ino
	if !ok || e.stat != n.stat && !sameDir {
		return false
	}
	if !e.used {
		e.used = true
		x.entries[n.path] = e
	}
	n.mode, n.digest = e.stat.mode, e.digest
	return true
}

// add takes in a file that was just read, unless it is racy.
func (x *index) add(n *node) {
	if !n.isDir() && isRacy(n.stat.ctime, x.taken) {
		return
	}
	x.entries[n.path] = indexEntry{stat: n.stat, digest: n.digest, used: true}
	x.changed = true
}

// isRacy reports whether a file may change after taken and still have this time of
// its last change, in nanoseconds.
func isRacy(ctime int64, taken time.Time) bool {
	tick := 50 * time.Millisecond // the kernel's clock, with a margin
	if ctime%int64(time.Second) == 0 {
		tick = 2 * time.Second // a file system that keeps seconds
	}
	return ctime >= taken.Add(-tick).UnixNano()
}

const (
	indexMagic   = "CWINDEX"
	indexVersion = 1
	indexNumbers = 8 + 8 + 8 + 8 + 8 + 4 + 4 + 4 + 1 // of one entry
	averageEntry = indexNumbers + len(cacheplan.FileDigest{}) + 40
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// encode returns the index as bytes: entries sorted by path, so that equal ones
// give equal bytes, and a checksum. Where there are too many, those that this
// build did not look at go first.
func (x *index) encode() []byte {
	paths := make([]string, 0, len(x.entries))
	var unused []string
	for p, e := range x.entries {
		switch {
		case e.used:
			paths = append(paths, p)
		case e.age < maxIndexAge:
			unused = append(unused, p)
		}
	}
	slices.Sort(paths)
	slices.Sort(unused)
	paths = append(paths, unused...)
	out := make([]byte, 0, len(paths)*averageEntry)
	out = append(append(out, indexMagic...), indexVersion)
	for _, p := range paths[:min(len(paths), maxIndexEntries)] {
		if len(out)+len(p)+indexNumbers+2*binary.MaxVarintLen64 > maxIndexBytes {
			break
		}
		out = x.entries[p].append(appendText(out, p))
	}
	return appendChecksum(out)
}

func appendChecksum(out []byte) []byte {
	return binary.LittleEndian.AppendUint32(out, crc32.Checksum(out, castagnoli))
}

func (e indexEntry) append(out []byte) []byte {
	age := e.age + 1
	if e.used {
		age = 0
	}
	s := &e.stat
	for _, n := range []uint64{uint64(s.size), uint64(s.mtime), uint64(s.ctime), s.ino, s.rdev} {
		out = binary.LittleEndian.AppendUint64(out, n)
	}
	for _, n := range []uint32{s.mode, s.uid, s.gid} {
		out = binary.LittleEndian.AppendUint32(out, n)
	}
	return append(append(out, age), e.digest[:]...)
}

// decodeIndex reads an index. Bytes that are damaged, of another version or no
// index at all give an empty one.
func decodeIndex(data []byte, taken time.Time) *index {
	x := &index{taken: taken, entries: map[string]indexEntry{}}
	header, tail := len(indexMagic)+1, len(data)-4
	if tail < header || string(data[:header]) != indexMagic+string(rune(indexVersion)) ||
		binary.LittleEndian.Uint32(data[tail:]) != crc32.Checksum(data[:tail], castagnoli) {
		return x
	}
	text := string(data[header:tail]) // the paths are parts of it
	entries := make(map[string]indexEntry, len(text)/averageEntry)
	for rest := text; rest != ""; {
		n, size := binary.Uvarint([]byte(rest[:min(len(rest), binary.MaxVarintLen64)]))
		if size <= 0 || n > uint64(len(rest)) || size+int(n)+indexNumbers+len(cacheplan.FileDigest{}) > len(rest) {
			return x
		}
		path := rest[size : size+int(n)]
		rest = rest[size+int(n):]
		entries[path], rest = decodeEntry(rest)
	}
	x.entries = entries
	return x
}

// decodeEntry reads one entry, and returns what follows it.
func decodeEntry(text string) (indexEntry, string) {
	var e indexEntry
	b := []byte(text[:indexNumbers+len(e.digest)])
	number := func() uint64 { n := binary.LittleEndian.Uint64(b); b = b[8:]; return n }
	short := func() uint32 { n := binary.LittleEndian.Uint32(b); b = b[4:]; return n }
	e.stat = fileStat{size: int64(number()), mtime: int64(number()), ctime: int64(number()), ino: number(), rdev: number()}
	e.stat.mode, e.stat.uid, e.stat.gid = short(), short(), short()
	e.age = b[0]
	copy(e.digest[:], b[1:])
	return e, text[indexNumbers+len(e.digest):]
}
