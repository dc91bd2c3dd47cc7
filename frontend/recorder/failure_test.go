package recorder

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/cachewright/cachewright/cachepolicy/cacheplan"
	"github.com/cachewright/cachewright/cachepolicy/record"
)

// A selection that is too large is unknown.
func TestTooManyFiles(t *testing.T) {
	b := newBox(t)
	const files = 1000
	for i := range files {
		writeFile(t, b.context(), fmt.Sprint(i), "")
	}
	var patterns []string
	for range maxFiles/files + 1 {
		patterns = append(patterns, "*")
	}
	r := b.run(ModeRecord, planOf(cacheplan.FileSet{ID: "few", Patterns: []string{"1"}}, cacheplan.FileSet{ID: "many", Patterns: patterns}))
	if few, many := r.Plan.Files[0].Known, r.Plan.Files[1].Known; !few || many || len(r.Problems) != 1 {
		t.Errorf("few %v, many %v, problems %q", few, many, r.Problems)
	}
}

// What cannot be read is unknown, and the rest of the build is recorded.
func TestUnreadable(t *testing.T) {
	b := newBox(t)
	b.write(map[string]string{"open": "1", "closed/x": "2"})
	b.must(os.Chmod(filepath.Join(b.context(), "closed"), 0))
	defer os.Chmod(filepath.Join(b.context(), "closed"), 0o755)
	defer asNobody(t)()
	tree, err := openTree(b.context())
	b.must(err)
	n, err := tree.at("/closed")
	b.must(err)
	if err := tree.list(n); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("list: %v", err)
	}
	if _, err := selectFiles(tree, &cacheplan.FileSet{Patterns: []string{"closed/*"}}); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("wildcard: %v", err)
	}
	if _, err := selectFiles(tree, &cacheplan.FileSet{Patterns: []string{"open"}}); err != nil {
		t.Errorf("another file: %v", err)
	}
}

// asNobody takes the rights on files from this thread, and returns what gives them
// back.
func asNobody(t *testing.T) func() {
	t.Helper()
	runtime.LockOSThread()
	if os.Geteuid() == 0 {
		if err := unix.Setfsuid(65534); err != nil {
			t.Fatal(err)
		}
	}
	return func() {
		unix.Setfsuid(os.Geteuid())
		runtime.UnlockOSThread()
	}
}

// A records directory that nothing can be written to costs the record alone.
func TestReadOnlyRecords(t *testing.T) {
	b := newBox(t)
	b.write(map[string]string{"a": "1"})
	b.good(b.run(ModeRecord, copyPlan(".")))
	b.must(os.Chmod(b.Records, 0o555))
	b.must(os.Chmod(b.Out, 0o777))
	data, err := EncodeRequest(&Request{Version: Version, Mode: ModeRecord, Plan: copyPlan("a"), Contexts: []string{""}, Record: testRecord})
	b.must(err)
	b.must(os.WriteFile(b.Dirs.request(), data, 0o644))
	restore := asNobody(t)
	r := b.again()
	restore()
	if len(r.Problems) == 0 || r.BuildID != "" || r.Builds != 1 || len(r.Predictions) != 1 || !r.Plan.Files[0].Known {
		t.Errorf("%+v", r)
	}
	if n := len(b.record().Builds); n != 1 {
		t.Errorf("%d builds in the record", n)
	}
}

// Neither do things in the place of the record, or no directory at all.
func TestNoRecords(t *testing.T) {
	tests := map[string]func(b *box) error{
		"no directory": func(b *box) error { return os.RemoveAll(b.Records) },
		"a file": func(b *box) error {
			return errors.Join(os.RemoveAll(b.Records), os.WriteFile(b.Records, nil, 0o644))
		},
		"a directory in place of the record": func(b *box) error {
			return os.MkdirAll(filepath.Join(b.Records, testRecord+recordSuffix, "x"), 0o755)
		},
		"a directory in place of the lock": func(b *box) error { return os.MkdirAll(filepath.Join(b.Records, lockName), 0o755) },
		"a link in place of the record": func(b *box) error {
			return os.Symlink(b.context(), filepath.Join(b.Records, testRecord+recordSuffix))
		},
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			b := newBox(t)
			b.write(map[string]string{"a": "1"})
			b.must(change(b))
			r := b.run(ModeRecord, copyPlan("."))
			if len(r.Problems) == 0 || r.BuildID != "" || !r.Plan.Files[0].Known || len(r.Predictions) != 1 {
				t.Errorf("%+v", r)
			}
		})
	}
}

