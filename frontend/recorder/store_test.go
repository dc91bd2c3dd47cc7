package recorder

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// fill puts n files into the store, file 0 the latest.
func (b *box) fill(n int, size int64) {
	b.t.Helper()
	for i := range n {
		suffix := recordSuffix
		if i%2 == 1 {
			suffix = indexSuffix
		}
		name := filepath.Join(b.Records, fmt.Sprintf("%03d%s", i, suffix))
		b.must(os.WriteFile(name, nil, 0o644))
		b.must(os.Truncate(name, size))
		at := time.Now().Add(-time.Duration(i+1) * time.Minute)
		b.must(os.Chtimes(name, at, at))
	}
}

// The files that were not used for the longest time go, and no others.
func TestStoreBounded(t *testing.T) {
	tests := []struct {
		name  string
		files int
		size  int64
		keep  int
	}{
		{"few", 10, 10, 10},
		{"many", MaxStoreFiles + 20, 10, MaxStoreFiles - 1},
		{"large", 10, MaxStoreBytes / 8, 7},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			b := newBox(t)
			b.fill(test.files, test.size)
			foreign := filepath.Join(b.Records, "foreign")
			b.must(os.WriteFile(foreign, nil, 0o644))
			b.must(os.Chtimes(foreign, past, past))
			s := store{dir: b.Records}
			b.must(s.write(testRecord+recordSuffix, []byte("new")))
			b.must(s.clean())
			for i := range test.files {
				left, err := filepath.Glob(filepath.Join(b.Records, fmt.Sprintf("%03d.*", i)))
				b.must(err)
				if kept := len(left) > 0; kept != (i < test.keep) {
					t.Errorf("file %d: kept %v", i, kept)
				}
			}
			for _, name := range []string{foreign, filepath.Join(b.Records, testRecord+recordSuffix)} {
				if _, err := os.Stat(name); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// What is no file of a reasonable size is as good as none.
func TestStoreReads(t *testing.T) {
	b := newBox(t)
	s := store{dir: b.Records}
	at := func(name string) string { return filepath.Join(b.Records, name) }
	b.must(os.WriteFile(at("file"), []byte("1234"), 0o644))
	b.must(os.Mkdir(at("dir"), 0o755))
	b.must(unix.Mkfifo(at("fifo"), 0o644))
	tests := []struct {
		name string
		max  int
		want string
	}{{"file", 4, "1234"}, {"file", 3, ""}, {"dir", 1 << 20, ""}, {"fifo", 4, ""}, {"missing", 4, ""}}
	for _, test := range tests {
		if got, err := s.read(test.name, test.max); err != nil || string(got) != test.want {
			t.Errorf("%s, at most %d: %.20q, %v", test.name, test.max, got, err)
		}
	}
}

// What a process left behind that died is removed, but not what one is writing.
func TestStoreTemporaryFiles(t *testing.T) {
	b := newBox(t)
	old, new := filepath.Join(b.Records, tempPrefix+"1"), filepath.Join(b.Records, tempPrefix+"2")
	for _, name := range []string{old, new} {
		b.must(os.WriteFile(name, nil, 0o644))
	}
	b.must(os.Chtimes(old, past, past))
	b.write(map[string]string{"a": "1"})
	b.good(b.run(ModeRecord, copyPlan(".")))
	left, err := filepath.Glob(filepath.Join(b.Records, tempPrefix+"*"))
	b.must(err)
	if len(left) != 1 || left[0] != new {
		t.Errorf("left: %q", left)
	}
}
