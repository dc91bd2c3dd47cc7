package reports_test

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	_ "github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif" // has the schema of SARIF
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/cachewright/cachewright/cachepolicy/report"
	"github.com/cachewright/cachewright/integration/sandbox"
)

// TestJSON asks for every form with format=json and checks what it prints, and the
// metadata of a build, by the published schema: all that there is has to be in it.
func TestJSON(t *testing.T) {
	p := start(t, many, map[string]string{"src/a": "1", "src/b.md": "1", "list": "1"})
	p.Arg("NPM_TOKEN", "secret")
	p.Arg("OTHER", "1")
	past := filepath.Join(t.TempDir(), "past")
	p.Must(os.Mkdir(past, 0o755))
	p.Must(os.Rename(build(p), filepath.Join(past, "before.json")))
	p.Write("src/a", "2")
	p.Arg("VERSION", "2")
	p.Arg("OTHER", "2")
	ours, sarif := ourSchema(t), sarifSchema(t)
	for _, f := range report.Forms() {
		t.Run(f.Name, func(t *testing.T) {
			args := []string{"--build-arg=CACHEWRIGHT_EXPECT=app/*=hit, none=hit"}
			if f.Compares {
				args = append(args, "--build-context="+report.PastContext+"="+past)
			}
			r, err := p.Sandbox.Buildx(t.Context(), p.BuildxArgs(append(args, "--call="+f.Name+",format=json")...)...)
			if err != nil && !f.Asserts {
				t.Fatal(err)
			}
			schema := ours
			if f.Name == "cache-sarif" {
				schema = sarif
			}
			validate(t, schema, r.Stdout)
		})
	}
	t.Run("metadata", func(t *testing.T) {
		data, err := os.ReadFile(build(p))
		p.Must(err)
		var metadata map[string]any
		p.Must(json.Unmarshal(data, &metadata))
		text, ok := metadata[report.ResultKey].(string)
		if !ok {
			t.Fatalf("no %s in\n%s", report.ResultKey, data)
		}
		validate(t, ours, text)
	})
}

func validate(t *testing.T, schema *jsonschema.Schema, text string) {
	t.Helper()
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if err := schema.Validate(value); err != nil {
		t.Errorf("%v\n%s", err, text)
	}
}

// ourSchema returns the published schema. It allows for more fields, as what reads
// version 1 has to; here none may be missing from it.
func ourSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	root, err := sandbox.RepoRoot()
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(root, "docs", "cachewright.schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	schema, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	closeObjects(schema)
	return compile(t, schema)
}

// closeObjects forbids what a schema does not name.
func closeObjects(schema any) {
	switch s := schema.(type) {
	case map[string]any:
		if _, ok := s["properties"].(map[string]any); ok && s["type"] == "object" {
			s["additionalProperties"] = false
		}
		for _, value := range s {
			closeObjects(value)
		}
	case []any:
		for _, value := range s {
			closeObjects(value)
		}
	}
}

func compile(t *testing.T, schema any) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	if err := c.AddResource("schema.json", schema); err != nil {
		t.Fatal(err)
	}
	compiled, err := c.Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return compiled
}

// sarifSchema returns the schema of SARIF 2.1.0, which the module go-sarif has as a
// constant of its own.
func sarifSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	dir, err := exec.CommandContext(t.Context(), "go", "list", "-f", "{{.Dir}}", "github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif").Output()
	if err != nil {
		t.Fatal(err)
	}
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(strings.TrimSpace(string(dir)), "schema.go"), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var text string
	ast.Inspect(file, func(n ast.Node) bool {
		if l, ok := n.(*ast.BasicLit); ok && l.Kind == token.STRING && len(l.Value) > len(text) {
			text = l.Value
		}
		return true
	})
	if text, err = strconv.Unquote(text); err != nil {
		t.Fatal(err)
	}
	schema, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return compile(t, schema)
}
