package recorder

import (
	"strings"
	"testing"

	"github.com/cachewright/cachewright/cachepolicy/explain"
)

// A report that is too large is one without predictions.
func TestReportBounded(t *testing.T) {
	p := copyPlan(".")
	p.Dockerfile = strings.Repeat("x", MaxReportBytes)
	r := Report{Version: Version, BuildID: "b", Plan: p, Predictions: []explain.Prediction{{}}}
	data, err := r.encode()
	if err != nil {
		t.Fatal(err)
	}
	back, err := DecodeReport(data)
	if err != nil || back.BuildID != "b" || len(back.Problems) != 1 || len(back.Predictions) != 0 {
		t.Errorf("%d bytes, %v", len(data), err)
	}
	for name, data := range map[string]string{
		"huge": strings.Repeat(" ", MaxReportBytes+1), "cut": `{"version":1`, "version": `{"version":2}`,
		"plan":        `{"version":1,"plan":{"version":1,"steps":[{"inputs":[{"files":"x"}]}]}}`,
		"predictions": `{"version":1,"predictions":[{"step":0}]}`,
		"step":        `{"version":1,"plan":{"version":1,"steps":[{"inputs":[]}]},"predictions":[{"step":1}]}`,
	} {
		if _, err := DecodeReport([]byte(data)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
