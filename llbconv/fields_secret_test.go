package llbconv

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/cachewright/cachewright/cachepolicy"
	"github.com/cachewright/cachewright/cachepolicy/fields"
	"github.com/cachewright/cachewright/cachepolicy/fieldspec"
)

// Values of fields that look secret are in no input, and a digest that stands for one
// says nothing to who has not the key. Another value still makes another input.
func TestFieldsKeepSecrets(t *testing.T) {
	const planted, other = "Zq7vKp2mXw9sRt4yUb8n", "Hd3fGj6kLz1cVx5bNm0q"
	for name, file := range map[string]string{
		"name of the field":        `{"publishConfig": {"_authToken": "$"}}`,
		"password in a URL":        `{"dependencies": {"a": "git+https://bob:$@example.org/a.git"}}`,
		"token in a URL":           `{"dependencies": {"a": "https://$@example.org/a.tgz"}}`,
		"list with a known token":  `{"files": ["ghp_$$"]}`,
		"beside fields that count": `{"name": "a", "dependencies": {"b": "^1.0.0"}, "npmToken": "$"}`,
	} {
		t.Run(name, func(t *testing.T) {
			inputs := func(value, key string) []cachepolicy.Input {
				spec, err := fieldspec.Parse([]string{"npm"})
				if err != nil {
					t.Fatal(err)
				}
				reduced, err := fields.Reduce(spec, []fields.File{{Path: "package.json", Data: []byte(strings.ReplaceAll(file, "$", value))}})
				if err != nil {
					t.Fatal(err)
				}
				r := reducedFiles{files: []reducedFile{{Reduced: reduced[0], mode: 0o644}}}
				return r.inputs(cachepolicy.Setting{}, func() []byte { return []byte(key) })
			}
			text := func(in []cachepolicy.Input) string {
				data, err := json.Marshal(in)
				if err != nil {
					t.Fatal(err)
				}
				return string(data)
			}
			first := text(inputs(planted, "key"))
			if strings.Contains(first, planted) {
				t.Errorf("the value is shown: %s", first)
			}
			if first == text(inputs(other, "key")) {
				t.Error("another value gives the same inputs")
			}
			if first == text(inputs(planted, "another key")) {
				t.Error("the digests do not depend on the builder's key")
			}
		})
	}
}
