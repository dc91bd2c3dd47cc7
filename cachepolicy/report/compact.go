package report

import (
	"fmt"
	"unicode/utf8"

	"github.com/cachewright/cachewright/cachepolicy/cacheplan"
	"github.com/cachewright/cachewright/cachepolicy/explain"
	"github.com/cachewright/cachewright/cachepolicy/internal/phrase"
)

// compact prints one line for each step, the first cause on top, and below them the
// inputs of the steps with a cause of their own.
func compact(r *Report) (*Answer, error) {
	t := newTable(r)
	t.line(phrase.Shorten("Cache plan of "+r.subject(), Width))
	causes := r.causes()
	if len(causes) > 0 {
		t.cause(causes)
	}
	t.line("")
	t.steps()
	t.line("")
	t.line(r.tally())
	t.inputs(causes)
	return &Answer{Text: t.b.String(), Value: r.document()}, nil
}

// cause writes the first cause, with the step that has it and what follows.
func (t *table) cause(causes []Cause) {
	c := causes[0]
	s := &t.Plan.Steps[c.Step]
	for i, line := range wrap("Cause: "+phrase.OneLine(explain.Text(c.Reasons)), Width-2) {
		if i > 0 {
			line = "  " + line
		}
		t.line(line)
	}
	where := "in " + phrase.OneLine(s.Name)
	if s.ID.Line > 0 {
		where = fmt.Sprintf("in line %d, %s", s.ID.Line, phrase.OneLine(s.Name))
	}
	after := ""
	if n := len(c.Follow); n > 0 {
		after = "; " + stepsFollow(n)
	}
	if n := len(causes) - 1; n > 0 {
		after += "; " + phrase.Count(n, "more cause") + " below"
	}
	t.line("  " + phrase.Shorten(where, Width-2-utf8.RuneCountInString(after)) + after)
}

// minFolded is how many steps that only follow are folded into one line.
const minFolded = 3

// steps writes the lines of all steps. Steps of a stage in a row that run again only
// because of another one are one line together.
func (t *table) steps() {
	roots := t.roots()
	for i := 0; i < len(t.Plan.Steps); {
		n := following(t.Plan, roots, i)
		if n < minFolded {
			t.short(i)
			i++
			continue
		}
		text := fmt.Sprintf("and %d that %s: %s", n, t.verb(i, i+n), t.span(i, i+n-1))
		t.line(pad("", t.left) + phrase.Shorten(text, Width-t.left))
		i += n
	}
}

// following returns how many steps of one stage from i on run again, or may, only
// because of another one.
func following(p *cacheplan.Plan, roots []int, i int) int {
	n := 0
	for i+n < len(roots) && roots[i+n] >= 0 && roots[i+n] != i+n && p.Steps[i+n].ID.StageIndex == p.Steps[i].ID.StageIndex {
		n++
	}
	return n
}

// verb says what some steps do that only follow.
func (t *table) verb(from, to int) string {
	for _, p := range t.Predictions[from:to] {
		if p.State != explain.StateReRun {
			return "may follow"
		}
	}
	return "follow"
}

// span names the first and the last of several steps.
func (t *table) span(first, last int) string {
	return phrase.OneLine(t.Plan.StepName(first, nil) + " to " + t.Plan.StepName(last, &t.Plan.Steps[first]))
}

// maxReason is how many columns a reason takes at most, where the name needs the
// rest.
const maxReason = 48

// short writes one step on one line: its state, its name, the reason.
func (t *table) short(i int) {
	name, note := phrase.OneLine(t.Plan.Steps[i].Name), ""
	state := ""
	if t.predicted() {
		p := &t.Predictions[i]
		state = string(p.State)
		if len(p.Reasons) > 0 {
			note = "  ← " + phrase.OneLine(explain.Text(p.Reasons))
		} else if age := t.age(i); age != "" {
			note = "  (" + age + ")"
		}
	}
	free := Width - t.left
	note = phrase.Shorten(note, max(maxReason, free-utf8.RuneCountInString(name)))
	t.line(pad(state, t.left) + phrase.Shorten(name, free-utf8.RuneCountInString(note)) + note)
}

// inputs writes the steps with a cause of their own in full. The inputs of a step
// that only follows are as they were.
func (t *table) inputs(causes []Cause) {
	if len(causes) == 0 {
		return
	}
	t.line("")
	t.line("Inputs of the steps that run again:")
	follow := 0
	for _, c := range causes {
		t.step(c.Step)
		follow += len(c.Follow)
	}
	if follow > 0 {
		t.line("")
		t.line(fmt.Sprintf("%s only because of these, with inputs as before.", runAgain(follow)))
	}
}

func runAgain(n int) string {
	if n == 1 {
		return "1 more step runs again"
	}
	return fmt.Sprintf("%d more steps run again", n)
}
