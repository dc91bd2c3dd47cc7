package report

import (
	"fmt"
	"slices"

	"github.com/cachewright/cachewright/cachepolicy/cacheplan"
	"github.com/cachewright/cachewright/cachepolicy/explain"
	"github.com/cachewright/cachewright/cachepolicy/internal/phrase"
)

// Level says how serious a finding is, in SARIF's words.
type Level string

// The levels of findings.
const (
	LevelError   Level = "error"   // an expectation that is not met
	LevelWarning Level = "warning" // what is probably not wanted
	LevelNote    Level = "note"    // what is as it should be, but worth knowing
)

// FindingRule says what kind of thing a finding is.
type FindingRule string

// The kinds of findings.
const (
	FindingExpectation FindingRule = "expectation"  // a step will not do what CACHEWRIGHT_EXPECT says
	FindingStale       FindingRule = "StaleUpgrade" // an old result of what fetches the newest packages
	FindingAdvice      FindingRule = "advice"       // what would have saved runs in earlier builds
	FindingReRun       FindingRule = "re-run"       // a step runs again for a reason of its own
)

// findingRules says what each rule is about, in the order of their importance.
var findingRules = []struct {
	rule  FindingRule
	about string
}{
	{FindingExpectation, "A step will not do what is expected of it"},
	{FindingStale, "What a step fetched as the newest packages is old"},
	{FindingAdvice, "Another Dockerfile would have run fewer commands in earlier builds"},
	{FindingReRun, "A step runs again for a reason of its own"},
}

// Finding is one thing to say about a place in the Dockerfile.
type Finding struct {
	Rule    FindingRule `json:"rule"`
	Level   Level       `json:"level"`
	Message string      `json:"message"`
	// Line and EndLine are the instruction's, from 1; 0 where there is none.
	Line    int `json:"line,omitempty"`
	EndLine int `json:"endLine,omitempty"`
}

// findings returns the expectations that are not met, then what is stale, then advice,
// then the causes of steps that run again.
func (r *Report) findings() []Finding {
	if !r.predicted() {
		return nil
	}
	out := slices.Concat(r.unmet(), r.stale(), r.advised())
	for _, c := range r.causes() {
		id := r.Plan.Steps[c.Step].ID
		message := fmt.Sprintf("%s runs again: %s", id, explain.Text(c.Reasons))
		if n := len(c.Follow); n > 0 {
			message += fmt.Sprintf("; %s", stepsFollow(n))
		}
		out = append(out, Finding{Rule: FindingReRun, Level: LevelNote, Message: phrase.OneLine(message), Line: id.Line, EndLine: id.EndLine})
	}
	return out
}

// advised returns the suggestions, if advice was asked for.
func (r *Report) advised() []Finding {
	if r.Advice == nil || r.skips(FindingAdvice) {
		return nil
	}
	var out []Finding
	for _, s := range r.Advice.Suggestions {
		message := fmt.Sprintf("%s. %s: %s; --call=cache-advice has the patch", capital(s.Seen), capital(s.Do), saves(&s))
		f := Finding{Rule: FindingAdvice, Level: LevelNote, Message: phrase.OneLine(message), Line: s.Line, EndLine: s.Line}
		if i := slices.IndexFunc(r.Plan.Steps, func(step cacheplan.Step) bool { return s.Line > 0 && step.ID.Line == s.Line }); i >= 0 {
			f.EndLine = r.Plan.Steps[i].ID.EndLine
		}
		out = append(out, f)
	}
	return out
}

// skips reports whether the Dockerfile does not want to hear of a rule.
func (r *Report) skips(rule FindingRule) bool {
	return slices.Contains(r.Skip, string(rule)) || slices.Contains(r.Skip, "all")
}

// unmet returns the expectations that are not met.
func (r *Report) unmet() []Finding {
	var out []Finding
	for _, c := range explain.Assert(r.Plan, r.Predictions, r.Expected, r.Now).Checks {
		if c.Passed {
			continue
		}
		f := Finding{Rule: FindingExpectation, Level: LevelError}
		if c.Step < 0 {
			f.Message = fmt.Sprintf("%s picks no step", c.Expected.Selector)
		} else {
			id, p := r.Plan.Steps[c.Step].ID, r.Predictions[c.Step]
			f.Message = fmt.Sprintf("%s is expected to be %s (%s), but the prediction is %s", id, c.Expected, c.Expected.Selector, p.State)
			for _, detail := range []string{r.age(c.Step), explain.Text(p.Reasons)} {
				if detail != "" {
					f.Message += ": " + detail
				}
			}
			f.Line, f.EndLine = id.Line, id.EndLine
		}
		f.Message = phrase.OneLine(f.Message)
		out = append(out, f)
	}
	return out
}

func stepsFollow(n int) string {
	if n == 1 {
		return "1 step follows"
	}
	return fmt.Sprintf("%d steps follow", n)
}
