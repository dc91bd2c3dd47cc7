package frontend

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// TestArchitecture compares the imports of all packages with what
// docs/architecture.md says that they may import.
func TestArchitecture(t *testing.T) {
	const module = "github.com/cachewright/cachewright/"
	allowed := rooms(t)
	out, err := exec.CommandContext(t.Context(), "go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`,
		"../cmd/...", "../frontend/...", "../llbconv/...", "../cachepolicy/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		pkg := strings.TrimPrefix(fields[0], module)
		may, ok := allowed[pkg]
		if !ok {
			t.Errorf("docs/architecture.md does not have %s", pkg)
			continue
		}
		for _, path := range fields[1:] {
			if in, own := strings.CutPrefix(path, module); own && !slices.Contains(may, in) {
				t.Errorf("%s imports %s, which docs/architecture.md does not allow", pkg, in)
			}
		}
		delete(allowed, pkg)
	}
	for pkg := range allowed {
		t.Errorf("docs/architecture.md has %s, which there is no package of", pkg)
	}
}

// rooms reads the table of packages: what each may import.
func rooms(t *testing.T) map[string][]string {
	t.Helper()
	dt, err := os.ReadFile("../docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(dt), "| Package | Holds | May import |")
	table, _, _ = strings.Cut(table, "\n\n")
	out := map[string][]string{}
	for line := range strings.Lines(table) {
		cells := strings.Split(line, "|")
		if len(cells) != 5 || !strings.Contains(cells[1], "`") {
			continue
		}
		for _, pkg := range quoted(cells[1]) {
			out[pkg] = quoted(cells[3])
		}
	}
	if len(out) < 10 {
		t.Fatalf("the table has %d packages only", len(out))
	}
	return out
}

// quoted returns what stands between backticks.
func quoted(text string) []string {
	var out []string
	for i, part := range strings.Split(text, "`") {
		if i%2 == 1 {
			out = append(out, part)
		}
	}
	return out
}
