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

// The error that the documentation shows is real, and so are the
// overrides.
func TestDocumentedTexts(t *testing.T) {
	var pages string
	for _, file := range []string{"../docs/cache-rules.md", "../docs/recipes.md", "../docs/explain.md"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		pages += string(text)
	}
	_, ruleErr := readRule("tll=24h", Origin{Kind: OriginRule, Line: 3})
	if !strings.Contains(pages, "\n"+ruleErr.Error()+"\n") {
		t.Errorf("the documentation does not show %q", ruleErr)
	}
	found := map[string]int{}
	for _, m := range regexp.MustCompile(`--build-arg '(CACHEWRIGHT_\w+)=([^']*)'`).FindAllStringSubmatch(pages, -1) {
		found[m[1]]++
		switch m[1] {
		case ArgRules:
			mustOverrides(t, m[2])
		case ArgExpect: // package explain tests those
		default:
			t.Errorf("the test does not know %s", m[0])
		}
	}
	if found[ArgRules] < 3 {
		t.Errorf("overrides shown: %v", found)
	}
}
