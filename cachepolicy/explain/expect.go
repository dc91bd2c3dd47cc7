package explain

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/cachewright/cachewright/cachepolicy"
	"github.com/cachewright/cachewright/cachepolicy/cacheplan"
	"github.com/cachewright/cachewright/cachepolicy/internal/phrase"
)

// Expectation says what is expected of the steps that a selector picks.
type Expectation struct {
	Selector cachepolicy.Selector
	State    State // StateHit, StateReRun or ExpectNotReRun
}

// ExpectNotReRun is what may be expected of a step besides what can be predicted: a
// hit, or nothing that is known.
const ExpectNotReRun = "not-re-run"

// meets reports whether what is predicted is as expected.
func (e Expectation) meets(predicted State) bool {
	return e.State == predicted || e.State == ExpectNotReRun && predicted != StateReRun
}

// ParseExpectations reads the value of CACHEWRIGHT_EXPECT,
// `SELECTOR=hit|re-run|not-re-run[, …]`. The error is an *Error.
func ParseExpectations(value string) ([]Expectation, error) {
	var out []Expectation
	if strings.TrimSpace(value) == "" {
		return nil, &cachepolicy.Error{BuildArg: cachepolicy.ArgExpect, Message: "it says nothing to assert; write SELECTOR=hit, SELECTOR=re-run or SELECTOR=not-re-run, separated by commas"}
	}
	for part := range strings.SplitSeq(value, ",") {
		e, err := parseExpectation(strings.TrimSpace(part))
		if err != nil {
			if e := (*cachepolicy.Error)(nil); errors.As(err, &e) {
				e.BuildArg = cachepolicy.ArgExpect
			}
			return nil, err
		}
		out = append(out, e)
	}
	return out, nil
}

func parseExpectation(text string) (Expectation, error) {
	left, right, ok := phrase.CutLast(text, "=")
	if !ok {
		return Expectation{}, &cachepolicy.Error{Message: fmt.Sprintf("%q has no =; write SELECTOR=hit, SELECTOR=re-run or SELECTOR=not-re-run", text)}
	}
	sel, err := cachepolicy.ParseSelector(strings.TrimSpace(left))
	if err != nil {
		return Expectation{}, err
	}
	state := State(strings.TrimSpace(right))
	if !slices.Contains([]State{StateHit, StateReRun, ExpectNotReRun}, state) {
		return Expectation{}, &cachepolicy.Error{Message: fmt.Sprintf("%q is not what a step can be expected to do; write hit, re-run or not-re-run", right), Suggestion: nearestState(string(state))}
	}
	return Expectation{Selector: sel, State: state}, nil
}

// nearestState returns what somebody meant who uses other words.
func nearestState(word string) string {
	switch strings.ToLower(word) {
	case "cached", "cache":
		return string(StateHit)
	case "miss", "run", "runs", "changed":
		return string(StateReRun)
	case "unknown", "hit-or-unknown", "unknown-or-hit", "not-rerun", "no-re-run":
		return ExpectNotReRun
	}
	return phrase.Nearest(word, []string{string(StateHit), string(StateReRun), ExpectNotReRun})
}

// Check is the outcome of one expectation for one step.
type Check struct {
	Expected Expectation
	// Step is the index in Plan.Steps, or -1 if the selector picks none.
	Step   int
	Passed bool
}

// Assertion is the outcome of all expectations.
type Assertion struct {
	Checks []Check
	// Text says in one line for each check what was expected and what is predicted,
	// and then the sum. Every line ends in a newline.
	Text string
}

// Passed reports whether everything is as expected.
func (a Assertion) Passed() bool {
	return !slices.ContainsFunc(a.Checks, func(c Check) bool { return !c.Passed })
}

// Assert compares predictions, one for each step of the plan, with what is
// expected. Every step that a selector picks has to be predicted as expected;
// unknown is as expected for not-re-run alone, and a selector that picks no step never.
func Assert(p *cacheplan.Plan, predictions []Prediction, expected []Expectation) Assertion {
	var a Assertion
	var b strings.Builder
	for _, e := range expected {
		picked := false
		for i := range predictions {
			if e.Selector.Matches(p.Steps[i].ID) {
				picked = true
				c := Check{Expected: e, Step: i, Passed: e.meets(predictions[i].State)}
				a.Checks = append(a.Checks, c)
				b.WriteString(c.text(p, predictions[i]))
			}
		}
		if !picked {
			a.Checks = append(a.Checks, Check{Expected: e, Step: -1})
			fmt.Fprintf(&b, "FAIL  %s\n", phrase.OneLine(cachepolicy.Unmatched([]cachepolicy.Selector{e.Selector}, stepIDs(p))[0]))
		}
	}
	failed := 0
	for _, c := range a.Checks {
		if !c.Passed {
			failed++
		}
	}
	fmt.Fprintf(&b, "%s as expected, %d not\n", phrase.Count(len(a.Checks)-failed, "step"), failed)
	a.Text = b.String()
	return a
}

func (c Check) text(p *cacheplan.Plan, predicted Prediction) string {
	name := phrase.OneLine(p.Steps[c.Step].Name)
	if c.Passed {
		return fmt.Sprintf("ok    %s: %s\n", name, c.Expected.State)
	}
	text := fmt.Sprintf("FAIL  %s: expected %s (%s), predicted %s", name, c.Expected.State, c.Expected.Selector, predicted.State)
	if why := Text(predicted.Reasons); why != "" {
		text += ": " + why
	}
	return text + "\n"
}

// stepIDs returns the steps' IDs.
func stepIDs(p *cacheplan.Plan) []cachepolicy.StepID {
	ids := make([]cachepolicy.StepID, len(p.Steps))
	for i := range p.Steps {
		ids[i] = p.Steps[i].ID
	}
	return ids
}
