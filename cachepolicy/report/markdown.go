package report

import (
	"fmt"
	"strings"

	"github.com/cachewright/cachewright/cachepolicy/explain"
	"github.com/cachewright/cachewright/cachepolicy/internal/phrase"
)

// markdown prints what runs again as a table, the causes first, and all else folded:
// for a pull request's comment or the summary of a CI job. Text of the build stands
// in code spans, where nothing in it is a link or calls a person.
func markdown(r *Report) (*Answer, error) {
	m := markdownPage{Report: r}
	m.heading()
	causes := r.causes()
	for _, c := range causes {
		m.cause(c)
	}
	if r.predicted() {
		m.table(func(s explain.State) bool { return s != explain.StateHit })
		if n := r.count(explain.StateHit); n > 0 {
			m.folded(phrase.Count(n, "step")+" from the cache", func() {
				m.table(func(s explain.State) bool { return s == explain.StateHit })
			})
		}
	}
	if len(causes) > 0 {
		m.folded("Inputs of the steps that run again", func() { m.inputs(causes) })
	}
	return &Answer{Text: m.b.String(), Value: r.document()}, nil
}

type markdownPage struct {
	*Report
	b strings.Builder
}

func (m *markdownPage) printf(format string, args ...any) { fmt.Fprintf(&m.b, format, args...) }

func (m *markdownPage) heading() {
	title := phrase.Count(len(m.Plan.Steps), "step")
	if m.predicted() {
		title = fmt.Sprintf("%d of %s would come from it", m.count(explain.StateHit), title)
	}
	m.printf("### Cache: %s\n\n%s\n\n", title, markdownCode(m.subject()))
}

// cause says in a sentence why a step runs again and what that costs.
func (m *markdownPage) cause(c Cause) {
	s := &m.Plan.Steps[c.Step]
	where := ""
	if s.ID.Line > 0 {
		where = fmt.Sprintf(" (line %d)", s.ID.Line)
	}
	m.printf("- **%s** runs again%s: %s", markdownCode(s.ID.String()), where, markdownCode(explain.Text(c.Reasons)))
	if n := len(c.Follow); n > 0 {
		m.printf("; %s", stepsFollow(n))
	}
	if n := len(c.MayFollow); n > 0 {
		m.printf("; %d more if that gives other files", n)
	}
	m.printf("\n")
}

// table lists the steps whose state is picked.
func (m *markdownPage) table(picks func(explain.State) bool) {
	first := true
	for i, p := range m.Predictions {
		if !picks(p.State) {
			continue
		}
		if first {
			m.printf("\n| | Step | Why |\n|---|---|---|\n")
			first = false
		}
		why := ""
		if len(p.Reasons) > 0 {
			why = markdownCell(explain.Text(p.Reasons))
		}
		m.printf("| %s | %s | %s |\n", markdownState(p.State), markdownCell(m.Plan.Steps[i].Name), why)
	}
}

// markdownState returns a state with a sign that is seen from afar.
func markdownState(s explain.State) string {
	switch s {
	case explain.StateHit:
		return "✅ hit"
	case explain.StateReRun:
		return "🔁 re-run"
	case explain.StateUnknown:
		return "❔ unknown"
	}
	return string(s)
}

// folded writes a part that opens on a click.
func (m *markdownPage) folded(title string, body func()) {
	m.printf("\n<details><summary>%s</summary>\n", title)
	body()
	m.printf("\n</details>\n")
}

// inputs writes the inputs of steps with a cause as they stand in a terminal.
func (m *markdownPage) inputs(causes []Cause) {
	t := newTable(m.Report)
	for _, c := range causes {
		t.step(c.Step)
	}
	text := strings.TrimPrefix(t.b.String(), "\n")
	fence := strings.Repeat("`", max(3, longestRun(text, '`')+1))
	m.printf("\n%stext\n%s%s\n", fence, text, fence)
}

// markdownCode returns a text as a code span.
func markdownCode(text string) string {
	text = phrase.OneLine(text)
	fence := strings.Repeat("`", longestRun(text, '`')+1)
	if len(fence) > 1 {
		return fence + " " + text + " " + fence
	}
	return fence + text + fence
}

// markdownCell returns a code span for a cell of a table, where a bar would end it.
func markdownCell(text string) string { return strings.ReplaceAll(markdownCode(text), "|", `\|`) }

// longestRun returns how often a character stands in a row at most.
func longestRun(text string, c rune) int {
	longest, n := 0, 0
	for _, r := range text {
		if n++; r != c {
			n = 0
		}
		longest = max(longest, n)
	}
	return longest
}
