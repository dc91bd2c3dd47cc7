package report

import (
	"slices"

	"github.com/cachewright/cachewright/cachepolicy/cacheplan"
	"github.com/cachewright/cachewright/cachepolicy/explain"
)

// Cause is a step that runs again for a reason of its own.
type Cause struct {
	// Step is its index in the plan.
	Step    int              `json:"step"`
	Reasons []explain.Reason `json:"reasons"`
	// Follow are the steps that run again because of it and for no other reason, and
	// MayFollow those that do if it gives other files.
	Follow    []int `json:"follow,omitempty"`
	MayFollow []int `json:"mayFollow,omitempty"`
}

// causes returns the causes of all steps that run again: changes in the order of
// the plan, then steps that run in any case.
func (r *Report) causes() []Cause {
	var out []Cause
	for i, root := range r.roots() {
		p := &r.Predictions[i]
		switch {
		case root < 0:
		case root == i:
			own := slices.DeleteFunc(slices.Clone(p.Reasons), follows)
			out = append(out, Cause{Step: i, Reasons: own})
		default:
			n := slices.IndexFunc(out, func(c Cause) bool { return c.Step == root })
			if n < 0 {
				continue
			}
			if p.State == explain.StateReRun {
				out[n].Follow = append(out[n].Follow, i)
			} else {
				out[n].MayFollow = append(out[n].MayFollow, i)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b Cause) int { return a.rank() - b.rank() })
	return out
}

// rank is higher for steps that were asked to run than for changes: what changed is
// what a person looks for.
func (c Cause) rank() int {
	if slices.ContainsFunc(c.Reasons, func(r explain.Reason) bool { return !r.Kind.Asked() }) {
		return 0
	}
	return 1
}

// roots returns for each step the step because of which it runs or may run again:
// itself if it has a reason of its own, -1 for a hit and where nothing is known.
func (r *Report) roots() []int {
	out := make([]int, len(r.Predictions))
	for i, p := range r.Predictions {
		out[i] = -1
		if len(p.Reasons) == 0 {
			continue
		}
		switch p.State {
		case explain.StateHit:
		case explain.StateReRun:
			out[i] = i
			if on := r.followed(i); on >= 0 && r.saysNothingNew(i, out[on]) {
				out[i] = out[on]
			}
		case explain.StateUnknown:
			if first := p.Reasons[0]; first.Kind == explain.ReasonMayFollow {
				out[i] = out[*first.On]
			}
		}
	}
	return out
}

// followed returns the step that step i runs again after, or -1. The steps after a
// FROM have its reasons, not the word "follows".
func (r *Report) followed(i int) int {
	if first := r.Predictions[i].Reasons[0]; follows(first) {
		return *first.On
	}
	for _, f := range r.Plan.Steps[i].Follows {
		if f.Step >= 0 && f.By != cacheplan.ByContent && r.Plan.Steps[f.Step].ID.Instruction == "FROM" {
			return f.Step
		}
	}
	return -1
}

// saysNothingNew reports whether each reason of step i is that it follows another
// one, or is one of root's: as an ENV that changed is for each RUN below it.
func (r *Report) saysNothingNew(i, root int) bool {
	if root < 0 {
		return false
	}
	return !slices.ContainsFunc(r.Predictions[i].Reasons, func(own explain.Reason) bool {
		return !follows(own) && !slices.ContainsFunc(r.Predictions[root].Reasons, func(of explain.Reason) bool { return sameReason(own, of) })
	})
}

// sameReason reports whether two reasons say the same, of whatever step.
func sameReason(a, b explain.Reason) bool {
	a.Step = b.Step
	return a == b
}

func follows(r explain.Reason) bool {
	return r.Kind == explain.ReasonFollows && r.Change == ""
}

// count is how many steps are in each state.
func (r *Report) count(s explain.State) int {
	n := 0
	for _, p := range r.Predictions {
		if p.State == s {
			n++
		}
	}
	return n
}
