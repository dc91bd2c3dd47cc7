package recorder

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/cachewright/cachewright/cachepolicy/cacheplan"
)

var (
	past = time.Unix(1_600_000_000, 0)
	// capability is the form of security.capability that the kernel takes.
	capability = []byte{1, 0, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}
)

// context opens the context's tree, and its index as it was written.
func (b *box) index() (*tree, *index) {
	b.t.Helper()
	tree, err := openTree(b.context())
	b.must(err)
	data, err := store{dir: b.Records}.read(indexName(tree), maxIndexBytes)
	b.must(err)
	return tree, decodeIndex(data, time.Now())
}

// plant makes the index lie about a file, so that it shows who asks it.
func (b *box) plant(path string) {
	b.t.Helper()
	tree, x := b.index()
	e, ok := x.entries[path]
	if !ok {
		b.t.Fatalf("%s is not in the index", path)
	}
	e.digest[0]++
	x.entries[path] = e
	b.must(store{dir: b.Records}.write(indexName(tree), x.encode()))
}

// A file that did not change is not read again.
func TestIndexIsUsed(t *testing.T) {
	b := newBox(t)
	b.write(map[string]string{"a": "1", "dir/b": "2", "link -> a": ""})
	b.good(b.run(ModeRecord, copyPlan(".")))
	for _, path := range []string{"a", "dir", "dir/b", "link"} {
		b.plant(path)
		if got, want := state(b.good(b.run(ModePredict, copyPlan(path)))), "re-run"; got[:len(want)] != want {
			t.Errorf("%s: %s; the index was not asked", path, got)
		}
		b.plant(path)
	}
}

// However a file changes, the index is not taken in.
func TestIndexIsNotFooled(t *testing.T) {
	const name = "/dir/b"
	tests := map[string]func(dir string) error{
		"same size": func(dir string) error { return os.WriteFile(dir+name, []byte("3"), 0o644) },
		"same size and time": func(dir string) error {
			info, err := os.Stat(dir + name)
			if err == nil {
				err = os.WriteFile(dir+name, []byte("3"), 0o644)
			}
			if err == nil {
				err = os.Chtimes(dir+name, info.ModTime(), info.ModTime())
			}
			return err
		},
		"another file with the same size and time": func(dir string) error {
			info, err := os.Stat(dir + name)
			if err == nil {
				err = os.WriteFile(dir+"/new", []byte("3"), 0o644)
			}
			if err == nil {
				err = os.Chtimes(dir+"/new", info.ModTime(), info.ModTime())
			}
			if err == nil {
				err = os.Rename(dir+"/new", dir+name)
			}
			return err
		},
		"older file": func(dir string) error {
			if err := os.WriteFile(dir+name, []byte("3"), 0o644); err != nil {
				return err
			}
			return os.Chtimes(dir+name, past, past)
		},
		"exchanged files": func(dir string) error {
			return unix.Renameat2(unix.AT_FDCWD, dir+"/a", unix.AT_FDCWD, dir+name, unix.RENAME_EXCHANGE)
		},
		"another directory": func(dir string) error {
			if err := os.Rename(dir+"/dir", dir+"/old"); err != nil {
				return err
			}
			return os.Rename(dir+"/other", dir+"/dir")
		},
	}
	for test, change := range tests {
		t.Run(test, func(t *testing.T) {
			b := newBox(t)
			b.write(map[string]string{"a": "1", "dir/b": "2", "other/b": "4"})
			b.good(b.run(ModeRecord, copyPlan(".")))
			b.must(change(b.context()))
			if got, want := state(b.good(b.run(ModePredict, copyPlan("dir")))), "re-run"; got[:min(len(got), len(want))] != want {
				t.Errorf("the change of the content is not seen: %s", got)
			}
		})
	}
}

// A file that was changed just before it was read is read again.
func TestIndexRacy(t *testing.T) {
	now := time.Unix(1_700_000_000, 500_000_000)
	tests := []struct {
		change time.Duration // before now
		racy   bool
	}{
		{-time.Hour, true}, // the clock was set back
		{0, true},
		{10 * time.Millisecond, true},
		{time.Second + 400*time.Millisecond, false},
		{time.Second + 500*time.Millisecond, true}, // a whole second
		{3*time.Second + 500*time.Millisecond, false},
		{time.Hour, false},
	}
	for _, test := range tests {
		if got := isRacy(now.Add(-test.change).UnixNano(), now); got != test.racy {
			t.Errorf("changed %v before: racy is %v", test.change, got)
		}
	}
	b := newBox(t)
	writeFile(t, b.context(), "a", "1")
	tree, err := openTree(b.context())
	b.must(err)
	x := decodeIndex(nil, time.Now())
	n, err := tree.follow("/a", true)
	b.must(err)
	n.stat.ctime = x.taken.UnixNano()
	if x.add(n); len(x.entries) != 0 || x.changed {
		t.Error("a racy file is in the index")
	}
}

// A directory counts as it was when it was new, as it does for the builder.
func TestIndexDirectory(t *testing.T) {
	b := newBox(t)
	writeFile(t, b.context(), "dir/", "") // and no waiting: it is racy
	b.good(b.run(ModeRecord, copyPlan("dir")))
	b.must(os.Chmod(filepath.Join(b.context(), "dir"), 0o700))
	if got := state(b.good(b.run(ModePredict, copyPlan("dir")))); got != "hit" {
		t.Error(got)
	}
}

