package sandbox

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestFlags checks that everything that compiles the frontend does it in the
// same way.
func TestFlags(t *testing.T) {
	root, err := RepoRoot()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"Makefile", "Dockerfile"} {
		data, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		if want := `build -trimpath -tags ` + FrontendTags + ` -ldflags "-s -w" `; strings.Count(string(data), want) != 1 {
			t.Errorf("%s does not have %q once", name, want)
		}
	}
}
