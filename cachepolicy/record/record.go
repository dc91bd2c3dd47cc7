package record

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/cachewright/cachewright/cachepolicy"
	"github.com/cachewright/cachewright/cachepolicy/cacheplan"
)

// Limits of a record. Where there is more, the oldest builds go first, then the
// lists of files.
const (
	MaxBuilds = 32
	MaxBytes  = 8 << 20 // encoded
	// MaxEntries is how many files all sets of all builds may list together.
	MaxEntries = 2_000_000
)

// Record is what a builder remembers of recent builds of a project, whatever their
// Dockerfile, target, platform and arguments, the latest first. Reasons are made from
// it; what is in the cache, the Ledger knows.
type Record struct {
	Builds []Build
}

// Build is one build of a Record.
type Build struct {
	// ID tells the build from all others.
	ID string
	// Time is when the build was recorded.
	Time time.Time
	// Traces tell the project from others that have the same name. Without any, the
	// name alone does.
	Traces Traces
	Plan   *cacheplan.Plan
}

// Name returns a file name for the record of the builds that have these in
// common, such as the repository and the directory in it.
func Name(parts ...string) string {
	h := cacheplan.NewHasher()
	for _, p := range parts {
		h.Add(p)
	}
	total := h.Sum()
	return hex.EncodeToString(total[:])
}

// Past returns the builds of the same project as p, of which the traces are given:
// what differs between two projects is no change, and a build for another platform is
// no earlier state. Where digests of secrets are keyed with another key, they cannot be
// compared: nothing is known of those inputs then.
func (r Record) Past(p *cacheplan.Plan, traces Traces) []PastBuild {
	var out []PastBuild
	for _, b := range r.Builds {
		if p.Platform == b.Plan.Platform && traces.Meet(b.Traces) && resembles(p, b.Plan, len(traces) > 0 && len(b.Traces) > 0) {
			past := PastBuild{Plan: b.Plan}
			if p.OtherKey(b.Plan) {
				past.Plan = b.Plan.WithInputs(withoutSecrets)
			}
			out = append(out, past)
		}
	}
	return out
}

// Of returns the builds of the project that has these traces.
func (r Record) Of(traces Traces) Record {
	return Record{Builds: slices.DeleteFunc(slices.Clone(r.Builds), func(b Build) bool { return !traces.Meet(b.Traces) })}
}

// Has reports whether an earlier build had the same plan to the last line, not only
// the same keys, and was given the same besides: the builder has its own answer to such
// a build, unless it has lost that.
func (r Record) Has(p *cacheplan.Plan) bool {
	return slices.ContainsFunc(r.Builds, func(b Build) bool { return equal(p, b.Plan) })
}

// equal reports whether all that two plans say is the same.
func equal(p, other *cacheplan.Plan) bool {
	if !p.SameTarget(other) || p.Target != other.Target || p.DockerfileDigest != other.DockerfileDigest || len(p.Steps) != len(other.Steps) || len(p.Files) != len(other.Files) {
		return false
	}
	for i := range p.Steps {
		a, err := json.Marshal(p.Steps[i])
		b, otherErr := json.Marshal(other.Steps[i])
		if err != nil || otherErr != nil || !bytes.Equal(a, b) {
			return false
		}
	}
	for i := range p.Files {
		if a, b := &p.Files[i], &other.Files[i]; !a.Known || !b.Known || a.ID != b.ID || a.Sum() != b.Sum() {
			return false
		}
	}
	return p.Given != "" && p.Given == other.Given
}

// origin is the instruction, with the image of a FROM, or with the name of the build
// context in its place: what a build puts there is no part of the file.
func origin(s *cacheplan.Step) string {
	for _, in := range s.Inputs {
		switch {
		case in.Kind != cachepolicy.InputBase:
		case in.Origin.Kind == cachepolicy.OriginContext:
			return s.Text() + " context " + in.Origin.Name
		default:
			return s.Text() + " " + in.Name
		}
	}
	return s.Text()
}

// resembles reports whether half of the instructions of one of two plans are in
// the other. Where no files tell projects apart, a base image has to be among them, or
// it has to be more than half.
func resembles(p, other *cacheplan.Plan, traced bool) bool {
	texts := map[string]int{}
	for i := range other.Steps {
		texts[origin(&other.Steps[i])]++
	}
	common := 0
	for i := range p.Steps {
		if text := origin(&p.Steps[i]); texts[text] > 0 {
			texts[text]--
			common++
			traced = traced || p.Steps[i].ID.Instruction == "FROM"
		}
	}
	n := min(len(p.Steps), len(other.Steps))
	return 2*common > n || traced && 2*common == n
}

