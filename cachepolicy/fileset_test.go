package cachepolicy

import (
	"testing"
	"time"
)

// A set that the recorder made known is what the same files are by another way.
func TestSetFiles(t *testing.T) {
	files := []File{{Path: "a", Digest: digestOf("1"), Mode: 0o100644}}
	s := FileSet{ID: "s", Patterns: []string{"."}, Digest: "old", Count: 7}
	s.SetFiles(files)
	if !s.Known || s.size() != 1 || s.sum() != (&FileSet{Files: files}).sum() {
		t.Errorf("%+v", s)
	}
	loose := FileSet{IgnoreModes: true}
	if loose.SetFiles(files); loose.sum() == s.sum() {
		t.Error("the mode is in the sum although it does not count")
	}
}

// Builds of one second keep their order.
func TestRecordOrder(t *testing.T) {
	r := Record{}.Add(recorded(t, "a", 1, "app 1/1 RUN a"))
	b := recorded(t, "b", 1, "app 1/1 RUN b")
	b.Time = b.Time.Add(time.Microsecond)
	if got := ids(DecodeRecord(r.Add(b).Encode())); got != "b a" {
		t.Errorf("%q", got)
	}
}
