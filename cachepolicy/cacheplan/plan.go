package cacheplan

import (
	"encoding/json"
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/cachewright/cachewright/cachepolicy"
)

// Version is the version of the plan's JSON form. It grows when a reader of
// the old form would misread the new one; new fields alone do not change it.
const Version = 1

// Plan is what every step of a build is keyed by: the one value that the table,
// the JSON, the prediction and the explanation are made from.
type Plan struct {
	Version int `json:"version"` // Version
	// Dockerfile is the file's name, Target the stage that was asked for or empty
	// for the last, Platform the target platform as in linux/arm64.
	Dockerfile string `json:"dockerfile,omitempty"`
	// DockerfileDigest is the digest of the file as it is written, comments and all.
	DockerfileDigest string `json:"dockerfileDigest,omitempty"`
	Target           string `json:"target,omitempty"`
	Platform         string `json:"platform,omitempty"`
	// SecretKey names the key of the digests that stand for withheld values.
	SecretKey string `json:"secretKey,omitempty"`
	// Given is a digest of all that the comparison was given besides the plan, down to
	// the modes of files that no step takes. Of use in the record alone.
	Given string `json:"given,omitempty"`
	// Revision is the commit that was built, where the client says so; it ends in
	// "-dirty" if there were changes besides.
	Revision string `json:"revision,omitempty"`
	// Steps are in the order in which the converter meets them: a step stands after
	// all that it follows.
	Steps []Step `json:"steps"`
	// Files are the selections of context files that inputs refer to.
	Files []FileSet `json:"files,omitempty"`
}

// Step is one step of a plan.
type Step struct {
	ID cachepolicy.StepID `json:"id"`
	// Name is the step's name in the progress output, with variables unexpanded.
	Name string `json:"name"`
	// NoCache: --no-cache or --no-cache-filter makes the step run.
	NoCache bool `json:"noCache,omitempty"`
	// Rule holds the settings in effect.
	Rule   []Setting           `json:"rule,omitempty"`
	Inputs []cachepolicy.Input `json:"inputs"`
	// Key is a digest of the operation that the builder runs, without files and
	// what the step follows. Where it is empty, the inputs stand for it.
	Key     string   `json:"key,omitempty"`
	Follows []Follow `json:"follows,omitempty"`
}

// Withholds reports whether the step has inputs whose value is not shown.
func (s Step) Withholds() bool {
	return slices.ContainsFunc(s.Inputs, func(in cachepolicy.Input) bool { return in.Secret })
}

// Setting is one option of the rule in effect for a step.
type Setting struct {
	Option cachepolicy.Option `json:"option"`
	Value  string             `json:"value,omitempty"`
	Origin cachepolicy.Origin `json:"origin"`
}

// Settings returns a rule's settings in the form of a plan.
func Settings(r cachepolicy.Rule) []Setting {
	var out []Setting
	for _, s := range r.Settings() {
		out = append(out, Setting{Option: s.Option, Value: s.Text, Origin: s.Origin})
	}
	return out
}

// By says what of an earlier step, or of a thing elsewhere, is in a step's key.
type By string

// What of an earlier step can be in a key.
const (
	// ByDefinition: how it came to be. When the earlier step runs again, so does
	// this one.
	ByDefinition By = "definition"
	// ByContent: the files that it gave. When the earlier step runs again and gives
	// the same, this one is a hit.
	ByContent By = "content"
)

// Follow is one thing that a step starts from: an earlier step, or an image or
// other source outside the Dockerfile.
type Follow struct {
	// Step is the index of the earlier step in Plan.Steps, or -1.
	Step int `json:"step"`
	// Source is the image, URL or git reference, when there is no step, and Digest
	// what it is at the moment; empty: not known.
	Source string `json:"source,omitempty"`
	Digest string `json:"digest,omitempty"`
	By     By     `json:"by"`
	// Via says how: "stage", "--from", "--mount /src".
	Via string `json:"via,omitempty"`
}

// FollowStep returns the Follow of the step with that index.
func FollowStep(step int, by By, via string) Follow {
	return Follow{Step: step, By: by, Via: via}
}

// FollowSource returns the Follow of a source outside the Dockerfile whose content
// counts, not its digest: a changed digest may still be a hit. A base image is no
// such source; its digest is an input of the FROM step (InputBase).
func FollowSource(source, digest, via string) Follow {
	return Follow{Step: -1, Source: source, Digest: digest, By: ByContent, Via: via}
}

