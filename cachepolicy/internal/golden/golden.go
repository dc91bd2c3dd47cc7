// Package golden runs tests whose input and expected output are txtar files.
package golden

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

// Run runs one test per txtar file of testdata/dir. The function gets the
// files and returns what the file named want should hold. UPDATE=1 rewrites it.
func Run(t *testing.T, dir string, run func(t *testing.T, files map[string]string) string) {
	t.Helper()
	for _, path := range paths(t, dir) {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			archive, files := read(t, path)
			compare(t, path, archive, run(t, files))
		})
	}
}

// Files returns the files of each txtar file of testdata/dir.
func Files(t *testing.T, dir string) []map[string]string {
	t.Helper()
	var out []map[string]string
	for _, path := range paths(t, dir) {
		_, files := read(t, path)
		out = append(out, files)
	}
	return out
}

func paths(t *testing.T, dir string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("testdata", dir, "*.txtar"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no goldens in testdata/%s: %v", dir, err)
	}
	return paths
}

func read(t *testing.T, path string) (*txtar.Archive, map[string]string) {
	t.Helper()
	archive, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, f := range archive.Files {
		files[f.Name] = string(f.Data)
	}
	return archive, files
}

func compare(t *testing.T, path string, archive *txtar.Archive, got string) {
	t.Helper()
	if !strings.HasSuffix(got, "\n") {
		got += "\n"
	}
	last := len(archive.Files) - 1
	if archive.Files[last].Name != "want" {
		archive.Files = append(archive.Files, txtar.File{Name: "want"})
		last++
	}
	want := string(archive.Files[last].Data)
	if got == want {
		return
	}
	if os.Getenv("UPDATE") == "" {
		t.Fatalf("%s: got\n%s\nwant\n%s\n(UPDATE=1 rewrites the file)", path, got, want)
	}
	archive.Files[last].Data = []byte(got)
	if err := os.WriteFile(path, txtar.Format(archive), 0o644); err != nil {
		t.Fatal(err)
	}
}
