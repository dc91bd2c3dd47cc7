package cachepolicy

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/cachewright/cachewright/cachepolicy/internal/phrase"
)

// StepID says which step of a build something is about, in the terms of the
// progress output.
type StepID struct {
	// Stage is the stage's name in lower case, or stage-0, stage-1… for an unnamed
	// one, also where the progress output leaves it out.
	Stage string `json:"stage"`
	// StageIndex is the stage's position in the Dockerfile, from 0.
	StageIndex int `json:"stageIndex"`
	// Number and Total are the i and n of [stage i/n]; 0 for a step that the
	// progress output does not number.
	Number int `json:"number,omitempty"`
	Total  int `json:"total,omitempty"`
	// Line and EndLine are the instruction's lines in the Dockerfile, from 1; 0 for
	// a trigger of the base image.
	Line    int `json:"line,omitempty"`
	EndLine int `json:"endLine,omitempty"`
	// Instruction is the keyword in upper case, such as RUN.
	Instruction string `json:"instruction"`
}

// String returns the selector that names the step: stage/number, or @line for a
// step without a number.
func (id StepID) String() string {
	if id.Number == 0 {
		return fmt.Sprintf("@%d", id.Line)
	}
	return fmt.Sprintf("%s/%d", id.Stage, id.Number)
}

// Selector picks steps: `NAME` or a glob for all steps of the stages of that
// name, `NAME/N` for the N-th as the progress output numbers them, `NAME/*` for
// all, `@LINE` for the instruction at that line of the Dockerfile.
type Selector struct {
	text   string
	stage  string // a glob in lower case
	number int    // 0: every step
	line   int    // above 0: this line alone
}

// globChars are what makes a stage's name a glob.
const globChars = `*?[\`

const selectorForms = "a selector is a stage's name or glob, STAGE/N, STAGE/* or @LINE"

// ParseSelector reads a selector. Stage names are compared without regard to
// case. The error is an *Error.
func ParseSelector(text string) (Selector, error) {
	s, err := parseSelector(text)
	if err != nil {
		return Selector{}, err
	}
	return s, nil
}

func parseSelector(text string) (Selector, *Error) {
	s := Selector{text: text}
	if text == "" {
		return s, &Error{Message: "empty selector; " + selectorForms}
	}
	if digits, ok := strings.CutPrefix(text, "@"); ok {
		n, err := positive(digits)
		if err != nil {
			return s, &Error{Message: fmt.Sprintf("selector %q: %q is not a line number", text, digits)}
		}
		s.line = n
		return s, nil
	}
	stage, step, hasStep := strings.Cut(text, "/")
	if hasStep && step != "*" {
		n, err := positive(step)
		if err != nil {
			return s, &Error{Message: fmt.Sprintf("selector %q: %q is not the number of a step; %s", text, step, selectorForms)}
		}
		s.number = n
	}
	s.stage = strings.ToLower(stage)
	if _, err := path.Match(s.stage, ""); err != nil || stage == "" || strings.ContainsAny(stage, " \t") {
		return s, &Error{Message: fmt.Sprintf("selector %q: %q is not a stage's name or glob; %s", text, stage, selectorForms)}
	}
	return s, nil
}

// positive reads a whole number above 0.
func positive(digits string) (int, error) {
	n, err := strconv.ParseUint(digits, 10, 31)
	if err == nil && n == 0 {
		return 0, strconv.ErrRange
	}
	return int(n), err
}

// String returns the selector as written.
func (s Selector) String() string { return s.text }

// single reports whether the selector picks one step, not any number.
func (s Selector) single() bool {
	return s.line > 0 || s.number > 0 && !strings.ContainsAny(s.stage, globChars)
}

// Matches reports whether the selector picks the step.
func (s Selector) Matches(id StepID) bool {
	if s.line > 0 {
		return id.Line <= s.line && s.line <= id.EndLine
	}
	if s.number > 0 && s.number != id.Number {
		return false
	}
	ok, _ := path.Match(s.stage, strings.ToLower(id.Stage)) // the pattern was checked
	return ok
}

// ParseNoCacheFilter splits the values of --no-cache-filter into plain stage
// names, which mean what they mean to docker/dockerfile, and selectors of the
// forms that are this frontend's own. The error is an *Error.
func ParseNoCacheFilter(values []string) (names []string, selectors []Selector, err error) {
	for _, v := range values {
		if !strings.ContainsAny(v, `*?[@/`) {
			names = append(names, v)
			continue
		}
		s, err := ParseSelector(v)
		if err != nil {
			return nil, nil, err
		}
		selectors = append(selectors, s)
	}
	return names, selectors, nil
}

// Unmatched returns one warning for each selector that picks none of the steps:
// one line that says so and lists what there is.
func Unmatched(selectors []Selector, steps []StepID) []string {
	var out []string
	for _, s := range selectors {
		if slices.ContainsFunc(steps, s.Matches) {
			continue
		}
		text := fmt.Sprintf("selector %s matches no step", s)
		if n := phrase.Nearest(s.text, selectorNames(steps)); n != "" {
			text += fmt.Sprintf(" (did you mean %s?)", n)
		}
		out = append(out, text+"; there is "+listSteps(steps))
	}
	return out
}

// selectorNames returns all selectors of one step or one stage.
func selectorNames(steps []StepID) []string {
	var names []string
	for _, id := range steps {
		if !slices.Contains(names[max(0, len(names)-2):], id.Stage) {
			names = append(names, id.Stage)
		}
		names = append(names, id.String())
	}
	return names
}

// listSteps lists the stages with the range of their steps' numbers.
func listSteps(steps []StepID) string {
	const maxStages = 20
	type span struct {
		stage     string
		low, high int
	}
	var spans []span
	index := map[int]int{}
	for _, id := range steps {
		i, ok := index[id.StageIndex]
		if !ok {
			i = len(spans)
			index[id.StageIndex] = i
			spans = append(spans, span{stage: id.Stage, low: id.Number})
		}
		spans[i].low = min(spans[i].low, id.Number)
		spans[i].high = max(spans[i].high, id.Number)
	}
	if len(spans) == 0 {
		return "no step"
	}
	var parts []string
	for i, s := range spans {
		switch {
		case i == maxStages:
			parts = append(parts, fmt.Sprintf("%d more stages", len(spans)-i))
			return strings.Join(parts, ", ")
		case s.high == 0:
			parts = append(parts, s.stage)
		case s.low == s.high:
			parts = append(parts, fmt.Sprintf("%s/%d", s.stage, s.high))
		default:
			parts = append(parts, fmt.Sprintf("%s/%d to %s/%d", s.stage, max(s.low, 1), s.stage, s.high))
		}
	}
	return strings.Join(parts, ", ")
}
