package record

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"github.com/cachewright/cachewright/cachepolicy"
	"github.com/cachewright/cachewright/cachepolicy/cacheplan"
)

// Limits of a log. Where there is more, the oldest builds go first.
const (
	MaxLogBuilds = 200
	MaxLogBytes  = 256 << 10 // encoded
	// maxLogChanges is how many changes of one build are named.
	maxLogChanges = 64
)

// LogEntry is what a log keeps of one build: which steps ran, and what was another
// than in the build before it. It has names, and digests that tell values apart, but no
// values.
type LogEntry struct {
	// ID is the build's, as in Build, and Base that of the build that the changes are
	// relative to: the latest one of the same shape. It is empty where there was none.
	ID   string `json:"id"`
	Base string `json:"base,omitempty"`
	// Shape is the same for builds of the same instructions (Shape).
	Shape string    `json:"shape"`
	Time  time.Time `json:"time"`
	// Ran are the steps of the plan that the builder had no result for, by their index,
	// going by the ledger at that time.
	Ran []int `json:"ran,omitempty"`
	// Changes are what differs from the base, and More counts the changes that are not
	// named, because they are too many or the record had no list of files.
	Changes []LogChange `json:"changes,omitempty"`
	More    int         `json:"more,omitempty"`
}

// ChangeFile is the LogChange.Kind of a file; all others are kinds of inputs, but for
// changeSource and changeOperation.
const (
	ChangeFile      cachepolicy.InputKind = "file-state"
	changeSource    cachepolicy.InputKind = "source"    // what a step fetches
	changeOperation cachepolicy.InputKind = "operation" // what no input stands for
)

// Fact names one thing that steps are keyed by.
type Fact struct {
	Kind cachepolicy.InputKind `json:"kind"`
	// Context is the build context of a file, Stage the stage of anything else.
	Context string `json:"context,omitempty"`
	Stage   string `json:"stage,omitempty"`
	// Step is a digest of the instruction, empty for what a whole stage has: arguments,
	// environment variables, its base.
	Step string `json:"step,omitempty"`
	Name string `json:"name,omitempty"` // of a file, its path
}

// LogChange is a fact that changed. Old and New tell states apart; empty: there was
// none. Those of files are FileState.
type LogChange struct {
	Fact
	Old string `json:"old,omitempty"`
	New string `json:"new,omitempty"`
}

// FileState returns the text that stands for a file in a LogChange.
func FileState(f *cacheplan.File) string {
	return hex.EncodeToString(f.Digest[:]) + " " + strconv.FormatUint(uint64(f.Mode), 8)
}

// ParseFileState returns the file of a path that FileState gave the text for, and
// reports whether it is one.
func ParseFileState(path, state string) (cacheplan.File, bool) {
	f := cacheplan.File{Path: path}
	digest, mode, ok := bytes.Cut([]byte(state), []byte(" "))
	if !ok || f.Digest.UnmarshalText(digest) != nil || f.Mode.UnmarshalText(mode) != nil {
		return f, false
	}
	return f, true
}

// Shape returns a text that is the same for plans of the same target and platform with
// the same instructions and rules, whatever the files and the values of arguments are.
func Shape(p *cacheplan.Plan) string {
	h := cacheplan.NewHasher()
	for _, text := range []string{p.Dockerfile, p.Target, p.Platform} {
		h.Add(text)
	}
	for i := range p.Steps {
		s := &p.Steps[i]
		h.Add(s.ID.Stage)
		h.Add(origin(s))
		for _, r := range s.Rule {
			h.Add(string(r.Option) + "=" + r.Value)
		}
	}
	return short(h)
}

// short returns a sum as few digits: it tells apart what one project has.
func short(h *cacheplan.Hasher) string {
	sum := h.Sum()
	return hex.EncodeToString(sum[:8])
}

// StepDigest returns the digest of an instruction for Fact.Step.
func StepDigest(s *cacheplan.Step) string {
	h := cacheplan.NewHasher()
	h.Add(s.Text())
	return short(h)
}

// InputFact returns the fact that an input of a step is, and reports whether it is one:
// the instruction's text is none, and neither are files, which are facts one by one.
func InputFact(s *cacheplan.Step, in *cachepolicy.Input) (Fact, bool) {
	f := Fact{Kind: in.Kind, Stage: s.ID.Stage, Name: in.Name}
	switch {
	case in.Files != "" || in.Kind == cachepolicy.InputCommand:
		return Fact{}, false
	case in.Kind.IsVariable():
		return f, true
	case in.Kind.NamedElsewhere():
		f.Name = ""
	}
	f.Step = StepDigest(s)
	return f, true
}

// SourceFact returns the fact that what a step fetches is.
func SourceFact(s *cacheplan.Step, f *cacheplan.Follow) Fact {
	return Fact{Kind: changeSource, Stage: s.ID.Stage, Step: StepDigest(s), Name: f.Via}
}

// OperationFact returns the fact of what else is in the step's key.
func OperationFact(s *cacheplan.Step) Fact {
	return Fact{Kind: changeOperation, Stage: s.ID.Stage, Step: StepDigest(s)}
}

// NewLogEntry returns the entry of a build of the plan, whose files are known, as far as
// they could be read. builds are the recorded ones that it may be compared with, the
// latest first, and ran the steps that the builder had no result for.
func NewLogEntry(id string, at time.Time, p *cacheplan.Plan, builds []Build, ran []int) LogEntry {
	e := LogEntry{ID: id, Shape: Shape(p), Time: at.UTC().Truncate(time.Second), Ran: ran}
	base := slices.IndexFunc(builds, func(b Build) bool { return b.Plan.SameTarget(p) && Shape(b.Plan) == e.Shape })
	if base < 0 {
		return e
	}
	e.Base = builds[base].ID
	e.Changes, e.More = changes(builds[base].Plan, p)
	if n := len(e.Changes) - maxLogChanges; n > 0 {
		e.Changes, e.More = e.Changes[:maxLogChanges], e.More+n
	}
	return e
}

// IsNews reports whether the entry says more than that an earlier build was repeated.
func (e *LogEntry) IsNews() bool {
	return e.Base == "" || len(e.Ran) > 0 || len(e.Changes) > 0 || e.More > 0
}

// AppendLog returns the bytes of a log with one entry more, within the limits of a log.
// Each entry is a line of JSON.
func AppendLog(log []byte, e LogEntry) []byte {
	line := append(mustJSON(e), '\n')
	if n := bytes.LastIndexByte(log, '\n') + 1; n < len(log) {
		log = log[:n] // an entry that was not written to its end
	}
	log = append(slices.Clone(log), line...)
	for len(log) > MaxLogBytes || bytes.Count(log, []byte("\n")) > MaxLogBuilds {
		log = log[bytes.IndexByte(log, '\n')+1:]
	}
	return log
}

// DecodeLog reads a log, the oldest build first. What is no entry is left out.
func DecodeLog(log []byte) []LogEntry {
	var out []LogEntry
	for line := range bytes.Lines(log) {
		var e LogEntry
		if json.Unmarshal(line, &e) == nil && e.ID != "" {
			out = append(out, e)
		}
	}
	return out
}
