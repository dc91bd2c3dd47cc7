package explain

import (
	"os"
	"regexp"
	"strings"
	"testing"
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
			if _, err := ParseExpectations(string(m[1])); err != nil {
				t.Error(err)
			}
		}
	}
	if found == 0 {
		t.Error("none are shown")
	}
}

// The page about explanations lists every kind of input, origin, state and reason
// of the JSON form.
func TestDocumentedKinds(t *testing.T) {
	page, err := os.ReadFile("../../docs/explain.md")
	if err != nil {
		t.Fatal(err)
	}
	schema, err := os.ReadFile("../../docs/cachewright.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	constants := regexp.MustCompile(`(?m)^\t\w+ +(ReasonKind|InputKind|OriginKind|State) += "([a-z-]+)"`)
	for _, file := range []string{"reason.go", "../input.go", "../origin.go", "predict.go"} {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		found := constants.FindAllStringSubmatch(string(source), -1)
		if len(found) < 3 {
			t.Errorf("%s: only %d constants are found", file, len(found))
		}
		for _, m := range found {
			if !strings.Contains(string(page), "`"+m[2]+"`") {
				t.Errorf("%s %s is not listed", m[1], m[2])
			}
			if !strings.Contains(string(schema), `"`+m[2]+`"`) {
				t.Errorf("%s %s is not in the schema", m[1], m[2])
			}
		}
	}
}
