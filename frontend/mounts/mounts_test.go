package mounts

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Everything that tools look at arrives as it was.
func TestRoundTrip(t *testing.T) {
	s := newSaves(t)
	write(t, s.dir, map[string]string{
		"a/b/c": "text", "a/same": "text", "empty": "", "void/": "", "read-only/file": "x",
		"odd\nname": "y", "bytes \xff\ufffd\xef%41": "z", "script": "#!/bin/sh\n", "big": strings.Repeat("0123456789", 10),
	})
	path := func(name string) string { return filepath.Join(s.dir, name) }
	must(t, os.Symlink("/etc/passwd", path("absolute")))
	must(t, os.Symlink("../../outside", path("a/up")))
	must(t, os.Symlink("nowhere", path("dangling")))
	must(t, os.Link(path("a/b/c"), path("z-link")))
	must(t, os.Link(path("a/b/c"), path("a/another")))
	must(t, os.Chown(path("a/same"), 1000, 1001))
	must(t, os.Chmod(path("script"), 0o755|os.ModeSetuid))
	must(t, os.Chmod(path("void"), 0o777|os.ModeSticky))
	must(t, os.Chmod(path("a/same"), 0))
	must(t, os.Lchown(path("dangling"), 5, 6))
	must(t, unix.Setxattr(path("script"), "security.capability", []byte("\x01\x00\x00\x02\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"), 0))
	if err := unix.Setxattr(path("big"), "user.note", []byte("\x00\xff"), 0); err != nil && !errors.Is(err, unix.ENOTSUP) {
		t.Fatal(err)
	}
	touch(t, path("a/b/c"), time.Unix(1_000_000_000, 123456789))
	touch(t, path("void"), time.Unix(-5, 1))
	must(t, os.Chmod(path("read-only"), 0o555))
	touch(t, path("a"), time.Unix(1_234_567_890, 987654321))
	if !s.save(noLimit) {
		t.Fatal("nothing was saved")
	}
	s.compare()
}

// What is no file, directory or link is left out.
func TestSpecialFiles(t *testing.T) {
	s := newSaves(t)
	write(t, s.dir, map[string]string{"file": "1"})
	must(t, unix.Mkfifo(filepath.Join(s.dir, "fifo"), 0o600))
	must(t, unix.Mknod(filepath.Join(s.dir, "device"), unix.S_IFCHR|0o600, int(unix.Mkdev(1, 3))))
	s.save(noLimit)
	if got := tree(t, s.restored()); len(got) != 1 || !strings.HasPrefix(got[0], "file ") {
		t.Errorf("restored %q", got)
	}
}

// A later layer has what is new, and says what went away.
func TestLayers(t *testing.T) {
	s := newSaves(t)
	write(t, s.dir, map[string]string{"keep": strings.Repeat("k", 1000), "change": "before", "remove": "r", "dir/x": "x"})
	s.save(noLimit)
	if s.save(noLimit) {
		t.Error("saved again without a change")
	}
	touch(t, filepath.Join(s.dir, "keep"), time.Unix(5, 5))
	if s.save(noLimit) {
		t.Error("saved again although only a time changed")
	}
	write(t, s.dir, map[string]string{"change": "afterwards", "copy": strings.Repeat("k", 1000)})
	must(t, os.Remove(filepath.Join(s.dir, "remove")))
	must(t, os.RemoveAll(filepath.Join(s.dir, "dir")))
	write(t, s.dir, map[string]string{"dir": "a file now"})
	s.save(noLimit)
	if n := len(s.chain.Layers); n != 2 {
		t.Fatalf("%d layers, want 2", n)
	}
	if n := s.chain.last().Bytes; n != int64(len("afterwards")+len("a file now")) {
		t.Errorf("the second layer has %d bytes", n)
	}
	s.compare()
	must(t, os.Chmod(filepath.Join(s.dir, "keep"), 0o600))
	if !s.save(noLimit) || s.chain.last().Bytes != 0 {
		t.Errorf("after a change of a mode the last layer has %d bytes", s.chain.last().Bytes)
	}
	s.compare()
}

