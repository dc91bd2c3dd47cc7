package record

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/cachewright/cachewright/cachepolicy"
	"github.com/cachewright/cachewright/cachepolicy/cacheplan"
)

// MaxTravelBuilds is how many builds of a project travel.
const MaxTravelBuilds = 16

// Travel is a project's record as it goes from builder to builder with the cache that
// a build exports.
type Travel struct {
	TravelHeader
	Record
}

// TravelHeader says what there is to know of the record as a whole.
type TravelHeader struct {
	// Project names the project; empty if only its files tell it from others.
	Project string `json:"project,omitempty"`
	// Values: values of variables travel, not their digests alone.
	Values bool `json:"values,omitempty"`
	// Exported are the IDs of the builds whose results were exported with the record.
	Exported []string `json:"exported,omitempty"`
	// Lacks are the steps, by the ID of their build, whose results were not.
	Lacks map[string][]int `json:"lacks,omitempty"`
	// Mark and MarkTime tell whether the results of all steps are in the cache, or only
	// those of the last ones; see package frontend. Empty: that is not known.
	Mark     string    `json:"mark,omitempty"`
	MarkTime time.Time `json:"markTime,omitzero"`
}

// ForTravel returns the record as it may leave the builder, at most MaxTravelBuilds of
// it. Of withheld values there is nothing, since their digests are keyed with a key
// that stays, and of other values that a build can be given there are digests, unless
// values is set. Traces mean nothing elsewhere. The record itself is not changed.
func (r Record) ForTravel(values bool) Record {
	out := Record{Builds: slices.Clone(r.Builds[:min(len(r.Builds), MaxTravelBuilds)])}
	for i := range out.Builds {
		out.Builds[i].Plan = travelling(out.Builds[i].Plan, values)
		out.Builds[i].Traces = nil
	}
	return out
}

// withoutSecrets returns inputs with nothing of those that are withheld.
func withoutSecrets(inputs []cachepolicy.Input) []cachepolicy.Input {
	out := slices.Clone(inputs)
	for i := range out {
		if in := &out[i]; in.Secret || strings.HasPrefix(in.Digest, cachepolicy.KeyedDigest) {
			in.Digest, in.Secret, in.Unresolved = "", true, true
		}
	}
	return out
}

// travelling returns a plan as it may leave the builder.
func travelling(plan *cacheplan.Plan, values bool) *cacheplan.Plan {
	p := plan.WithInputs(func(inputs []cachepolicy.Input) []cachepolicy.Input {
		out := withoutSecrets(inputs)
		for i := range out {
			switch in := &out[i]; {
			case values || !in.Kind.HoldsValue():
			case in.Secret:
				in.Value = ""
			default:
				in.Digest, in.Value = in.ValueDigest(), ""
			}
		}
		return out
	})
	p.SecretKey, p.Given = "", ""
	for i := range p.Steps {
		if p.Steps[i].Withholds() {
			p.Steps[i].Key = "" // keyed too
		}
	}
	return p
}

