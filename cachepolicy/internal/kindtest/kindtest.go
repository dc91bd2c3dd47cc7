// Package kindtest compares tables that have a row for each constant of a type with
// the constants in the source, with what makes use of them, and with the
// documentation. Tests alone import it.
package kindtest

import (
	"encoding/json"
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Constants returns the constants of a named string type that the package in dir
// declares, by their values: the names. There must be at least three.
func Constants(t *testing.T, dir, typeName string) map[string]string {
	t.Helper()
	// What other packages declare is not needed for the constants of this one.
	conf := types.Config{Error: func(error) {}}
	fset, files := parse(t, dir)
	pkg, _ := conf.Check(dir, fset, files, nil)
	out := map[string]string{}
	for _, name := range pkg.Scope().Names() {
		c, ok := pkg.Scope().Lookup(name).(*types.Const)
		if !ok || !isNamed(c.Type(), typeName) {
			continue
		}
		value := constant.StringVal(c.Val())
		if other, twice := out[value]; twice {
			t.Errorf("%s and %s are both %q", name, other, value)
		}
		out[value] = name
	}
	if len(out) < 3 {
		t.Fatalf("%s has %d constants of type %s only: the test is void", dir, len(out), typeName)
	}
	return out
}

func isNamed(t types.Type, name string) bool {
	n, ok := t.(*types.Named)
	return ok && n.Obj().Name() == name
}

// parse reads the files of a package that are no tests.
func parse(t *testing.T, dir string) (*token.FileSet, []*ast.File) {
	t.Helper()
	fset := token.NewFileSet()
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	var out []*ast.File
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(fset, path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, f)
	}
	return fset, out
}

// Used returns which of some constants functions of packages name, in whatever
// package they are declared.
func Used(t *testing.T, constants map[string]string, dirs ...string) map[string]bool {
	t.Helper()
	values := map[string]string{}
	for value, name := range constants {
		values[name] = value
	}
	out := map[string]bool{}
	for _, dir := range dirs {
		_, files := parse(t, dir)
		for _, f := range files {
			for _, decl := range f.Decls {
				if fn, ok := decl.(*ast.FuncDecl); ok {
					ast.Inspect(fn, func(n ast.Node) bool {
						if id, ok := n.(*ast.Ident); ok && values[id.Name] != "" {
							out[values[id.Name]] = true
						}
						return true
					})
				}
			}
		}
	}
	return out
}

// Same reports what one of two sets lacks that the other has, by their keys. The
// names say what the sets are.
func Same[K, L ~string, V, W any](t *testing.T, name string, a map[K]V, other string, b map[L]W) {
	t.Helper()
	for k := range a {
		if _, ok := b[L(k)]; !ok {
			t.Errorf("%s has %s, and %s has not", name, k, other)
		}
	}
	for k := range b {
		if _, ok := a[K(k)]; !ok {
			t.Errorf("%s has %s, and %s has not", other, k, name)
		}
	}
}

// Text returns what the group of a regular expression matches in a page. It must
// match there once.
func Text(t *testing.T, page, place string) string {
	t.Helper()
	dt, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(place).FindAllSubmatch(dt, -1)
	if len(found) != 1 {
		t.Fatalf("%s has %d places like %s", page, len(found), place)
	}
	return string(found[0][1])
}

// Documented returns what stands in backticks in such a Text.
func Documented(t *testing.T, page, place string) map[string]bool {
	t.Helper()
	out := map[string]bool{}
	for i, part := range strings.Split(Text(t, page, place), "`") {
		if i%2 == 1 {
			out[part] = true
		}
	}
	return out
}

// Enum returns the values that a JSON schema lists at a path.
func Enum(t *testing.T, schema string, path ...string) map[string]bool {
	t.Helper()
	dt, err := os.ReadFile(schema)
	if err != nil {
		t.Fatal(err)
	}
	var at struct{ Enum []string }
	for _, key := range path {
		var object map[string]json.RawMessage
		if err := json.Unmarshal(dt, &object); err != nil {
			t.Fatalf("%s: %s: %v", schema, key, err)
		}
		dt = object[key]
	}
	if err := json.Unmarshal(dt, &at); err != nil {
		t.Fatalf("%s: %v: %v", schema, path, err)
	}
	out := map[string]bool{}
	for _, value := range at.Enum {
		out[value] = true
	}
	return out
}