func TestCompaction(t *testing.T) {
	t.Run("long", func(t *testing.T) {
		s := newSaves(t)
		most := 0
		for i := range 2 * maxLayers {
			write(t, s.dir, map[string]string{"file" + strconv.Itoa(i): strings.Repeat(strconv.Itoa(i), 100)})
			s.save(noLimit)
			most = max(most, len(s.chain.Layers))
			s.compare()
		}
		if most != maxLayers {
			t.Errorf("at most %d layers, want %d", most, maxLayers)
		}
	})
	t.Run("dead", func(t *testing.T) {
		s := newSaves(t)
		write(t, s.dir, map[string]string{"large": strings.Repeat("l", 1000), "small": "s"})
		s.save(noLimit)
		must(t, os.Remove(filepath.Join(s.dir, "large")))
		s.save(noLimit)
		if len(s.chain.Layers) != 1 || s.chain.bytes() != 1 {
			t.Errorf("saved %+v", s.chain)
		}
		s.compare()
	})
	t.Run("previous layer lost", func(t *testing.T) {
		s := newSaves(t)
		write(t, s.dir, map[string]string{"file": "1"})
		s.save(noLimit)
		s.layers[s.chain.last().ID] = t.TempDir()
		if !s.save(noLimit) || len(s.chain.Layers) != 1 {
			t.Errorf("saved %+v", s.chain)
		}
		s.compare()
	})
}

// A mount that is empty says nothing: it may have been emptied by the builder.
func TestEmpty(t *testing.T) {
	s := newSaves(t)
	if s.save(noLimit) {
		t.Error("saved an empty mount")
	}
}

func TestTooLarge(t *testing.T) {
	s := newSaves(t)
	write(t, s.dir, map[string]string{"a": "12345", "b": "67890"})
	_, err := save(openRoot(t, s.dir), "m", nil, "", 9, filepath.Join(t.TempDir(), LayerName))
	var large *tooLargeError
	if !errors.As(err, &large) || large.size != 10 {
		t.Errorf("got %v", err)
	}
	if !s.save(10) {
		t.Error("not saved")
	}
	_, err = restore(openRoot(t, t.TempDir()), s.chain, s.dirs(), 9)
	if !errors.As(err, &large) {
		t.Errorf("restored: %v", err)
	}
}

// What a builder has is never overwritten.
func TestNotEmpty(t *testing.T) {
	s := newSaves(t)
	write(t, s.dir, map[string]string{"file": "saved"})
	s.save(noLimit)
	for name, own := range map[string]map[string]string{"the same file": {"file": "own"}, "another": {"other": "own"}, "a directory": {"d/": ""}} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, own)
			before := tree(t, dir)
			n, err := restore(openRoot(t, dir), s.chain, s.dirs(), noLimit)
			if n != 0 || err != nil || !slices.Equal(tree(t, dir), before) {
				t.Errorf("%d entries, %v, %q", n, err, tree(t, dir))
			}
		})
	}
}

// What a killed restore leaves does not stand in the way, nor is it saved.
func TestLeftOver(t *testing.T) {
	s := newSaves(t)
	write(t, s.dir, map[string]string{"file": "saved", tempPrefix + "x/half": "h"})
	s.save(noLimit)
	dir := t.TempDir()
	write(t, dir, map[string]string{tempPrefix + "y/half": "h"})
	if n, err := restore(openRoot(t, dir), s.chain, s.dirs(), noLimit); n != 1 || err != nil {
		t.Errorf("%d entries, %v", n, err)
	}
	if got := tree(t, dir); len(got) != 1 {
		t.Errorf("restored %q", got)
	}
}

