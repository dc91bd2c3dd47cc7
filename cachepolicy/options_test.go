package cachepolicy

import (
	"slices"
	"strings"
	"testing"

	"github.com/cachewright/cachewright/cachepolicy/internal/kindtest"
)

// Every option has its row, something that acts on it, and a line in the table of
// the page about rules, which says what instructions take it. TestDocumentedRules
// looks for an example of each.
func TestOptions(t *testing.T) {
	constants := kindtest.Constants(t, ".", "Option")
	rows := map[Option]bool{}
	for _, row := range optionRows {
		if rows[row.name] {
			t.Errorf("%s has two rows", row.name)
		}
		rows[row.name] = true
		if plain := row.value == "" || row.fixed != ""; plain == (row.read != nil) || len(row.instructions) == 0 {
			t.Errorf("the row of %s does not say how its value is read, or what takes it", row.name)
		}
	}
	kindtest.Same(t, "the source", constants, "optionRows", rows)
	kindtest.Same(t, "optionRows", rows, "what acts on them", kindtest.Used(t, constants, ".", "../llbconv"))
	documented := documentedOptions(t)
	kindtest.Same(t, "optionRows", rows, "the page", documented)
	for _, row := range optionRows {
		if got := documented[row.name]; !slices.Equal(got, row.instructions) {
			t.Errorf("the page says that %s is for %v, its row that it is for %v", row.name, got, row.instructions)
		}
	}
}

// documentedOptions returns the options that the page's table has, and what
// instructions take each.
func documentedOptions(t *testing.T) map[Option][]string {
	t.Helper()
	table := kindtest.Text(t, "../docs/cache-rules.md", `(?s)\n\| Option \| RUN \| COPY, ADD \| FROM \| In short \|\n(.*?)\n\n`)
	out := map[Option][]string{}
	for line := range strings.Lines(table) {
		text, ok := strings.CutPrefix(line, "| [`")
		if !ok {
			continue
		}
		name := Option(text[:strings.IndexAny(text, "=`")])
		out[name] = nil
		for i, instructions := range []string{"RUN", "COPY ADD", "FROM"} {
			if strings.TrimSpace(strings.Split(text, "|")[1+i]) == "yes" {
				out[name] = append(out[name], strings.Fields(instructions)...)
			}
		}
	}
	return out
}
