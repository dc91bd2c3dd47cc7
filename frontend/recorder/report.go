package recorder

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/cachewright/cachewright/cachepolicy/cacheplan"
	"github.com/cachewright/cachewright/cachepolicy/explain"
	"github.com/cachewright/cachewright/cachepolicy/record"
)

// MaxReportBytes bounds the JSON form of a report.
const MaxReportBytes = 8 << 20

// Report is what the recorder answers.
type Report struct {
	Version int `json:"version"` // Version
	// Time is when the recorder ran, by its own clock.
	Time time.Time `json:"time"`
	// For is what MarkVariable was: it tells for which build the recorder ran. The
	// variable is not in the step's key, so an earlier, equal build's report has
	// another one.
	For string `json:"for,omitempty"`
	// BuildID is the build's in the record. It is empty if the build is not recorded.
	BuildID string `json:"buildID,omitempty"`
	// Keys are those of the steps of a recorded build, if it is not known of all that
	// they are done: then the recorder wants to know what became of them.
	Keys []cacheplan.StepKeys `json:"keys,omitempty"`
	// Plan is the plan of the request. Its file sets are known, by digest and count if
	// they have many files, save those that could not be read.
	Plan *cacheplan.Plan `json:"plan,omitempty"`
	// Predictions has one entry for each step of the plan, or none.
	Predictions []explain.Prediction `json:"predictions,omitempty"`
	// Elsewhere are the steps of which another builder has a result, and this one is not
	// known to. Lacking are those among them whose results were not exported.
	Elsewhere []int `json:"elsewhere,omitempty"`
	Lacking   []int `json:"lacking,omitempty"`
	// Builds is how many recorded builds of the same file and target the plan was
	// compared with.
	Builds int `json:"builds,omitempty"`
	// Repeated: one of them had the same plan and the same files.
	Repeated bool `json:"repeated,omitempty"`
	// Log is what is kept of earlier builds of the same instructions, the oldest first.
	// Only ModeAdvise asks for it.
	Log []record.LogEntry `json:"log,omitempty"`
	// Problems say what could not be read or written, and why.
	Problems []string `json:"problems,omitempty"`
}

func (r *Report) problem(err error) {
	if err != nil {
		r.Problems = append(r.Problems, err.Error())
	}
}

// encode returns the report as JSON. One that is too large loses its plan and
// predictions.
func (r *Report) encode() ([]byte, error) {
	data, err := json.Marshal(r)
	if err == nil && len(data) > MaxReportBytes {
		err = fmt.Errorf("report: %d bytes, at most %d are written", len(data), MaxReportBytes)
	}
	if err == nil {
		return data, nil
	}
	return json.Marshal(&Report{Version: Version, Time: r.Time, For: r.For, BuildID: r.BuildID, Builds: r.Builds, Problems: []string{err.Error()}})
}

// DecodeReport reads a report from JSON. It fails on another version, on a plan
// that does not hold together, and on predictions that are not those of its steps.
func DecodeReport(data []byte) (*Report, error) {
	if len(data) > MaxReportBytes {
		return nil, fmt.Errorf("report: %d bytes, at most %d are read", len(data), MaxReportBytes)
	}
	var r Report
	if err := json.Unmarshal(data, &r); err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	if r.Version != Version {
		return nil, fmt.Errorf("report: version %d, want %d", r.Version, Version)
	}
	if r.Plan == nil {
		r.Plan = &cacheplan.Plan{Version: cacheplan.Version}
	}
	if err := r.Plan.Check(); err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	if len(r.Predictions) > 0 && len(r.Predictions) != len(r.Plan.Steps) {
		return nil, fmt.Errorf("report: %d predictions for %d steps", len(r.Predictions), len(r.Plan.Steps))
	}
	for i, p := range r.Predictions {
		if p.Step != i {
			return nil, fmt.Errorf("report: prediction %d is of step %d", i, p.Step)
		}
	}
	for _, i := range slices.Concat(r.Elsewhere, r.Lacking) {
		if i < 0 || i >= len(r.Predictions) {
			return nil, fmt.Errorf("report: there is no step %d", i)
		}
	}
	return &r, nil
}