// Of builds that restore at the same time one does.
func TestConcurrent(t *testing.T) {
	s := newSaves(t)
	for i := range 50 {
		write(t, s.dir, map[string]string{"d/" + strconv.Itoa(i): strconv.Itoa(i)})
	}
	s.save(noLimit)
	dir := t.TempDir()
	root := openRoot(t, dir)
	var work sync.WaitGroup
	counts := make([]int, 8)
	for i := range counts {
		work.Go(func() {
			n, err := restore(root, s.chain, s.dirs(), noLimit)
			if err != nil {
				t.Error(err)
			}
			counts[i] = n
		})
	}
	work.Wait()
	slices.Sort(counts)
	if counts[len(counts)-1] != 51 || counts[len(counts)-2] != 0 {
		t.Errorf("restored %v", counts)
	}
	if !slices.Equal(tree(t, dir), tree(t, s.dir)) {
		t.Error("not restored as saved")
	}
}

// The steps as the frontend runs them: save, hand on, look, restore.
func TestSteps(t *testing.T) {
	first := newBuilder(t)
	write(t, first.mount(0), map[string]string{"file": "1"})
	first.mount(1)
	req := &Request{Version: Version, Mounts: []MountRequest{{Mount: "a"}, {Mount: "b"}}, MaxBytes: noLimit}
	saved := first.run(Save, req)
	if saved.Mounts[0].Chain == nil || saved.Mounts[1].Chain != nil {
		t.Fatalf("saved %+v", saved)
	}
	id := saved.Mounts[0].Chain.last().ID
	must(t, Content(first.dirs, id))

	second := newBuilder(t)
	second.mount(0)
	second.mount(1)
	must(t, os.MkdirAll(filepath.Dir(second.dirs.layer(0, 0)), 0o755))
	must(t, os.Rename(first.dirs.Out, second.dirs.layer(0, 0)))
	req.Mounts[0].Chain = saved.Mounts[0].Chain
	if r := second.run(Look, req); !r.Mounts[0].Empty || !r.Mounts[1].Empty {
		t.Errorf("look: %+v", r)
	}
	if r := second.run(Restore, req); r.Mounts[0].Entries != 1 || r.Mounts[1].Entries != 0 {
		t.Errorf("restore: %+v", r)
	}
	if r := second.run(Look, req); r.Mounts[0].Empty {
		t.Errorf("look: %+v", r)
	}
	if !slices.Equal(tree(t, first.mount(0)), tree(t, second.mount(0))) {
		t.Error("not restored as saved")
	}
	if r := second.run(Save, req); r.Mounts[0].Chain != nil || r.Mounts[0].Problem != "" {
		t.Errorf("saved again: %+v", r)
	}
	req.MaxBytes = 0
	if r := second.run(Save, req); r.Mounts[0].TooLarge != 1 {
		t.Errorf("save of one byte too many: %+v", r)
	}
	// A builder that has not saved the layer hands on nothing, and that is no error.
	third := newBuilder(t)
	must(t, Content(third.dirs, id))
	if got := tree(t, third.dirs.Out); len(got) != 1 {
		t.Errorf("handed on %q", got)
	}
}

type builder struct {
	t    *testing.T
	dirs Dirs
}

func newBuilder(t *testing.T) *builder {
	b := &builder{t, Dirs{Mounts: t.TempDir(), Layers: t.TempDir(), Saved: t.TempDir(), Out: t.TempDir()}}
	return b
}

func (b *builder) mount(i int) string {
	must(b.t, os.MkdirAll(b.dirs.mount(i), 0o755))
	return b.dirs.mount(i)
}

func (b *builder) run(step func(Dirs, []byte) error, req *Request) *Report {
	b.t.Helper()
	data, err := json.Marshal(req)
	must(b.t, err)
	must(b.t, step(b.dirs, data))
	report := filepath.Join(b.dirs.Out, ReportName)
	data, err = os.ReadFile(report)
	must(b.t, err)
	must(b.t, os.Remove(report))
	r, err := DecodeReport(data, req)
	must(b.t, err)
	return r
}
