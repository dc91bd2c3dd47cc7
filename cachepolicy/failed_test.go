package cachepolicy

import (
	"slices"
	"testing"
)

// TestFailed fails each step of a plan of two stages and looks at what is then
// known of the others, and at what is predicted after that.
func TestFailed(t *testing.T) {
	plan := parsePlan(t, "deps 1/2 RUN a\ndeps 2/2 RUN b\nside 1/1 RUN c\napp 1/2 COPY d .\n content deps/2\napp 2/2 RUN e\n content side/1\n").Plan
	for step, want := range [][]Outcome{
		{OutcomeFailed, OutcomeFailed, OutcomeFailed, OutcomeFailed, OutcomeFailed},
		{OutcomeDone, OutcomeFailed, OutcomeFailed, OutcomeFailed, OutcomeFailed},
		{OutcomeFailed, OutcomeFailed, OutcomeFailed, OutcomeFailed, OutcomeFailed},
		{OutcomeDone, OutcomeDone, OutcomeFailed, OutcomeFailed, OutcomeFailed},
		{OutcomeDone, OutcomeDone, OutcomeDone, OutcomeDone, OutcomeFailed},
	} {
		results := plan.Failed(step)
		var got []Outcome
		for _, r := range results {
			got = append(got, r.Outcome)
		}
		if !slices.Equal(got, want) {
			t.Errorf("step %d fails: %q, want %q", step, got, want)
		}
		for i, p := range Predict(plan, []PastBuild{{Plan: plan, Results: results}}) {
			if want := map[Outcome]State{OutcomeDone: StateHit, OutcomeFailed: StateUnknown}[got[i]]; p.State != want {
				t.Errorf("step %d failed: step %d is predicted %s, want %s", step, i, p.State, want)
			}
		}
	}
}
