package bench

import (
	"math"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cachewright/cachewright/integration/bench/usage"
)

func TestTable(t *testing.T) {
	const want = `| what | ours | bar |
| --- | ---: | ---: |
| time | 1.5 ms | 0.90 |

a note
`
	table := &Table{Header: []string{"what", ours, "bar"}, Rows: [][]string{{"time", milliseconds(0.0015), ratio(0.9)}}, Notes: []string{"a note"}}
	var b strings.Builder
	if err := table.Write(&b); err != nil {
		t.Fatal(err)
	}
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
	table.Rows = append(table.Rows, []string{"too short"})
	if err := table.Write(&b); err == nil {
		t.Error("no error for a row that does not fit")
	}
}

// Ratios are those of the rounds, not that of the medians.
func TestSamples(t *testing.T) {
	s := samples{ours: {1, 30, 4}, upstream: {2, 40, 4}, "half": {1}}
	if got := s.median(ours); got != 4 {
		t.Errorf("median %v, want 4", got)
	}
	if got := (samples{ours: {1, 2}}).median(ours); got != 1.5 {
		t.Errorf("median of two %v, want 1.5", got)
	}
	if got := (samples{ours: {9, 2, 1, 4, 5, 6, 7, 8}}).lowerQuartile(ours); got != 4 {
		t.Errorf("lower quartile %v, want 4", got)
	}
	if got := s.ratio(ours, upstream); got != 0.75 {
		t.Errorf("ratio %v, want 0.75", got)
	}
	if got := s.difference(upstream, ours); got != 1 {
		t.Errorf("difference %v, want 1", got)
	}
	if got := s.difference(ours, "half"); !math.IsNaN(got) {
		t.Errorf("difference of sides with different rounds: %v, want none", got)
	}
	if got := s.ratio(ours, "half"); !math.IsNaN(got) {
		t.Errorf("ratio of sides with different rounds: %v, want none", got)
	}
	if got := s.median("nobody"); !math.IsNaN(got) {
		t.Errorf("median of nothing: %v, want none", got)
	}
}

func TestRotate(t *testing.T) {
	list := []string{"a", "b", "c"}
	if got := rotate(list, 4); !slices.Equal(got, []string{"b", "c", "a"}) || list[0] != "a" {
		t.Errorf("rotated by four: %q; the list: %q", got, list)
	}
}

func TestByPackage(t *testing.T) {
	const nm = `  480e20        100 T runtime.mallocgc
  480f20          5 t example.com/a/b.(*T).Method.func1
  480f30          6 T example.com/a/b.F[go.shape.string]
  480f40          7 R go:itab.*example.com/a/b.T,io.Reader
  480f50          8 r type:.eq.example.com/a/v1%2e37.S
  490000       1000 r go:func.*
  4a0000  33554432 D crypto/internal/fips140/drbg.memory
  4b0000       2000 B main.zero
                  U undefined
`
	got, err := byPackage(strings.NewReader(nm))
	if err != nil {
		t.Fatal(err)
	}
	for name, size := range map[string]float64{"runtime": 100, "example.com/a/b": 18, "example.com/a/v1.37": 8} {
		if got[name] != size {
			t.Errorf("%s has %v bytes, want %v", name, got[name], size)
		}
		delete(got, name)
	}
	if len(got) > 0 {
		t.Errorf("more packages: %v", got)
	}
	if _, err := byPackage(strings.NewReader("nothing\n")); err == nil {
		t.Error("no error without symbols")
	}
}

func TestUsage(t *testing.T) {
	const line = usage.Prefix + `{"Peak":4096,"CPU":2,"Wall":3}`
	for _, test := range []struct {
		name, log string
		ok, fails bool
	}{
		{"among others", "level=info\n\n" + line + "\nmore\n", true, false},
		{"not yet whole", "\n" + line, false, false},
		{"none", "level=info msg=" + line + "\n", false, false},
		{"broken", "\n" + usage.Prefix + "12 kB\n", true, true},
	} {
		u, ok, err := usage.Find([]byte(test.log))
		if ok != test.ok || (err != nil) != test.fails || ok && !test.fails && u.Peak != 4096 {
			t.Errorf("%s: %+v, %t, %v", test.name, u, ok, err)
		}
	}
}

func TestTagLookup(t *testing.T) {
	for path, want := range map[string]bool{
		"/v2/library/busybox/manifests/latest":     true,
		"/v2/library/busybox/manifests/sha256:abc": false,
		"/v2/library/busybox/blobs/sha256:abc":     false,
		"/v2/":                                     false,
	} {
		if got := isTagLookup(httptest.NewRequest("HEAD", path, nil)); got != want {
			t.Errorf("%s: %t, want %t", path, got, want)
		}
	}
}

// TestImageSize compares the frontends as they are published.
func TestImageSize(t *testing.T) {
	binary := t.TempDir() + "/binary"
	var sizes []float64
	for _, p := range []program{oursProgram, upstreamProgram} {
		size, err := compressedSize(t.Context(), p, platform, binary)
		if err != nil {
			t.Fatal(err)
		}
		sizes = append(sizes, size)
	}
	if sizes[0] > sizes[1] {
		t.Errorf("ours has %s, upstream's %s", megabytes(sizes[0]), megabytes(sizes[1]))
	}
}

// TestTransferred compares what clients send, which does not depend on how busy
// the machine is: less than there is, and not more than with upstream's frontend but
// for the files that the frontend itself reads, to take fields of them.
func TestTransferred(t *testing.T) {
	lab, err := NewLab(t.Context(), t.Output())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := lab.Close(); err != nil {
			t.Error(err)
		}
	})
	table, err := lab.Transfer(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	reduces := map[string]bool{"examples/release": true}
	for _, row := range table.Rows {
		var n []int64
		for _, cell := range row[1:] {
			v, err := strconv.ParseInt(cell, 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			n = append(n, v)
		}
		if n[0] == 0 || n[0] > n[1] && !reduces[row[0]] || n[0] >= n[2] {
			t.Errorf("%s: ours sends %d bytes, upstream's %d, of %d", row[0], n[0], n[1], n[2])
		}
	}
}
