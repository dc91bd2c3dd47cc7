package cacheplan_test

import (
	"testing"

	"github.com/cachewright/cachewright/cachepolicy/cacheplan"
	"github.com/cachewright/cachewright/cachepolicy/internal/plantext"
)

// A set that the recorder made known is what the same files are by another way.
func TestSetFiles(t *testing.T) {
	files := []cacheplan.File{{Path: "a", Digest: plantext.DigestOf("1"), Mode: 0o100644}}
	s := cacheplan.FileSet{ID: "s", Patterns: []string{"."}, Digest: "old", Count: 7}
	s.SetFiles(files)
	if !s.Known || s.Size() != 1 || s.Sum() != (&cacheplan.FileSet{Files: files}).Sum() {
		t.Errorf("%+v", s)
	}
	loose := cacheplan.FileSet{IgnoreModes: true}
	if loose.SetFiles(files); loose.Sum() == s.Sum() {
		t.Error("the mode is in the sum although it does not count")
	}
}
