package report

import (
	"fmt"
	"time"

	"github.com/cachewright/cachewright/cachepolicy/explain"
	"github.com/cachewright/cachewright/cachepolicy/internal/phrase"
)

// day is how old a result has to be for its age to be shown.
const day = 24 * time.Hour

// age says how old the result is that a step would take from the cache, if that is
// known and a day or more.
func (r *Report) age(step int) string {
	p := &r.Predictions[step]
	if old := r.Now.Sub(p.Ran); p.State == explain.StateHit && !p.Ran.IsZero() && old >= day {
		return fmt.Sprintf("last ran %s ago", phrase.Count(int(old/day), "day"))
	}
	return ""
}
