package cachepolicy

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
)

// PlanVersion is the version of the plan's JSON form. It grows when a reader of
// the old form would misread the new one; new fields alone do not change it.
const PlanVersion = 1

// Plan is what every step of a build is keyed by: the one value that the table,
// the JSON, the prediction and the explanation are made from.
type Plan struct {
	Version int `json:"version"` // PlanVersion
	// Dockerfile is the file's name, Target the stage that was asked for or empty
	// for the last, Platform the target platform as in linux/arm64.
	Dockerfile string `json:"dockerfile,omitempty"`
	// DockerfileDigest is the digest of the file as it is written, comments and all.
	DockerfileDigest string `json:"dockerfileDigest,omitempty"`
	Target           string `json:"target,omitempty"`
	Platform         string `json:"platform,omitempty"`
	// Steps are in the order in which the converter meets them: a step stands after
	// all that it follows.
	Steps []Step `json:"steps"`
	// Files are the selections of context files that inputs refer to.
	Files []FileSet `json:"files,omitempty"`
}

// Step is one step of a plan.
type Step struct {
	ID StepID `json:"id"`
	// Name is the step's name in the progress output, with variables unexpanded.
	Name string `json:"name"`
	// NoCache: --no-cache or --no-cache-filter makes the step run.
	NoCache bool `json:"noCache,omitempty"`
	// Rule holds the settings in effect.
	Rule   []PlanSetting `json:"rule,omitempty"`
	Inputs []Input       `json:"inputs"`
	// Key is a digest of the operation that the builder runs, without files and
	// what the step follows. Where it is empty, the inputs stand for it.
	Key     string   `json:"key,omitempty"`
	Follows []Follow `json:"follows,omitempty"`
}

// Withholds reports whether the step has inputs whose value is not shown.
func (s Step) Withholds() bool {
	return slices.ContainsFunc(s.Inputs, func(in Input) bool { return in.Secret })
}

// PlanSetting is one option of the rule in effect for a step.
type PlanSetting struct {
	Option Option `json:"option"`
	Value  string `json:"value,omitempty"`
	Origin Origin `json:"origin"`
}

// PlanSettings returns a rule's settings in the form of the plan.
func (r Rule) PlanSettings() []PlanSetting {
	var out []PlanSetting
	for _, s := range r.settings {
		out = append(out, PlanSetting{Option: s.Option, Value: s.Text, Origin: s.Origin})
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

// FileSet is a selection of files of a build context, as one instruction makes it.
// Steps with the same selection share it.
type FileSet struct {
	ID string `json:"id"` // unique in the plan
	// Context is the build context's name, empty for the main one.
	Context string `json:"context,omitempty"`
	// Patterns are the selected paths or wildcards, relative to the context, and
	// Exclude what the instruction leaves out of them. DIR/./PATTERN or ./PATTERN, as
	// COPY --parents has it, is what matches PATTERN in DIR, with ** for any
	// directories.
	Patterns []string `json:"patterns"`
	Exclude  []string `json:"exclude,omitempty"`
	// IgnoreModes: of the permission bits only "executable by anyone" counts.
	IgnoreModes bool `json:"ignoreModes,omitempty"`
	// Known: Files, or Digest alone, say what was selected. Before that nobody has
	// looked.
	Known bool `json:"known,omitempty"`
	// Files are sorted by path. They are left out of a set that is too large to keep,
	// which has Digest and Count (of all but directories) instead.
	Files  []File `json:"files,omitempty"`
	Digest string `json:"digest,omitempty"`
	Count  int    `json:"count,omitempty"`

	// total is the sum of Files, where it was taken already.
	total string
}

// File is one file, directory or symbolic link of a FileSet.
type File struct {
	Path   string     `json:"path"`
	Digest FileDigest `json:"digest"`
	Mode   FileMode   `json:"mode"`
}

// HasWildcard reports whether a pattern of a COPY source has wildcards that are
// not escaped with a backslash.
func HasWildcard(pattern string) bool {
	for i := 0; i < len(pattern); i++ {
		switch pattern[i] {
		case '*', '?', '[':
			return true
		case '\\':
			i++
		}
	}
	return false
}

// FileDigest stands for all that counts of a file but its path and mode: content,
// owner, link target, extended attributes, but never times. It is the beginning
// of a SHA-256 sum, and zero for a directory that has nothing but a mode.
type FileDigest [16]byte

// MarshalText returns the digest in hexadecimal digits.
func (d FileDigest) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, d[:]), nil }

// UnmarshalText reads 32 hexadecimal digits.
func (d *FileDigest) UnmarshalText(text []byte) error {
	if n, err := hex.Decode(d[:], text[:min(len(text), 2*len(d))]); err != nil || len(text) != 2*n || n != len(d) {
		return fmt.Errorf("%q is not a file digest", text)
	}
	return nil
}

// FileMode is a file's type and permission bits as in st_mode of Unix.
type FileMode uint32

// Parts of a FileMode.
const (
	modeType       FileMode = 0o170000
	modeDir        FileMode = 0o040000
	modePermission FileMode = 0o007777
	modeExecutable FileMode = 0o000111
)

// IsDir reports whether the mode is that of a directory.
func (m FileMode) IsDir() bool { return m&modeType == modeDir }

// MarshalText returns the mode in octal digits.
func (m FileMode) MarshalText() ([]byte, error) { return strconv.AppendUint(nil, uint64(m), 8), nil }

// UnmarshalText reads octal digits.
func (m *FileMode) UnmarshalText(text []byte) error {
	n, err := strconv.ParseUint(string(text), 8, 32)
	*m = FileMode(n)
	return err
}

// counted returns the part of the mode that is in the key.
func (m FileMode) counted(ignoreModes bool) FileMode {
	if !ignoreModes {
		return m
	}
	if m&modeExecutable != 0 {
		return m&modeType | modeExecutable
	}
	return m & modeType
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
		out.Files[i] = s.withoutFiles()
	}
	return &out
}

// SetFiles makes the set known. The files must be sorted by path, each path once,
// and must not be changed afterwards.
func (s *FileSet) SetFiles(files []File) {
	s.Known, s.Files, s.Digest, s.Count, s.total = true, files, "", 0, ""
	s.total = s.sum()
}

func (s FileSet) withoutFiles() FileSet {
	if s.Known && s.Digest == "" {
		s.Digest, s.Count = s.sum(), s.size()
	}
	s.Files = nil
	return s
}

// size returns how many files a known set has, not counting directories.
func (s *FileSet) size() int {
	n := s.Count
	if s.Digest == "" {
		for i := range s.Files {
			if !s.Files[i].Mode.IsDir() {
				n++
			}
		}
	}
	return n
}

// EncodePlan returns the plan as indented JSON with a final newline. Equal plans
// give equal bytes.
func EncodePlan(p *Plan) ([]byte, error) {
	data, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return nil, err
	}
	return append(data, '\n'), nil
}

// DecodePlan reads a plan from JSON. It fails on another version and on a plan
// that refers to what it does not hold.
func DecodePlan(data []byte) (*Plan, error) {
	var p Plan
	if err := json.Unmarshal(data, &p); err != nil {
		return nil, fmt.Errorf("plan: %w", err)
	}
	if p.Version != PlanVersion {
		return nil, fmt.Errorf("plan: version %d, want %d", p.Version, PlanVersion)
	}
	if err := p.Check(); err != nil {
		return nil, err
	}
	return &p, nil
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
