package fields

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

const docs = "../../docs/fields.md"

// How many bytes are allocated at most for one of a large lock file.
const (
	memoryOfJSON = 5
	memoryOfTOML = 25
)

// TestDocumentedFields compares the tables of docs/fields.md with the presets.
// UPDATE=1 rewrites the page.
func TestDocumentedFields(t *testing.T) {
	page := documentation(t)
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

The columns of the tools are what ` + "`integration/fields`" + ` found: it changes that field alone, in the whole file, and installs with
the lock file of before (a version changes in both). *same*: every installed file is the same, and the copied files are too.
A file's name: the tool writes the field down there, and nothing else differs. Of the fields that stay it says also what
*fails* and which files differ; that is why they stay, or they stay since something else may read them. Compared are
node_modules, vendor and site-packages, without the project itself, and what Cargo compiles of a dependency. uv is not among
the tools, since neither Debian nor npm has it.

Memory and time grow with a file's size. Reducing it allocates at most %d bytes for one of a JSON file (3.4 for a
package-lock.json of 20 MB) and %d for one of a TOML file; files that are copied as they are take none. What is left is in the
build graph as it is up to 1 MB, beyond that compressed.
`

// verdictFile is what integration/fields found: preset, field, tool, key and verdict.
const verdictFile = "testdata/verdicts.tsv"

// verdicts are the findings of a preset: by field and tool.
type verdicts struct {
	tools        []string
	hits, misses []string // the fields, by what they are to the key
	of           map[[2]string]string
}

func readVerdicts(t *testing.T, preset string) *verdicts {
	t.Helper()
	data, err := os.ReadFile(verdictFile)
	if err != nil {
		t.Fatal(err)
	}
	v := &verdicts{of: map[[2]string]string{}}
	add := func(to *[]string, s string) {
		if !slices.Contains(*to, s) {
			*to = append(*to, s)
		}
	}
	for line := range strings.Lines(string(data)) {
		cells := strings.Split(strings.TrimSpace(line), "\t")
		if cells[0] != preset {
			continue
		}
		field, tool := cells[1], cells[2]
		add(&v.tools, tool)
		if cells[3] == "hit" {
			add(&v.hits, field)
		} else {
			add(&v.misses, field)
		}
		v.of[[2]string{field, tool}] = cells[4]
	}
	slices.Sort(v.tools)
	return v
}

// cells are the columns of a field.
func (v *verdicts) cells(field string) string {
	var b strings.Builder
	for _, tool := range v.tools {
		text := v.of[[2]string{field, tool}]
		if text != "" && text != "same" && text != "fails" && !strings.HasSuffix(text, " files") {
			text = "`" + strings.ReplaceAll(text, " ", "`, `") + "`"
		}
		fmt.Fprintf(&b, " %s |", text)
	}
	return b.String()
}

// head is a table's head, with a column for each tool.
func (v *verdicts) head(columns ...string) string {
	columns = append(columns, v.tools...)
	return fmt.Sprintf("\n| %s |\n|%s\n", strings.Join(columns, " | "), strings.Repeat("---|", len(columns)))
}

// TestVerdictsAreOfAll compares the fields that integration/fields has changed with
// those that are left out.
func TestVerdictsAreOfAll(t *testing.T) {
	for _, p := range presets {
		v := readVerdicts(t, p.names[0])
		var drops []string
		for _, d := range p.kinds[0].drops {
			drops = append(drops, d.Path)
		}
		slices.Sort(drops)
		slices.Sort(v.hits)
		if !slices.Equal(drops, v.hits) {
			t.Errorf("%s leaves out\n%s\nbut a change is a hit of\n%s\nput them into integration/fields", p.names[0], drops, v.hits)
		}
	}
}

// documentation is the page.
func documentation(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, intro, memoryOfJSON, memoryOfTOML)
	kept := map[*preset][]Kept{&npm: npmKept, &cargo: cargoKept, &python: pyprojectKept, &composer: composerKept}
	for _, p := range presets {
		v := readVerdicts(t, p.names[0])
		fmt.Fprintf(&b, "\n## %s\n\n| File | |\n|---|---|\n", strings.Join(p.names, ", "))
		for _, k := range p.kinds {
			what := "reduced"
			if k.form == formWhole {
				what = "as it is"
			}
			fmt.Fprintf(&b, "| %s | %s |\n", strings.Join(k.names, ", "), what)
		}
		b.WriteString(v.head("Left out", "Why"))
		for _, d := range p.kinds[0].drops {
			path := "`" + d.Path + "`"
			if d.Becomes != "" {
				path += " (becomes `" + d.Becomes + "`)"
			}
			fmt.Fprintf(&b, "| %s | [%s](%s) |%s\n", path, d.Why, d.Doc, v.cells(d.Path))
		}
		if p == &npm {
			fmt.Fprintf(&b, "\n`npm,noscripts` leaves out also the scripts other than `%s`, and what these name: [no install runs them](https://docs.npmjs.com/cli/v11/using-npm/scripts#life-cycle-scripts).\n",
				strings.Join(installScripts, "`, `"))
		}
		b.WriteString("\n| Stays | Why |\n|---|---|\n")
		for _, k := range kept[p] {
			fmt.Fprintf(&b, "| %s | [%s](%s) |\n", k.Path, k.Why, k.Doc)
		}
		b.WriteString(v.head("Of what stays, changed"))
		for _, field := range v.misses {
			name := field
			if !strings.Contains(name, " ") {
				name = "`" + name + "`"
			}
			fmt.Fprintf(&b, "| %s |%s\n", name, v.cells(field))
		}
	}
	return b.String()
}
