package recorder

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/cachewright/cachewright/cachepolicy"
	"github.com/cachewright/cachewright/cachepolicy/cacheplan"
	"github.com/cachewright/cachewright/cachepolicy/record"
)

// Version is that of the JSON forms of Request and Report.
const Version = 1

// MaxRequestBytes bounds the JSON form of a request.
const MaxRequestBytes = 16 << 20

// Mode says what the recorder does.
type Mode string

// What the recorder can do.
const (
	// ModeRecord predicts a build and adds it to the record.
	ModeRecord Mode = "record"
	// ModePredict predicts a build and leaves the record as it is.
	ModePredict Mode = "predict"
	// ModeAdvise predicts as ModePredict does, and reports the log of earlier builds.
	ModeAdvise Mode = "advise"
	// ModeResults notes what became of the steps of a recorded build.
	ModeResults Mode = "results"
)

// Request is what the frontend asks for.
type Request struct {
	Version int  `json:"version"` // Version
	Mode    Mode `json:"mode"`
	// Plan is the build's plan, whose file sets nobody has looked at yet. ModeResults
	// takes none.
	Plan *cacheplan.Plan `json:"plan,omitempty"`
	// Contexts are the names of the build contexts, as in FileSet.Context; the main
	// one's is empty. Number i is mounted at i below ContextsDir.
	Contexts []string `json:"contexts,omitempty"`
	// Record is the record's name, from record.Name. Builds whose Dockerfiles are in
	// different directories have different records all the same, if the Dockerfile's
	// directory is mounted.
	Record string `json:"record"`
	// Share: what is to travel with the cache that the build exports; empty: nothing.
	Share cachepolicy.Share `json:"share,omitempty"`
	// Nonce makes a request unlike all others, so that the builder does not take the
	// answer from its cache. ModePredict and ModeAdvise need one.
	Nonce string `json:"nonce,omitempty"`
	// Keys and Results are for ModeResults: Report.Keys of the build, and what became
	// of each step of its plan.
	Keys    []cacheplan.StepKeys `json:"keys,omitempty"`
	Results []record.Result      `json:"results,omitempty"`
}

// EncodeRequest returns the request as JSON. Equal requests give equal bytes. It
// fails where DecodeRequest would.
func EncodeRequest(r *Request) ([]byte, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	data, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("request: %w", err)
	}
	if len(data) > MaxRequestBytes {
		return nil, fmt.Errorf("request: %d bytes, at most %d are read", len(data), MaxRequestBytes)
	}
	return data, nil
}

// DecodeRequest reads a request from JSON. It fails on another version, on a mode
// that there is none of, and on a plan that does not hold together or that shows
// the value of a secret.
func DecodeRequest(data []byte) (*Request, error) {
	if len(data) > MaxRequestBytes {
		return nil, fmt.Errorf("request: %d bytes, at most %d are read", len(data), MaxRequestBytes)
	}
	var r Request
	if err := json.Unmarshal(data, &r); err != nil {
		return nil, fmt.Errorf("request: %w", err)
	}
	if err := r.check(); err != nil {
		return nil, err
	}
	return &r, nil
}

func (r *Request) check() error {
	if r.Version != Version {
		return fmt.Errorf("request: version %d, want %d", r.Version, Version)
	}
	if !isRecordName(r.Record) {
		return fmt.Errorf("request: %q is not the name of a record", r.Record)
	}
	switch r.Mode {
	case ModeResults:
		return nil
	case ModeRecord, ModePredict, ModeAdvise:
	default:
		return fmt.Errorf("request: unknown mode %q", r.Mode)
	}
	if r.Plan == nil {
		return fmt.Errorf("request: mode %s needs a plan", r.Mode)
	}
	if err := r.Plan.Check(); err != nil {
		return fmt.Errorf("request: %w", err)
	}
	return checkSecrets(r.Plan)
}

// isRecordName reports whether a name is one that record.Name returns.
func isRecordName(name string) bool {
	return len(name) == len(record.Name()) && strings.Trim(name, "0123456789abcdef") == ""
}

// checkSecrets reports a variable whose value should have been withheld.
func checkSecrets(p *cacheplan.Plan) error {
	for _, s := range p.Steps {
		for _, in := range s.Inputs {
			if in.Kind.IsAssigned() && in.Value != "" && (in.Secret || cachepolicy.IsSecret(in.Name, in.Value)) {
				return fmt.Errorf("request: the plan shows the value of %s", in.Name)
			}
		}
	}
	return nil
}
