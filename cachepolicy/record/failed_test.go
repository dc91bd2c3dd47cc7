package record_test

import (
	"slices"
	"testing"

	"github.com/cachewright/cachewright/cachepolicy/internal/plantext"
	"github.com/cachewright/cachewright/cachepolicy/record"
)

// TestFailed fails each step of a plan of two stages and looks at what is then
// known of the others.
func TestFailed(t *testing.T) {
	plan := plantext.Parse(t, "deps 1/2 RUN a\ndeps 2/2 RUN b\nside 1/1 RUN c\napp 1/2 COPY d .\n content deps/2\napp 2/2 RUN e\n after side/1\n").Plan
	for step, want := range [][]record.Outcome{
		{record.OutcomeFailed, record.OutcomeFailed, record.OutcomeFailed, record.OutcomeFailed, record.OutcomeFailed},
		{record.OutcomeDone, record.OutcomeFailed, record.OutcomeFailed, record.OutcomeFailed, record.OutcomeFailed},
		{record.OutcomeFailed, record.OutcomeFailed, record.OutcomeFailed, record.OutcomeFailed, record.OutcomeFailed},
		{record.OutcomeFailed, record.OutcomeFailed, record.OutcomeFailed, record.OutcomeFailed, record.OutcomeFailed},
		{record.OutcomeDone, record.OutcomeDone, record.OutcomeDone, record.OutcomeDone, record.OutcomeFailed},
	} {
		results := record.Failed(plan, step)
		var got []record.Outcome
		for _, r := range results {
			got = append(got, r.Outcome)
		}
		if !slices.Equal(got, want) {
			t.Errorf("step %d fails: %q, want %q", step, got, want)
		}
	}
}
