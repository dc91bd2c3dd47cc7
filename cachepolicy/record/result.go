package record

import (
	"slices"

	"github.com/cachewright/cachewright/cachepolicy"
	"github.com/cachewright/cachewright/cachepolicy/cacheplan"
)

// PastBuild is an earlier build's plan with what became of its steps.
type PastBuild struct {
	Plan *cacheplan.Plan
	// Results has one entry for each step of the plan, or is empty if nothing is
	// known of the outcome.
	Results []Result
}

// Outcome is what became of a step.
type Outcome string

// What can become of a step.
const (
	OutcomeUnknown Outcome = ""       // not recorded: taken for done
	OutcomeDone    Outcome = "done"   // the builder has, or had, a result
	OutcomeFailed  Outcome = "failed" // it failed, or nobody knows whether it was reached
)

// Result is what became of one step in one build.
type Result struct {
	Outcome Outcome `json:"outcome,omitempty"`
}

// Succeeded returns the results of a build of the plan that came to its end.
func Succeeded(p *cacheplan.Plan) []Result {
	out := make([]Result, len(p.Steps))
	for i := range out {
		out[i].Outcome = OutcomeDone
	}
	return out
}

// Failed returns the results of a build of the plan in which one step failed: what
// that step follows is done, and of the others nobody knows. Of a step that is keyed
// by content even that is not known: its key fails before what it follows is run.
func Failed(p *cacheplan.Plan, step int) []Result {
	out := make([]Result, len(p.Steps))
	for i := range out {
		out[i].Outcome = OutcomeFailed
	}
	if keyedByContent(&p.Steps[step]) {
		return out
	}
	needed := []int{step}
	for len(needed) > 0 {
		i := needed[0]
		needed = needed[1:]
		for _, f := range p.Steps[i].Follows {
			if f.Step >= 0 && out[f.Step].Outcome != OutcomeDone {
				out[f.Step].Outcome = OutcomeDone
				needed = append(needed, f.Step)
			}
		}
	}
	return out
}

// keyedByContent reports whether the builder looks at files for the step's key.
func keyedByContent(s *cacheplan.Step) bool {
	return slices.ContainsFunc(s.Inputs, func(in cachepolicy.Input) bool { return in.Files != "" }) ||
		slices.ContainsFunc(s.Follows, func(f cacheplan.Follow) bool { return f.By == cacheplan.ByContent })
}
