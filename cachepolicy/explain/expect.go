package explain

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cachewright/cachewright/cachepolicy"
	"github.com/cachewright/cachewright/cachepolicy/cacheplan"
	"github.com/cachewright/cachewright/cachepolicy/internal/phrase"
)

// Expectation says what is expected of the steps that a selector picks.
type Expectation struct {
	Selector cachepolicy.Selector
	State    State // StateHit, StateReRun or ExpectNotReRun, or empty with Younger
	// Younger is how old the result of a step may be, or 0. A step that runs again has
	// a new one.
	Younger time.Duration
}

// ExpectNotReRun is what may be expected of a step besides what can be predicted: a
// hit, or nothing that is known.
const ExpectNotReRun = "not-re-run"

// String says what is expected, as in the build argument.
func (e Expectation) String() string {
	if e.Younger > 0 {
		return younger + Age(e.Younger)
	}
	return string(e.State)
}

// younger is the word in front of the age that a result may have.
const younger = "younger:"

// Age returns a time in the past in the unit that people would use: 18d, 5h, 20m.
func Age(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d >= 2*day || d >= day && d%day == 0:
		return strconv.Itoa(int(d/day)) + "d"
	case d >= 2*time.Hour || d >= time.Hour && d%time.Hour == 0:
		return strconv.Itoa(int(d/time.Hour)) + "h"
	}
	return strconv.Itoa(int(d/time.Minute)) + "m"
}

// meets reports whether what is predicted of a step is as expected.
func (e Expectation) meets(p Prediction, now time.Time) bool {
	if e.Younger == 0 {
		return e.State == p.State || e.State == ExpectNotReRun && p.State != StateReRun
	}
	return p.State == StateReRun || p.State == StateHit && !p.Ran.IsZero() && now.Sub(p.Ran) < e.Younger
}

// ParseExpectations reads the value of CACHEWRIGHT_EXPECT,
// `SELECTOR=hit|re-run|not-re-run|younger:7d[, …]`. The error is a *cachepolicy.Error.
func ParseExpectations(value cachepolicy.SettingValue) ([]Expectation, error) {
	var out []Expectation
	if strings.TrimSpace(value.Text) == "" {
		return nil, &cachepolicy.Error{BuildArg: cachepolicy.ArgExpect, Message: "it says nothing to assert; write SELECTOR=hit, SELECTOR=re-run or SELECTOR=not-re-run, separated by commas"}
	}
	for part := range strings.SplitSeq(value.Text, ",") {
		e, err := parseExpectation(strings.TrimSpace(part))
		if err != nil {
			if e := (*cachepolicy.Error)(nil); errors.As(err, &e) {
				e.BuildArg, e.Line = cachepolicy.ArgExpect, value.Line
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
	if text, ok := strings.CutPrefix(strings.TrimSpace(right), younger); ok {
		age, err := parseAge(text)
		return Expectation{Selector: sel, Younger: age}, err
	}
	state := State(strings.TrimSpace(right))
	if !slices.Contains([]State{StateHit, StateReRun, ExpectNotReRun}, state) {
		return Expectation{}, &cachepolicy.Error{Message: fmt.Sprintf("%q is not what a step can be expected to do; write hit, re-run, not-re-run or an age such as younger:7d", right), Suggestion: nearestState(string(state))}
	}
	return Expectation{Selector: sel, State: state}, nil
}

// parseAge reads an age such as 90m, 24h, 7d or 2w.
func parseAge(text string) (time.Duration, error) {
	units := map[byte]time.Duration{'m': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour}
	if text != "" {
		n, err := strconv.ParseUint(text[:len(text)-1], 10, 20)
		if unit, ok := units[text[len(text)-1]]; ok && err == nil && n > 0 && n <= 10_000 {
			return time.Duration(n) * unit, nil
		}
	}
	return 0, &cachepolicy.Error{Message: fmt.Sprintf("%q is no age; write one such as %s90m, 24h, 7d or 2w", text, younger)}
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
func Assert(p *cacheplan.Plan, predictions []Prediction, expected []Expectation, now time.Time) Assertion {
	var a Assertion
	var b strings.Builder
	for _, e := range expected {
		picked := false
		for i := range predictions {
			if e.Selector.Matches(p.Steps[i].ID) {
				picked = true
				c := Check{Expected: e, Step: i, Passed: e.meets(predictions[i], now)}
				a.Checks = append(a.Checks, c)
				b.WriteString(c.text(p, predictions[i], now))
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

func (c Check) text(p *cacheplan.Plan, predicted Prediction, now time.Time) string {
	name := phrase.OneLine(p.Steps[c.Step].Name)
	if c.Passed {
		return fmt.Sprintf("ok    %s: %s\n", name, c.Expected)
	}
	text := fmt.Sprintf("FAIL  %s: expected %s (%s), predicted %s", name, c.Expected, c.Expected.Selector, predicted.State)
	if c.Expected.Younger > 0 && predicted.State == StateHit {
		age := "of unknown age"
		if !predicted.Ran.IsZero() {
			age = Age(now.Sub(predicted.Ran)) + " old"
		}
		text += ", " + age
	}
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