// What could not be read once is not taken for read the next time.
func TestDigestFails(t *testing.T) {
	b := newBox(t)
	b.write(map[string]string{"a": "1"})
	tree, x := b.index()
	files, err := selectFiles(tree, &cacheplan.FileSet{Patterns: []string{"."}})
	b.must(err)
	b.must(os.Remove(filepath.Join(b.context(), "a")))
	for range 2 {
		if err := tree.digestFiles(files, x); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("error %v", err)
		}
	}
}

// A file that changes while it is read is not put into the index.
func TestIndexUnsettled(t *testing.T) {
	b := newBox(t)
	b.write(map[string]string{"a": "1"})
	tree, x := b.index()
	files, err := selectFiles(tree, &cacheplan.FileSet{Patterns: []string{"."}})
	b.must(err)
	b.must(os.WriteFile(filepath.Join(b.context(), "a"), []byte("2"), 0o644))
	b.must(tree.digestFiles(files, x))
	if len(x.entries) != 0 {
		t.Errorf("the index has %v", x.entries)
	}
}

// An index that nothing was learned for is not written again.
func TestIndexUnchanged(t *testing.T) {
	b := newBox(t)
	b.write(map[string]string{"a": "1", "b": "2"})
	b.good(b.run(ModePredict, copyPlan(".")))
	tree, _ := b.index()
	file := filepath.Join(b.Records, indexName(tree))
	before, err := os.Stat(file)
	b.must(err)
	b.must(os.Chtimes(file, past, past))
	b.good(b.run(ModePredict, copyPlan("a")))
	after, err := os.Stat(file)
	b.must(err)
	if !os.SameFile(before, after) {
		t.Error("the index was written again")
	}
	if !after.ModTime().After(past) {
		t.Error("the index looks unused")
	}
}

func sampleIndex(entries int) *index {
	x := &index{entries: map[string]indexEntry{}}
	for i := range entries {
		e := indexEntry{stat: fileStat{size: int64(i), mtime: -1, ctime: 1 << 60, ino: 7, rdev: 3, mode: 0o100644, uid: 1, gid: 2}, used: i%2 == 0}
		e.digest[5] = byte(i)
		x.entries[fmt.Sprint("dir/file", i)] = e
	}
	return x
}

func TestIndexRoundTrip(t *testing.T) {
	x := sampleIndex(100)
	data := x.encode()
	back := decodeIndex(data, time.Now())
	if len(back.entries) != len(x.entries) || !bytes.Equal(data, sampleIndex(100).encode()) {
		t.Fatalf("%d entries, or an encoding that is not stable", len(back.entries))
	}
	for path, e := range back.entries {
		want := x.entries[path]
		if want.age = 1; want.used {
			want.age = 0
		}
		if want.used = false; e != want {
			t.Errorf("%s: %+v, want %+v", path, e, want)
		}
	}
}

// Files that no build looks at are forgotten in the end.
func TestIndexForgets(t *testing.T) {
	x := sampleIndex(10)
	for range maxIndexAge + 1 {
		x = decodeIndex(x.encode(), time.Now())
		for _, used := range []string{"dir/file0", "dir/file9"} {
			e := x.entries[used]
			e.used = true
			x.entries[used] = e
		}
	}
	if x = decodeIndex(x.encode(), time.Now()); len(x.entries) != 2 {
		t.Errorf("%d entries, want the 2 that were used", len(x.entries))
	}
}

func TestIndexBounded(t *testing.T) {
	x := sampleIndex(maxIndexEntries + 10)
	if got := len(decodeIndex(x.encode(), time.Now()).entries); got != maxIndexEntries {
		t.Errorf("%d entries, want %d", got, maxIndexEntries)
	}
	long := &index{entries: map[string]indexEntry{}}
	for i := range 10 {
		long.entries[fmt.Sprint(string(make([]byte, maxIndexBytes/8)), i)] = indexEntry{used: true}
	}
	data := long.encode()
	if got := len(decodeIndex(data, time.Now()).entries); got != 7 || len(data) > maxIndexBytes {
		t.Errorf("%d entries, %d bytes", got, len(data))
	}
}

// Whatever happens to the bytes, there is no panic, and no index.
func TestIndexDamaged(t *testing.T) {
	good := sampleIndex(3).encode()
	for i := range good {
		flipped := bytes.Clone(good)
		flipped[i] ^= 0x10
		for _, data := range [][]byte{flipped, good[:i], append([]byte("x"), good[i:]...)} {
			if x := decodeIndex(data, time.Now()); len(x.entries) != 0 {
				t.Fatalf("byte %d: %d entries", i, len(x.entries))
			}
		}
	}
}

// A length that leads outside is found even where the checksum fits.
func FuzzIndex(f *testing.F) {
	f.Add(sampleIndex(2).encode())
	f.Fuzz(func(t *testing.T, data []byte) {
		body := data[:max(len(data)-4, 0)]
		x := decodeIndex(appendChecksum(body), time.Now())
		if again := decodeIndex(x.encode(), time.Now()); len(again.entries) > len(x.entries) {
			t.Errorf("%d entries became %d", len(x.entries), len(again.entries))
		}
	})
}
