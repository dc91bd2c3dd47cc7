package llbconv_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/cachewright/cachewright/llbconv"
	"github.com/cachewright/cachewright/llbconv/internal/oracle"
)

// TestPhases prints what each phase makes of the Dockerfiles in testdata/phases.
// UPDATE=1 rewrites what is expected.
func TestPhases(t *testing.T) {
	paths, err := filepath.Glob("testdata/phases/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatal("no goldens", err)
	}
	for _, path := range paths {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		c := &oracle.Case{Dockerfile: archive.Files[0].Data}
		phases, err := oracle.Phases(t.Context(), c, llbconv.Phases)
		if err != nil {
			t.Fatal(err)
		}
		got := &txtar.Archive{Comment: archive.Comment, Files: archive.Files[:1:1]}
		for _, p := range phases {
			got.Files = append(got.Files, txtar.File{Name: p.Name, Data: []byte(strings.TrimSuffix(p.Text, "\n") + "\n")})
		}
		if os.Getenv("UPDATE") != "" {
			if err := os.WriteFile(path, txtar.Format(got), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if d := cmp.Diff(string(txtar.Format(archive)), string(txtar.Format(got))); d != "" {
			t.Errorf("%s: %s", path, d)
		}
	}
}

// TestDecideDoesNothing converts files without rules: nothing is decided then, which
// is what makes the frontend a drop-in.
func TestDecideDoesNothing(t *testing.T) {
	c := &oracle.Case{Dockerfile: []byte("FROM busybox\nARG A=1\nRUN a\nWORKDIR /w\nCOPY . .\n")}
	phases, err := oracle.Phases(t.Context(), c, llbconv.Phases)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range phases {
		if p.Name == "decide" && p.Text != "" {
			t.Errorf("decided without a rule: %s", p.Text)
		}
	}
}
