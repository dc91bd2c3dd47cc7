package cachepolicy

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// Every Dockerfile in the documentation of the rules has rules that hold.
func TestDocumentedRules(t *testing.T) {
	blocks := regexp.MustCompile("(?s)```dockerfile\n(.*?)```")
	options := map[Option]bool{}
	for _, file := range []string{"../docs/cache-rules.md", "../docs/recipes.md"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range blocks.FindAllSubmatch(text, -1) {
			instructions, err := instructionsOf(m[1])
			if err != nil {
				t.Errorf("%s: %v in\n%s", file, err, m[1])
				continue
			}
			d, err := AttachDirectives(m[1], instructions)
			if err != nil || len(d.NearMisses) > 0 {
				t.Errorf("%s: %v, %v in\n%s", file, err, d.NearMisses, m[1])
			}
			for _, r := range d.Rules {
				for _, s := range r.Settings() {
					options[s.Option] = true
				}
			}
		}
	}
	for _, name := range optionNames() {
		if !options[Option(name)] {
			t.Errorf("no example has %s", name)
		}
	}
}

// The error and the override that the documentation shows are real.
func TestDocumentedTexts(t *testing.T) {
	text, err := os.ReadFile("../docs/cache-rules.md")
	if err != nil {
		t.Fatal(err)
	}
	_, ruleErr := ParseRule("tll=24h", Origin{Kind: OriginRule, Line: 3})
	if !strings.Contains(string(text), "\n"+ruleErr.Error()+"\n") {
		t.Errorf("the documentation does not show %q", ruleErr)
	}
	m := regexp.MustCompile(`--build-arg 'CACHEWRIGHT_RULES=([^']*)'`).FindAllStringSubmatch(string(text), -1)
	if len(m) == 0 {
		t.Fatal("no override is shown")
	}
	for _, o := range m {
		mustOverrides(t, o[1])
	}
}
