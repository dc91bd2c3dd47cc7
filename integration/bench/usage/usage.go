// Package usage is what the probe in a frontend's container says about the
// frontend's process.
package usage

import (
	"bytes"
	"encoding/json"
	"time"
)

// Prefix begins the probe's line.
const Prefix = "frontend usage: "

// Usage is what a process used from its start to its end.
type Usage struct {
	Peak int64 // resident set at its largest, in bytes
	CPU  time.Duration
	Wall time.Duration
}

// Find returns the usage in the first whole line of the probe in log, and whether
// there is one. It fails on a line that the probe has not written.
func Find(log []byte) (Usage, bool, error) {
	var u Usage
	_, rest, ok := bytes.Cut(log, []byte("\n"+Prefix))
	if !ok {
		return u, false, nil
	}
	line, _, ok := bytes.Cut(rest, []byte("\n"))
	if !ok {
		return u, false, nil
	}
	return u, true, json.Unmarshal(line, &u)
}
