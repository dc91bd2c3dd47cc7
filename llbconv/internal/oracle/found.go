package oracle

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// DockerfilesIn returns the Dockerfiles below a directory: files with that word in
// their name, and, in Go tests, string literals that look like one. Hidden and
// build directories are left out. It fails if there is none.
func DockerfilesIn(root string) ([]*Case, error) {
	var out []*Case
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() {
			if path != root && (strings.HasPrefix(name, ".") || name == "build") {
				return fs.SkipDir
			}
			return nil
		}
		switch {
		case strings.HasSuffix(name, "_test.go"):
			found, err := literals(path)
			out = append(out, found...)
			return err
		case strings.Contains(strings.ToLower(name), "dockerfile") && !strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, ".md") && !strings.HasSuffix(name, ".dockerignore"):
			dt, err := os.ReadFile(path)
			out = append(out, &Case{Name: path, Dockerfile: dt})
			return err
		}
		return nil
	})
	if err == nil && len(out) == 0 {
		err = fmt.Errorf("no Dockerfile in %s", root)
	}
	return out, err
}

var fromLine = regexp.MustCompile(`(?mi)^[ \t]*FROM[ \t]`)

// literals returns the string literals of a Go file that have a FROM line.
func literals(path string) ([]*Case, error) {
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, path, nil, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	var out []*Case
	ast.Inspect(f, func(n ast.Node) bool {
		lit, ok := n.(*ast.BasicLit)
		if !ok || lit.Kind != token.STRING {
			return true
		}
		if text, err := strconv.Unquote(lit.Value); err == nil && fromLine.MatchString(text) {
			out = append(out, &Case{Name: fset.Position(lit.Pos()).String(), Dockerfile: []byte(text)})
		}
		return true
	})
	return out, nil
}

// Variants returns the case under different options.
func (c *Case) Variants() []*Case {
	with := func(name string, change func(*Case)) *Case {
		v := *c
		v.Name += " (" + name + ")"
		change(&v)
		return &v
	}
	return []*Case{
		c,
		with("arguments", func(v *Case) {
			v.Attrs = map[string]string{"build-arg:VERSION": "1", "build-arg:FOO": "foo bar", "build-arg:HTTP_PROXY": "p", "label:x": "y", "hostname": "h", "shm-size": "64"}
		}),
		with("two platforms", func(v *Case) {
			v.Attrs = map[string]string{"platform": "linux/amd64,linux/arm64", "no-cache": ""}
		}),
		with("all stages", func(v *Case) { v.AllStages, v.Dockerignore = true, "*.md\nfoo\n" }),
		with("old daemon without client", func(v *Case) { v.NoClient, v.LackCaps = true, []string{"mergeop"} }),
	}
}
