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
		text := strings.Join(strings.Fields(strings.ReplaceAll(string(data), "\\\n", "")), " ")
		want := `build -trimpath -tags ` + FrontendTags + ` -ldflags "-s -w`
		if strings.Count(text, want) != 1 {
			t.Errorf("%s does not have %q once", name, want)
			continue
		}
		_, rest, _ := strings.Cut(text, want)
		if version := ` -X github.com/cachewright/cachewright/frontend.version=$VERSION`; !strings.HasPrefix(strings.TrimPrefix(rest, version), `" `) {
			t.Errorf("%s has more flags of the linker than the version: %.100s", name, rest)
		}
	}
}
