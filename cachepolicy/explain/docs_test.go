package explain

import (
	"os"
	"regexp"
	"testing"

	"github.com/cachewright/cachewright/cachepolicy"
	"github.com/cachewright/cachewright/cachepolicy/internal/kindtest"
)

// The expectations that the documentation shows are read.
func TestDocumentedExpectations(t *testing.T) {
	found := 0
	for _, file := range []string{"../../docs/cache-rules.md", "../../docs/recipes.md", "../../docs/explain.md"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`--build-arg 'CACHEWRIGHT_EXPECT=([^']*)'`).FindAllSubmatch(text, -1) {
			found++
			if _, err := ParseExpectations(cachepolicy.SettingValue{Text: string(m[1])}); err != nil {
				t.Error(err)
			}
		}
	}
	if found == 0 {
		t.Error("none are shown")
	}
}

// The page about explanations and the schema list every kind of input, origin, state
// and reason of the JSON form, each at its place, and no other.
func TestDocumentedKinds(t *testing.T) {
	const page, schema = "../../docs/explain.md", "../../docs/cachewright.schema.json"
	for _, c := range []struct {
		dir, typeName string
		place         string // in the page
		path          []string
	}{
		{"..", "InputKind", "(?s)\nAn input:\n.*?\n\\| `kind` \\| string \\| ([^|]*)", []string{"$defs", "input", "properties", "kind"}},
		{"..", "OriginKind", "(?s)\nAn input:\n.*?\n\\| `origin` \\| object \\| `kind`: ([^;]*);", []string{"$defs", "origin", "properties", "kind"}},
		{".", "State", "\\bindex\\), `state` \\(([^)]*)\\)", []string{"$defs", "state"}},
		{".", "ReasonKind", "(?s)\\bA reason:\n.*?\n\\| `kind` \\| string \\| ([^|]*)", reasonPath("kind")},
		{".", "Change", "(?s)\\bA reason:\n.*?\n\\| `change` \\| string \\| ([^|]*)", reasonPath("change")},
	} {
		t.Run(c.typeName, func(t *testing.T) {
			constants := kindtest.Constants(t, c.dir, c.typeName)
			kindtest.Same(t, "the source", constants, page, kindtest.Documented(t, page, c.place))
			kindtest.Same(t, "the source", constants, schema, kindtest.Enum(t, schema, c.path...))
		})
	}
}

func reasonPath(field string) []string {
	return []string{"$defs", "reasons", "items", "properties", field}
}
