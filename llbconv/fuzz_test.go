package llbconv_test

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/cachewright/cachewright/llbconv/internal/oracle"
)

// unlocated are the beginnings of errors that are about no line of the file.
var unlocated = []string{
	"the Dockerfile cannot be empty",
	"dockerfile contains no stages to build",
	"failed to parse check options",
	"lint violation found for rules",
	"target stage ",
	"invalid SOURCE_DATE_EPOCH",
	"invalid context name ", // that SOURCE_DATE_EPOCH has
}

// FuzzConvert converts any bytes: the result is a definition or an error that
// says where in the file it is, never a panic.
func FuzzConvert(f *testing.F) {
	silence(f)
	seed(f)
	f.Fuzz(func(t *testing.T, dockerfile []byte, _ uint8) {
		c := &oracle.Case{Dockerfile: dockerfile}
		if tooSlow(c) {
			t.Skip()
		}
		failure := oracle.Ours(t.Context(), c, nil).Err
		if failure == nil || len(failure.Locations) > 0 {
			return
		}
		for _, text := range unlocated {
			if strings.HasPrefix(failure.Text, text) {
				return
			}
		}
		t.Errorf("error without a position: %s", failure.Text)
	})
}

// FuzzOracle converts any bytes with docker/dockerfile's converter too, under one
// of the variants of oracle.Case.Variants: there is no difference but those in
// docs/differences.md.
func FuzzOracle(f *testing.F) {
	silence(f)
	seed(f)
	f.Fuzz(func(t *testing.T, dockerfile []byte, variant uint8) {
		c := &oracle.Case{Dockerfile: dockerfile}
		if tooSlow(c) {
			t.Skip()
		}
		variants := c.Variants()
		c = variants[int(variant)%len(variants)]
		for _, d := range oracle.Compare(t.Context(), c).Unexplained() {
			t.Errorf("%s: %s", d.Kind, d.Detail)
		}
	})
}

// seed adds the goldens and some generated files.
func seed(f *testing.F) {
	for _, corpus := range readCorpora(f) {
		for _, c := range corpus.Cases {
			f.Add(c.Dockerfile, uint8(0))
		}
	}
	for i := range uint64(100) {
		f.Add(oracle.Generate(i).Dockerfile, uint8(i))
	}
}

// tooSlow leaves out what BuildKit's own libraries need long for: wide port
// ranges, and git over ssh, where llb asks the network for the host's key.
func tooSlow(c *oracle.Case) bool {
	return len(c.Dockerfile) > 4096 || bytes.Contains(c.Dockerfile, []byte("@")) || bytes.Contains(c.Dockerfile, []byte("ssh://"))
}

// silence drops what the scanner inside BuildKit's lexer prints about bytes that
// are not UTF-8.
func silence(t testing.TB) {
	stderr := os.Stderr
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	os.Stderr = null
	t.Cleanup(func() {
		os.Stderr = stderr
		null.Close()
	})
}
