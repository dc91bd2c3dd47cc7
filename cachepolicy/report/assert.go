package report

import (
	"errors"

	"github.com/cachewright/cachewright/cachepolicy"
	"github.com/cachewright/cachewright/cachepolicy/explain"
)

// Check is the outcome of one expectation for one step.
type Check struct {
	Selector string `json:"selector"`
	Expected string `json:"expected"` // a state, or younger: and an age
	// Step is none if the selector picks none.
	Step *cachepolicy.StepID `json:"step,omitempty"`
	// Predicted and Reasons are as in the predictions.
	Predicted explain.State    `json:"predicted,omitempty"`
	Reasons   []explain.Reason `json:"reasons,omitempty"`
	Passed    bool             `json:"passed"`
}

// assert compares what is predicted with what is expected.
func assert(r *Report) (*Answer, error) {
	if !r.predicted() {
		return nil, errors.New("nothing can be predicted here: this builder does not run steps of the frontend's own image")
	}
	a := explain.Assert(r.Plan, r.Predictions, r.Expected, r.Now)
	passed := a.Passed()
	return &Answer{
		Text:   a.Text,
		Value:  Document{Version: DocumentVersion, Frontend: r.Frontend, Passed: &passed, Checks: r.checks(a)},
		Failed: !passed,
	}, nil
}

func (r *Report) checks(a explain.Assertion) []Check {
	out := make([]Check, len(a.Checks))
	for i, c := range a.Checks {
		out[i] = Check{Selector: c.Expected.Selector.String(), Expected: c.Expected.String(), Passed: c.Passed}
		if c.Step >= 0 {
			out[i].Step = &r.Plan.Steps[c.Step].ID
			out[i].Predicted, out[i].Reasons = r.Predictions[c.Step].State, r.Predictions[c.Step].Reasons
		}
	}
	return out
}
