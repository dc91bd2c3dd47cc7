package report

import (
	"cmp"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/cachewright/cachewright/cachepolicy/explain"
	"github.com/cachewright/cachewright/cachepolicy/internal/phrase"
)

// Width is how many columns a line of a text form has at most.
const Width = 100

// The columns of a table: the state of a step, if anything is predicted, then its
// name, and below that, indented, each input with its kind and its origin.
const (
	stateColumn  = 8
	kindIndent   = 2
	kindColumn   = 10
	originColumn = 28
	// maxValueLines is how many lines a long value takes.
	maxValueLines = 3
)

// table writes steps for a terminal. Every line fits Width columns and ends in a
// newline; nothing in it is a control character.
type table struct {
	*Report
	left int // the width of the column in front of the names
	b    strings.Builder
}

func newTable(r *Report) *table {
	t := &table{Report: r}
	if r.predicted() {
		t.left = stateColumn
	}
	return t
}

// predicted reports whether there are predictions.
func (r *Report) predicted() bool {
	return len(r.Predictions) > 0 && len(r.Predictions) == len(r.Plan.Steps)
}

// line writes one line without blanks at its end.
func (t *table) line(text string) {
	t.b.WriteString(strings.TrimRight(text, " "))
	t.b.WriteByte('\n')
}

// subject names what is built: the file, the target, the platform.
func (r *Report) subject() string {
	what := cmp.Or(r.Plan.Dockerfile, "Dockerfile")
	if r.Plan.Target != "" {
		what += ", target " + r.Plan.Target
	}
	if r.Plan.Platform != "" {
		what += ", " + r.Plan.Platform
	}
	return phrase.OneLine(what)
}

// tally says how many steps there are, and what is predicted of them.
func (r *Report) tally() string {
	steps := phrase.Count(len(r.Plan.Steps), "step")
	if !r.predicted() {
		return steps
	}
	return fmt.Sprintf("%s; predicted: %d hit, %d re-run, %d unknown", steps,
		r.count(explain.StateHit), r.count(explain.StateReRun), r.count(explain.StateUnknown))
}

// step writes a step with every input of its key.
func (t *table) step(i int) {
	s := &t.Plan.Steps[i]
	state, after, why := "", "", ""
	if t.predicted() {
		pr := &t.Predictions[i]
		state, why = string(pr.State), explain.Text(pr.Reasons)
		if age := t.age(i); age != "" {
			after = "  (" + age + ")"
		}
	}
	name := phrase.Shorten(phrase.OneLine(s.Name), Width-t.left-utf8.RuneCountInString(after))
	t.line("")
	t.line(pad(state, t.left) + name + after)
	if why != "" {
		t.detail("because", why)
	}
	for _, r := range t.rows(i) {
		t.row(r)
	}
	if s.NoCache {
		t.detail("no-cache", "asked for with the build")
	}
}

// row writes an input with where it comes from. A text too long for its column
// takes the line's right part too, and more lines.
func (t *table) row(r row) {
	start := t.left + kindIndent + kindColumn
	valueColumn := Width - originColumn - start
	lines := chunks(phrase.OneLine(r.text), valueColumn-1)
	if len(lines) > 1 {
		lines = chunks(phrase.OneLine(r.text), Width-start)
	}
	last := len(lines) - 1
	if utf8.RuneCountInString(lines[last]) >= valueColumn {
		lines = append(lines, "")
		last++
	}
	lines[last] = pad(lines[last], valueColumn) + phrase.Shorten(phrase.OneLine(r.origin), originColumn)
	t.lines(r.kind, lines)
}

// detail writes a text that may go on over several lines.
func (t *table) detail(kind, text string) {
	t.lines(kind, wrap(phrase.OneLine(text), Width-t.left-kindIndent-kindColumn))
}

// lines writes lines with the kind in front of the first.
func (t *table) lines(kind string, lines []string) {
	for _, line := range lines {
		t.line(strings.Repeat(" ", t.left+kindIndent) + pad(phrase.Shorten(phrase.OneLine(kind), kindColumn-1), kindColumn) + line)
		kind = ""
	}
}

// chunks cuts a text into lines of so many columns. What would need more than
// maxValueLines is left out.
func chunks(text string, columns int) []string {
	runes := []rune(text)
	if len(runes) > maxValueLines*columns {
		runes = append(runes[:maxValueLines*columns-1], '…')
	}
	var lines []string
	for len(runes) > columns {
		lines = append(lines, string(runes[:columns]))
		runes = runes[columns:]
	}
	return append(lines, string(runes))
}

// wrap breaks a text at blanks into lines of so many columns; a longer word is
// cut.
func wrap(text string, columns int) []string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		word = phrase.Shorten(word, columns)
		switch {
		case line == "":
			line = word
		case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > columns:
			lines = append(lines, line)
			line = word
		default:
			line += " " + word
		}
	}
	return append(lines, line)
}

func pad(text string, columns int) string {
	return text + strings.Repeat(" ", max(columns-utf8.RuneCountInString(text), 0))
}