// Add returns the record with one build more. Older builds with the same keys are
// left out.
func (r Record) Add(b Build) Record {
	return Merge(Record{Builds: []Build{b}}, r)
}

// Merge joins two records, as when two builds each added to the same one. Of
// builds with the same ID the first is kept, of builds with the same keys the
// latest. A build whose plan does not hold together (see Decode) is
// left out.
func Merge(a, b Record) Record {
	seen := map[string]bool{}
	var all []Build
	for _, build := range slices.Concat(a.Builds, b.Builds) {
		if seen[build.ID] || build.Plan == nil || build.Plan.Check() != nil {
			continue
		}
		seen[build.ID] = true
		build.Time = time.Unix(0, build.Time.UnixNano()).UTC()
		all = append(all, build)
	}
	slices.SortFunc(all, func(a, b Build) int {
		return cmp.Or(b.Time.Compare(a.Time), strings.Compare(a.ID, b.ID))
	})
	return Record{Builds: dropRepeated(all)}
}

// dropRepeated leaves out builds with the same keys as a later one, and those
// above the limit.
func dropRepeated(builds []Build) []Build {
	seen := map[cacheplan.Sum]bool{}
	var out []Build
	for _, b := range builds {
		if id := identity(b.Plan); !seen[id] {
			seen[id] = true
			out = append(out, b)
		}
	}
	return out[:min(len(out), MaxBuilds)]
}

// identity is the same for plans of one file, target and platform whose steps have
// the same keys.
func identity(p *cacheplan.Plan) cacheplan.Sum {
	h := cacheplan.NewHasher()
	for _, text := range []string{p.Dockerfile, p.Target, p.Platform} {
		h.Add(text)
	}
	for _, k := range p.Keys(p.KnownSets()) {
		h.Add(string(k.Own[:]))
		h.Add(string(k.Strong[:]))
	}
	return h.Sum()
}

// recordMagic begins every record; the byte after it is the version.
const (
	recordMagic   = "CWRECORD"
	recordVersion = 3
	checksumBytes = 16
)

// Encode returns the record, which Add or Merge made, as bytes, at most
// MaxBytes. Equal records give equal bytes. What does not fit is left out.
func (r Record) Encode() []byte {
	builds := slices.Clone(r.Builds[:min(len(r.Builds), MaxBuilds)])
	for {
		if countEntries(builds) <= MaxEntries {
			if data := encodeRecord(builds); len(data) <= MaxBytes {
				return data
			}
		}
		builds = fewer(builds)
	}
}

// fewer returns some builds without what goes first where there is no room: the oldest,
// then the lists of files; nil if nothing is left.
func fewer(builds []Build) []Build {
	switch {
	case len(builds) > 1:
		return builds[:len(builds)-1]
	case len(builds) == 1 && hasFiles(builds[0].Plan):
		only := builds[0]
		only.Plan = only.Plan.WithoutFiles()
		return []Build{only}
	}
	return nil
}

// countEntries returns how many files all sets list together.
func countEntries(builds []Build) int {
	n := 0
	for _, b := range builds {
		for _, s := range b.Plan.Files {
			n += len(s.Files)
		}
	}
	return n
}

func hasFiles(p *cacheplan.Plan) bool {
	return slices.ContainsFunc(p.Files, func(s cacheplan.FileSet) bool { return len(s.Files) > 0 })
}

func encodeRecord(builds []Build) []byte {
	data := append([]byte(recordMagic), recordVersion)
	data = append(data, encodeBuilds(builds)...)
	return append(data, checksum(data)...)
}

func checksum(data []byte) []byte {
	full := sha256.Sum256(data)
	return full[:checksumBytes]
}

// Decode reads a record. Bytes that are damaged, of another version or no
// record at all give an empty one: what was remembered is lost, and nothing else.
func Decode(data []byte) Record {
	header := len(recordMagic) + 1
	if len(data) < header+checksumBytes || len(data) > MaxBytes || string(data[:header]) != recordMagic+string(rune(recordVersion)) {
		return Record{}
	}
	body, check := data[:len(data)-checksumBytes], data[len(data)-checksumBytes:]
	if !bytes.Equal(checksum(body), check) {
		return Record{}
	}
	builds, err := decodeBuilds(body[header:])
	if err != nil {
		return Record{}
	}
	return Record{Builds: builds}
}
