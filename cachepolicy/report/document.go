package report

import (
	"github.com/cachewright/cachewright/cachepolicy/advice"
	"github.com/cachewright/cachewright/cachepolicy/cacheplan"
	"github.com/cachewright/cachewright/cachepolicy/explain"
)

// DocumentVersion is the version of the JSON forms. It grows when a reader of the
// old form would misread the new one; new fields alone do not change it.
const DocumentVersion = 1

// Document is the JSON form of every report but SARIF. Its schema is
// docs/cachewright.schema.json.
type Document struct {
	Version     int                  `json:"version"`            // DocumentVersion
	Frontend    string               `json:"frontend,omitempty"` // its release, as in v1.2.3
	Plan        *cacheplan.Plan      `json:"plan,omitempty"`
	Predictions []explain.Prediction `json:"predictions,omitempty"`
	// Causes are the steps that run again for a reason of their own, the first one
	// first, with those that run again only because of them.
	Causes []Cause `json:"causes,omitempty"`
	// Findings are those of cache-github.
	Findings []Finding `json:"findings,omitempty"`
	// Passed and Checks are those of cache-assert.
	Passed *bool   `json:"passed,omitempty"`
	Checks []Check `json:"checks,omitempty"`
	// Comparison is that of cache-diff.
	Comparison *Comparison `json:"comparison,omitempty"`
	// Advice is that of cache-advice.
	Advice *advice.Advice `json:"advice,omitempty"`
}

// document returns the JSON form that the forms about the plan share.
func (r *Report) document() Document {
	return Document{Version: DocumentVersion, Frontend: r.Frontend, Plan: r.Plan, Predictions: r.Predictions, Causes: r.causes()}
}
