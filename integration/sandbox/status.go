package sandbox

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/moby/buildkit/client"
	"github.com/opencontainers/go-digest"
)

// Result is what a build's status stream said.
type Result struct {
	// Steps are the vertices in the order in which the daemon first named them.
	Steps []*Step
	// Warnings are the build's warnings in the order of arrival.
	Warnings []*client.VertexWarning
	// Exporter is the exporters' response, such as containerimage.digest.
	Exporter map[string]string

	byDigest map[digest.Digest]*Step
	progress io.Writer
}

// Step is a vertex of the build, as the status stream described it.
type Step struct {
	Name      string // the name in the progress output
	Digest    digest.Digest
	Inputs    []digest.Digest
	Cached    bool
	Started   *time.Time // nil if the step was not looked at
	Completed *time.Time // nil if it did not end
	Error     string
	Logs      string // standard output and error, as they arrived
	// Transferred are the bytes that the client has sent for a local source: what
	// the daemon did not have of it yet.
	Transferred int64
}

// Ran reports whether the step was executed in this build: started and not
// answered from the cache.
func (s *Step) Ran() bool { return s.Started != nil && !s.Cached }

// State returns cached, ran, failed or skipped.
func (s *Step) State() string {
	switch {
	case s.Error != "":
		return "failed"
	case s.Cached:
		return "cached"
	case s.Started != nil:
		return "ran"
	default:
		return "skipped"
	}
}

// ParseName splits the name of a step of this frontend into the number in its
// brackets, as in "app 2/3", the instruction, and what is said about it, which stands
// behind the instruction or, where that is long, in front of it. The number is empty
// where a name has no brackets, the note where nothing is said.
func ParseName(name string) (number, text, note string) {
	text = name
	if rest, ok := strings.CutPrefix(name, "["); ok {
		if n, t, ok := strings.Cut(rest, "] "); ok {
			number, text = n, t
		}
	}
	if between, ok := strings.CutPrefix(text, "← "); ok {
		note, text, _ = strings.Cut(between, " · ")
		return number, text, note
	}
	text, note, _ = strings.Cut(text, "  ← ")
	return number, text, note
}

func newResult() *Result {
	return &Result{byDigest: map[digest.Digest]*Step{}}
}

// Step returns the vertex with the given name. It fails when there is none or
// more than one.
func (r *Result) Step(name string) (*Step, error) {
	var found []*Step
	for _, s := range r.Steps {
		if s.Name == name {
			found = append(found, s)
		}
	}
	if len(found) != 1 {
		return nil, fmt.Errorf("%d steps are named %q in this build:\n%s", len(found), name, r)
	}
	return found[0], nil
}

// String lists the steps, one on a line, with their state.
func (r *Result) String() string {
	var b strings.Builder
	for _, s := range r.Steps {
		fmt.Fprintf(&b, "%-7s %s", s.State(), s.Name)
		if s.Error != "" {
			fmt.Fprintf(&b, ": %s", s.Error)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// add takes one message of the status stream in.
func (r *Result) add(status *client.SolveStatus) {
	for _, v := range status.Vertexes {
		s := r.step(v.Digest)
		s.Name, s.Inputs = v.Name, v.Inputs
		s.Cached = s.Cached || v.Cached
		if s.Started == nil {
			s.Started = v.Started
		}
		if v.Error != "" {
			s.Error = v.Error
		}
		if v.Completed != nil {
			if s.Completed == nil && r.progress != nil {
				fmt.Fprintf(r.progress, "%-7s %s\n", s.State(), s.Name)
			}
			s.Completed = v.Completed
		}
	}
	for _, st := range status.Statuses {
		if strings.HasPrefix(st.ID, "transferring ") {
			s := r.step(st.Vertex)
			s.Transferred = max(s.Transferred, st.Current)
		}
	}
	for _, l := range status.Logs {
		r.step(l.Vertex).Logs += string(l.Data)
	}
	r.Warnings = append(r.Warnings, status.Warnings...)
}

// step returns the step with digest d and adds it at its first mention.
func (r *Result) step(d digest.Digest) *Step {
	s, ok := r.byDigest[d]
	if !ok {
		s = &Step{Digest: d}
		r.byDigest[d] = s
		r.Steps = append(r.Steps, s)
	}
	return s
}
