package frontend

import (
	"github.com/moby/buildkit/frontend/gateway/client"

	"github.com/cachewright/cachewright/cachepolicy/report"
)

// keyMessage is the result metadata that buildx prints after a build, on standard
// output: below the image's ID with --quiet, and behind the files of --output=-. So
// nothing stands there unless it was asked for.
const keyMessage = "frontend.result.inlinemessage"

// addSummary has the client say after the build what it came to, as predicted.
func addSummary(res *client.Result, platforms []platformBuild) {
	var reports []report.Report
	for _, p := range platforms {
		if p.explanation == nil || !p.explanation.summarized {
			return
		}
		reports = append(reports, report.Report{Plan: p.explanation.Plan, Predictions: p.explanation.Predictions})
	}
	if text := report.Summary(reports); text != "" {
		res.AddMeta(keyMessage, []byte(text))
	}
}
