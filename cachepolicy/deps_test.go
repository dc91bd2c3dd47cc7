package cachepolicy

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// pure are the packages that promise to be pure: what they say depends on what
// they are given.
var pure = []string{".", "cacheplan", "record", "explain", "advice", "report", "secret", "internal/phrase"}

func TestPure(t *testing.T) {
	args := []string{"list", "-deps"}
	for _, dir := range pure {
		args = append(args, "./"+dir)
	}
	out, err := exec.Command("go", args...).Output()
	if err != nil {
		t.Fatal(err)
	}
	deps := strings.Fields(string(out))
	if !slices.Contains(deps, "github.com/cachewright/cachewright/cachepolicy") {
		t.Fatalf("go list does not list the package itself: %s", out)
	}
	for _, dep := range deps {
		if dep == "net" || strings.HasPrefix(dep, "net/http") || dep == "os/exec" || strings.HasPrefix(dep, "github.com/moby/") ||
			strings.HasPrefix(dep, "github.com/containerd/") || strings.HasPrefix(dep, "google.golang.org/") {
			t.Errorf("depends on %s", dep)
		}
	}
	for _, dir := range pure {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("no files in %s: %v", dir, err)
		}
		for _, file := range files {
			if !strings.HasSuffix(file, "_test.go") {
				checkPureFile(t, file)
			}
		}
	}
}

// checkPureFile reports imports of os, of a source of chance, and uses of a clock.
func checkPureFile(t *testing.T, file string) {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range f.Imports {
		if path := strings.Trim(i.Path.Value, `"`); slices.Contains([]string{"os", "math/rand", "math/rand/v2", "crypto/rand", "unsafe"}, path) {
			t.Errorf("%s imports %s", file, path)
		}
	}
	clock := []string{"Now", "Since", "Until", "After", "Tick", "Sleep", "NewTimer", "NewTicker", "AfterFunc", "Local", "LoadLocation"}
	ast.Inspect(f, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if id, ok := sel.X.(*ast.Ident); ok && id.Name == "time" && slices.Contains(clock, sel.Sel.Name) {
			t.Errorf("%s uses time.%s", file, sel.Sel.Name)
		}
		return true
	})
}