// A record that is damaged or foreign is as good as none, and is replaced.
func TestDamagedRecord(t *testing.T) {
	b := newBox(t)
	b.write(map[string]string{"a": "1"})
	b.good(b.run(ModeRecord, copyPlan(".")))
	file := filepath.Join(b.Records, testRecord+recordSuffix)
	good, err := os.ReadFile(file)
	b.must(err)
	tree, _ := b.index()
	for name, data := range map[string][]byte{
		"empty": {}, "cut": good[:len(good)/2], "foreign": []byte("#!/bin/sh\n"), "flipped": append(bytes.Clone(good[:len(good)-1]), good[len(good)-1]^1),
		"huge": make([]byte, record.MaxBytes+1),
	} {
		b.must(os.WriteFile(file, data, 0o644))
		b.must(os.WriteFile(filepath.Join(b.Records, indexName(tree)), data, 0o644))
		if r := b.good(b.run(ModeRecord, copyPlan("."))); r.Builds != 0 || r.BuildID == "" {
			t.Errorf("%s: %+v", name, r)
		}
		if r := b.good(b.run(ModeRecord, copyPlan("."))); r.Builds != 1 || state(r) != "hit" {
			t.Errorf("%s: afterwards %+v", name, r)
		}
	}
}

// Whatever is wrong with the request, there is a report.
func TestBadRequest(t *testing.T) {
	b := newBox(t)
	good, err := EncodeRequest(&Request{Version: Version, Mode: ModeRecord, Plan: copyPlan("."), Record: testRecord})
	b.must(err)
	for name, data := range map[string][]byte{
		"none": nil, "empty": {}, "cut": good[:len(good)-1], "huge": make([]byte, MaxRequestBytes+1),
		"version": bytes.Replace(good, []byte(`"version":1`), []byte(`"version":2`), 1),
		"mode":    bytes.Replace(good, []byte(`"record"`), []byte(`"play"`), 1),
		"name":    bytes.Replace(good, []byte(testRecord), []byte("../"+testRecord[3:]), 1),
		"plan":    bytes.Replace(good, []byte(`"plan"`), []byte(`"plane"`), 1),
		"set":     bytes.Replace(good, []byte(`"files":"set"`), []byte(`"files":"tes"`), 1),
	} {
		os.Remove(b.Dirs.request())
		if data != nil {
			b.must(os.WriteFile(b.Dirs.request(), data, 0o644))
		}
		if r := b.again(); len(r.Problems) != 1 || r.BuildID != "" || len(r.Predictions) != 0 {
			t.Errorf("%s: %+v", name, r)
		}
	}
	if entries, err := os.ReadDir(b.Records); err != nil || len(entries) != 0 {
		t.Errorf("records: %v, %v", entries, err)
	}
}

// A panic is a problem like others.
func TestPanic(t *testing.T) {
	r := run{report: Report{Version: Version, BuildID: "x"}}
	r.attempt(func() { panic("oops") })
	if want := []string{"panic: oops"}; !reflect.DeepEqual(r.report.Problems, want) || r.report.BuildID != "" || r.report.Version != Version {
		t.Errorf("%+v", r.report)
	}
}

func TestNoReport(t *testing.T) {
	b := newBox(t)
	b.must(os.RemoveAll(b.Out))
	if err := Run(b.Dirs); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v", err)
	}
	if err := WriteKey(b.Dirs); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v", err)
	}
}
