package fields

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

const docs = "../../docs/fields.md"

// TestDocumentedFields compares the tables of docs/fields.md with the presets.
// UPDATE=1 rewrites the page.
func TestDocumentedFields(t *testing.T) {
	page := documentation()
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(docs, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(docs)
	if err != nil {
		t.Fatal(err)
	}
	if string(have) != page {
		t.Errorf("%s differs from the presets; UPDATE=1 rewrites it", docs)
	}
}

const intro = `# What the presets of fields leave out

[` + "`# cache=fields=PRESET`" + `](cache-rules.md#fields) copies manifests and lock files without the fields that are known not to
count for an install. The lists below are the presets' own: a test compares them. A field that is in none of them stays.

Manifests come out in one form: without blanks and comments, the keys sorted where their order means nothing. Lock files keep
their order.

The project's own versions are left out of lock files too, so that manifest and lock file agree.
`

// documentation is the page.
func documentation() string {
	var b strings.Builder
	b.WriteString(intro)
	kept := map[*preset][]Kept{&npm: npmKept, &cargo: cargoKept, &python: pyprojectKept, &composer: composerKept}
	for _, p := range presets {
		fmt.Fprintf(&b, "\n## %s\n\n| File | |\n|---|---|\n", strings.Join(p.names, ", "))
		for _, k := range p.kinds {
			what := "reduced"
			if k.form == formWhole {
				what = "as it is"
			}
			fmt.Fprintf(&b, "| %s | %s |\n", strings.Join(k.names, ", "), what)
		}
		b.WriteString("\n| Left out | Why |\n|---|---|\n")
		for _, d := range p.kinds[0].drops {
			path := "`" + d.Path + "`"
			if d.Becomes != "" {
				path += " (becomes `" + d.Becomes + "`)"
			}
			fmt.Fprintf(&b, "| %s | [%s](%s) |\n", path, d.Why, d.Doc)
		}
		if p == &npm {
			fmt.Fprintf(&b, "| with `npm,noscripts`: scripts other than `%s`, and what these name | [no install runs them](https://docs.npmjs.com/cli/v11/using-npm/scripts#life-cycle-scripts) |\n",
				strings.Join(installScripts, "`, `"))
		}
		b.WriteString("\n| Stays | Why |\n|---|---|\n")
		for _, k := range kept[p] {
			fmt.Fprintf(&b, "| %s | [%s](%s) |\n", k.Path, k.Why, k.Doc)
		}
	}
	return b.String()
}