// FollowFetched returns the Follow of a source that is taken whole: where its digest
// changes, so does the key.
func FollowFetched(source, digest, via string) Follow {
	return Follow{Step: -1, Source: source, Digest: digest, By: ByDefinition, Via: via}
}

// FileSet returns the set with that ID, or nil.
func (p *Plan) FileSet(id string) *FileSet {
	for i := range p.Files {
		if p.Files[i].ID == id {
			return &p.Files[i]
		}
	}
	return nil
}

// WithoutFiles returns a copy of the plan whose file sets have a digest and a count
// instead of their files: small enough to be kept beside an image.
func (p *Plan) WithoutFiles() *Plan {
	out := *p
	out.Files = make([]FileSet, len(p.Files))
	for i, s := range p.Files {
		out.Files[i] = s.WithoutFiles()
	}
	return &out
}

// WithFewFiles returns a copy of the plan that lists so many files at most, in all its
// sets together, and has a digest and a count of each set beyond that, and of one with
// a name that is not UTF-8: JSON cannot tell such names apart.
func (p *Plan) WithFewFiles(limit int) *Plan {
	out := *p
	out.Files = make([]FileSet, len(p.Files))
	for i, s := range p.Files {
		odd := slices.ContainsFunc(s.Files, func(f File) bool { return !utf8.ValidString(f.Path) })
		if odd || len(s.Files) > limit {
			s = s.WithoutFiles()
		}
		limit -= len(s.Files)
		out.Files[i] = s
	}
	return &out
}

// Encode returns the plan as indented JSON with a final newline. Equal plans
// give equal bytes.
func Encode(p *Plan) ([]byte, error) {
	data, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return nil, err
	}
	return append(data, '\n'), nil
}

// Decode reads a plan from JSON. It fails on another version and on a plan
// that refers to what it does not hold.
func Decode(data []byte) (*Plan, error) {
	var p Plan
	if err := json.Unmarshal(data, &p); err != nil {
		return nil, fmt.Errorf("plan: %w", err)
	}
	if p.Version != Version {
		return nil, fmt.Errorf("plan: version %d, want %d", p.Version, Version)
	}
	if err := p.Check(); err != nil {
		return nil, err
	}
	return &p, nil
}

// SameTarget reports whether two plans are of one target of one Dockerfile, for the
// same platform. The last stage is one target, asked for by its name or not.
func (p *Plan) SameTarget(other *Plan) bool {
	return p.Dockerfile == other.Dockerfile && p.Platform == other.Platform && (p.Target == other.Target || p.lastStage() == other.lastStage())
}

// lastStage returns the name of the last stage of the file that has steps in the plan:
// the target's, or what that starts from if it has none of its own.
func (p *Plan) lastStage() string {
	name, index := "", -1
	for i := range p.Steps {
		if id := &p.Steps[i].ID; id.StageIndex > index {
			name, index = id.Stage, id.StageIndex
		}
	}
	return name
}

// OtherKey reports whether the digests of withheld values in two plans are keyed with
// different keys.
func (p *Plan) OtherKey(other *Plan) bool {
	return p.SecretKey != "" && other.SecretKey != "" && p.SecretKey != other.SecretKey
}

// WithInputs returns a copy of the plan in which the inputs of each step are what
// change makes of them. It must not change those that it is given.
func (p *Plan) WithInputs(change func([]cachepolicy.Input) []cachepolicy.Input) *Plan {
	out := *p
	out.Steps = slices.Clone(p.Steps)
	for i := range out.Steps {
		out.Steps[i].Inputs = change(p.Steps[i].Inputs)
	}
	return &out
}

// Check fails on a plan that refers to what it does not hold.
func (p *Plan) Check() error {
	sets := map[string]bool{}
	for _, s := range p.Files {
		if sets[s.ID] {
			return fmt.Errorf("plan: two file sets are called %q", s.ID)
		}
		sets[s.ID] = true
		for i := 1; i < len(s.Files); i++ {
			if s.Files[i-1].Path >= s.Files[i].Path {
				return fmt.Errorf("plan: the files of set %q are not sorted", s.ID)
			}
		}
	}
	for i, s := range p.Steps {
		for _, f := range s.Follows {
			if f.Step >= i || f.Step < -1 {
				return fmt.Errorf("plan: step %d follows step %d, which does not stand before it", i, f.Step)
			}
		}
		for _, in := range s.Inputs {
			if in.Files != "" && !sets[in.Files] {
				return fmt.Errorf("plan: step %d takes file set %q, which there is none of", i, in.Files)
			}
		}
	}
	return nil
}
