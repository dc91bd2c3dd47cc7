package report

import (
	"fmt"
	"strings"

	"github.com/cachewright/cachewright/cachepolicy/explain"
	"github.com/cachewright/cachewright/cachepolicy/internal/phrase"
)

// maxSummaryLines is how many lines a client prints after a build at most.
const maxSummaryLines = 3

// Summary returns what the reports of a build's platforms come to, a line for each:
// how many of the instructions' steps are reused, and the first cause. It names the
// platforms where there are several. It is empty if nothing is known of an earlier
// build, and for more than three platforms.
func Summary(platforms []Report) string {
	var lines []string
	for i := range platforms {
		r := &platforms[i]
		line := r.summary()
		if line == "" || len(platforms) > maxSummaryLines {
			return ""
		}
		if len(platforms) > 1 {
			line = r.Plan.Platform + ": " + line
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

// summary is the line of one platform.
func (r *Report) summary() string {
	var steps, hits, open, known int
	for i, p := range r.Predictions {
		if len(p.Reasons) == 0 || p.Reasons[0].Kind != explain.ReasonNoRecord {
			known++
		}
		if r.Plan.Steps[i].ID.Instruction == "FROM" {
			continue
		}
		steps++
		switch p.State {
		case explain.StateHit:
			hits++
		case explain.StateUnknown:
			open++
		case explain.StateReRun:
		}
	}
	if known == 0 || steps == 0 {
		return ""
	}
	text := fmt.Sprintf("Cache, as predicted: %d of %s reused", hits, phrase.Count(steps, "step"))
	if open > 0 {
		text += fmt.Sprintf(", %d more perhaps", open)
	}
	causes := r.causes()
	if len(causes) == 0 {
		return text
	}
	text += ". Cause: " + phrase.OneLine(explain.Text(causes[0].Reasons))
	if n := len(causes) - 1; n > 0 {
		text += fmt.Sprintf("; and %s", phrase.Count(n, "more cause"))
	}
	return text
}