// Platforms returns for which platforms the exported builds were, sorted.
func (t Travel) Platforms() []string {
	var out []string
	for _, b := range t.Builds {
		if slices.Contains(t.Exported, b.ID) {
			out = append(out, b.Plan.Platform)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Find returns the ID of the travelled build that is the one of a plan, as far as
// plans tell once they travel; none if there is no such build.
func (t Travel) Find(p *cacheplan.Plan) (id string, ok bool) {
	want := identity(travelling(p, t.Values))
	for _, b := range t.Builds {
		if identity(b.Plan) == want {
			return b.ID, true
		}
	}
	return "", false
}

// Of returns what a build of a plan can be compared with: nothing, if the record is
// known to be another project's. Without a name, a build is of the same project if it
// has a file in common, or no files.
func (t Travel) Of(p *cacheplan.Plan, project string) Travel {
	if t.Project != project {
		return Travel{}
	}
	if project != "" {
		return t
	}
	out := Travel{TravelHeader: t.TravelHeader}
	for _, b := range t.Builds {
		if shareFile(p, b.Plan) {
			out.Builds = append(out.Builds, b)
		}
	}
	return out
}

// shareFile reports whether two plans select a file with the same path and content, or
// one of them lists none.
func shareFile(p, q *cacheplan.Plan) bool {
	type file struct {
		path   string
		digest cacheplan.FileDigest
	}
	files := func(p *cacheplan.Plan) map[file]bool {
		out := map[file]bool{}
		for _, s := range p.Files {
			for _, f := range s.Files {
				if !f.Mode.IsDir() {
					out[file{s.Context + "\x00" + f.Path, f.Digest}] = true
				}
			}
		}
		return out
	}
	mine, others := files(p), files(q)
	for f := range mine {
		if others[f] {
			return true
		}
	}
	return len(mine) == 0 || len(others) == 0
}

// TravelLedger holds the keys of the steps of a travelling record's builds.
type TravelLedger struct {
	// Exported has those whose results were exported with the record.
	Exported Ledger
	lacking  map[cacheplan.Sum]bool // among them: the result was not, all the same
	older    map[cacheplan.Sum]bool // those of earlier exports alone
}

// Lacks reports whether the result of an exported step was not exported.
func (l TravelLedger) Lacks(k cacheplan.StepKeys) bool { return holds(l.lacking, k) }

// IsOlder reports whether a step was in an earlier export, and not in the last one. A
// cache may hold its result all the same: an export takes along some of what the build
// imported.
func (l TravelLedger) IsOlder(k cacheplan.StepKeys) bool { return holds(l.older, k) }

func holds(set map[cacheplan.Sum]bool, k cacheplan.StepKeys) bool {
	key, ok := entryKey(k)
	return ok && set[key]
}

// Ledger returns the keys of the steps of all builds.
func (t Travel) Ledger() TravelLedger {
	var asked Ledger
	out := TravelLedger{lacking: map[cacheplan.Sum]bool{}, older: map[cacheplan.Sum]bool{}}
	has := map[cacheplan.Sum]bool{}
	for _, b := range slices.Backward(t.Builds) { // the oldest first
		keys := b.Plan.Keys(b.Plan.KnownSets())
		asked.Ask(keys, b.Time)
		exported := slices.Contains(t.Exported, b.ID)
		for i, k := range keys {
			key, ok := entryKey(k)
			switch {
			case !ok:
				continue
			case !exported:
				out.older[key] = true
				continue
			}
			e := asked.steps[key]
			e.Done = true
			out.Exported.put(key, e)
			if slices.Contains(t.Lacks[b.ID], i) || b.Plan.Steps[i].StaysHere() {
				out.lacking[key] = true
			} else {
				has[key] = true
			}
		}
	}
	for key := range has {
		delete(out.lacking, key)
	}
	for key := range out.Exported.steps {
		delete(out.older, key)
	}
	return out
}

// travelMagic begins every travelling record; the byte after it is the version. What
// follows is compressed: the length of the header, the header as JSON, the record.
const (
	travelMagic   = "CWTRAVEL"
	travelVersion = 1
)

// Encode returns what travels as bytes, at most max of them. The builds must come from
// ForTravel. What does not fit is left out, as in a record.
func (t Travel) Encode(max int) ([]byte, error) {
	if len(t.Builds) == 0 {
		return nil, nil
	}
	builds := slices.Clone(t.Builds)
	for {
		data, err := t.encode(Record{Builds: builds}.Encode())
		if err != nil || len(data) <= max {
			return data, err
		}
		// What is left of a record is about as long as it has builds.
		builds = builds[:min(len(builds), max*len(builds)/len(data)+1)]
		if builds = fewer(builds); builds == nil {
			return nil, fmt.Errorf("the record of one build has %d bytes, at most %d can travel", len(data), max)
		}
	}
}

func (t Travel) encode(record []byte) ([]byte, error) {
	var buf bytes.Buffer
	buf.WriteString(travelMagic)
	buf.WriteByte(travelVersion)
	z := zlib.NewWriter(&buf)
	if _, err := z.Write(append(appendText(nil, mustJSON(t.TravelHeader)), record...)); err != nil {
		return nil, err
	}
	err := z.Close()
	return buf.Bytes(), err
}

// DecodeTravel reads what Encode returned; no bytes are nothing. It fails on what is
// damaged, too large or of another version.
func DecodeTravel(data []byte) (Travel, error) {
	if len(data) == 0 {
		return Travel{}, nil
	}
	header := len(travelMagic) + 1
	if len(data) < header || string(data[:header-1]) != travelMagic {
		return Travel{}, errTravel
	}
	if v := data[header-1]; v != travelVersion {
		return Travel{}, fmt.Errorf("it is of version %d, this is %d", v, travelVersion)
	}
	z, err := zlib.NewReader(bytes.NewReader(data[header:]))
	if err != nil {
		return Travel{}, errTravel
	}
	body, err := io.ReadAll(io.LimitReader(z, maxTravelBody+1))
	if err != nil || len(body) > maxTravelBody {
		return Travel{}, errTravel
	}
	r := recordReader{data: body}
	var t Travel
	r.json(r.text(), &t.TravelHeader)
	if r.err != nil {
		return Travel{}, errTravel
	}
	t.Record = Decode(r.data)
	if len(t.Builds) == 0 || len(t.Builds) > MaxTravelBuilds {
		return Travel{}, errTravel
	}
	// Whoever wrote it, it holds nothing that is not to travel.
	t.Record = t.ForTravel(t.Values)
	return t, nil
}

// maxTravelBody bounds what is read, uncompressed.
const maxTravelBody = MaxBytes + 64<<10

var errTravel = errors.New("it is damaged")
