package advice

import (
	"fmt"
	"slices"

	"github.com/cachewright/cachewright/cachepolicy/cacheplan"
	"github.com/cachewright/cachewright/cachepolicy/internal/phrase"
	"github.com/cachewright/cachewright/cachepolicy/record"
)

// MinBuilds is how many builds have to be recorded for there to be advice.
const MinBuilds = 4

const (
	// minSaved is how many runs a suggestion saves at least.
	minSaved = 2
	// maxSuggestions is how many suggestions there are at most.
	maxSuggestions = 8
)

// Project is what advice is asked about.
type Project struct {
	// Plan is the plan of the build, with the files that are known.
	Plan *cacheplan.Plan
	// Dockerfile and Ignore are the Dockerfile and the .dockerignore.
	Dockerfile, Ignore File
	// Log has the recorded builds of the same instructions, the oldest first.
	Log []record.LogEntry
	// Remote: the build imports a cache from elsewhere. BuildPlatform is the builder's own.
	Remote        bool
	BuildPlatform string
	// Read converts a Dockerfile as the build would. It fails where the build would.
	Read func(dockerfile string) (*Reading, error)
}

// File is a text file of the project. Path is where it lies, with slashes; empty: it
// cannot be changed.
type File struct {
	Path, Text string
	// Missing: there is none yet.
	Missing bool
}

// Reading is a Dockerfile as it was read.
type Reading struct {
	// Plan has file sets with patterns alone.
	Plan         *cacheplan.Plan
	Instructions []Instruction // in order, those of all stages
}

// Instruction is one instruction of a Dockerfile.
type Instruction struct {
	Keyword string   // upper case
	Flags   []string // as in --chown=1000
	// Words are the arguments; the command of a RUN is one word, unless it is Exec.
	Words []string
	// Exec: the arguments are a JSON list. Heredoc: there are documents below.
	Exec, Heredoc bool
	// Text is the instruction as it is written, in one line.
	Text string
	// Line and EndLine are the first and last line, from 1.
	Line, EndLine int
	// Stage is the index of the stage; -1 above the first FROM.
	Stage int
}

// Kind says what a suggestion is about.
type Kind string

// The kinds of suggestions.
const (
	KindOrder     Kind = "order"     // a command ran because of files that it does not read
	KindArguments Kind = "arguments" // or because of an argument that it does not use
	KindNoise     Kind = "noise"     // files changed that no build needs
	KindModes     Kind = "modes"     // only permission bits changed
	KindExport    Kind = "export"    // results that no build used again are exported
	KindPlatform  Kind = "platform"  // a stage of files runs under emulation
)

// Suggestion is one change of the Dockerfile or the .dockerignore.
type Suggestion struct {
	Kind Kind `json:"kind"`
	// Line is that of the instruction that it is about, in the Dockerfile as it is; 0: none.
	Line int `json:"line,omitempty"`
	// Seen says what happened, and Do what to do about it.
	Seen string `json:"seen"`
	Do   string `json:"do"`
	// Saves is how many runs of commands would have been saved in the recorded builds, of
	// how many that there were, with all suggestions before this one applied. It is 0 where
	// that cannot be said. UpTo is larger where commands take files of a step that would
	// have run less often: they run again only if these differ, and nobody knows.
	Saves int `json:"saves,omitempty"`
	UpTo  int `json:"upTo,omitempty"`
	Of    int `json:"of,omitempty"`
	// Steps are the commands that would have run less often.
	Steps []Saving `json:"steps,omitempty"`
	// If is what the author has to know to be true, and Changes how the result of the
	// build changes; empty: it does not.
	If      string `json:"if,omitempty"`
	Changes string `json:"changes,omitempty"`
	// Patch is a unified diff for git apply, on top of those of the suggestions before;
	// empty where it takes more than a patch.
	Patch string `json:"patch,omitempty"`
}

// Saving is how often a command would have run.
type Saving struct {
	Step   string `json:"step"` // the instruction
	Before int    `json:"before"`
	After  int    `json:"after"`
}

// Advice is what can be said of a project.
type Advice struct {
	// Builds is how many builds are recorded.
	Builds      int          `json:"builds"`
	Suggestions []Suggestion `json:"suggestions"`
}

// candidate is a suggestion with what it would make of the project.
type candidate struct {
	Suggestion
	dockerfile, ignore string
	ignored            []string // more patterns of files that no build sees
	// step is the command whose runs Seen counts, and because what some of them are
	// because of; empty: Seen says all.
	step, because string
}

// Suggest returns the suggestions that save most, each on top of those before. It
// fails if the Dockerfile cannot be converted.
func Suggest(p *Project) (*Advice, error) {
	h := newHistory(latest(p))
	out := &Advice{Builds: len(h.states), Suggestions: []Suggestion{}}
	if out.Builds < MinBuilds {
		return out, nil
	}
	now := &situation{project: p, first: map[place]int{}, files: filesOfContexts(p.Plan), history: h, dockerfile: p.Dockerfile.Text, ignore: p.Ignore.Text}
	var err error
	if now.reading, err = p.Read(now.dockerfile); err != nil {
		return nil, err
	}
	for _, in := range slices.Backward(now.reading.Instructions) {
		now.first[place{in.Stage, in.Text}] = in.Line
	}
	// Some of the builds may have been before the .dockerignore was as it is now.
	h.check(p, simulate(now.reading.Plan, h, nil))
	now.ignored = ignoredBy(p.Ignore.Text)
	now.tally = simulate(now.reading.Plan, h, now.ignored)
	for len(out.Suggestions) < maxSuggestions {
		best, next := now.best()
		if next == nil {
			break
		}
		best.Patch = now.patch(next)
		out.Suggestions = append(out.Suggestions, best.Suggestion)
		now = next
	}
	out.Suggestions = append(out.Suggestions, now.others()...)
	return out, nil
}

// latest returns the entries of the log that are simulated: of a very long Dockerfile
// only the last ones, so that an answer takes seconds at most.
func latest(p *Project) []record.LogEntry {
	const maxStates, minBuilds = 60_000, 20
	most := max(minBuilds, maxStates/max(len(p.Plan.Steps), 1))
	return p.Log[max(len(p.Log)-most, 0):]
}

// situation is the project with some suggestions applied.
type situation struct {
	project            *Project
	history            *history
	first              map[place]int       // the lines of the Dockerfile as it is
	files              map[string][]string // those that are known, by their context
	dockerfile, ignore string
	ignored            []string
	reading            *Reading
	tally              tally
}

// place tells an instruction from others, also after it was moved.
type place struct {
	stage int
	text  string
}

// at names an instruction with its line in the Dockerfile as it is.
func (s *situation) at(in *Instruction) string {
	text := phrase.Shorten(phrase.OneLine(in.Text), 60)
	if line := s.line(in); line > 0 {
		return fmt.Sprintf("%s (line %d)", text, line)
	}
	return text
}

// line returns the line of an instruction in the Dockerfile as it is, or 0.
func (s *situation) line(in *Instruction) int { return s.first[place{in.Stage, in.Text}] }

// best returns the candidate that saves most, and the situation that it leads to; nil if
// there is none. Among equals the one that changes nothing in the result comes first.
func (s *situation) best() (*candidate, *situation) {
	var best *candidate
	var leads *situation
	for _, c := range slices.Concat(s.order(), s.arguments(), s.noise(), s.modes()) {
		next := s.try(&c)
		if next == nil || best != nil && (c.Saves < best.Saves || c.Saves == best.Saves && (best.Changes == "" || c.Changes != "")) {
			continue
		}
		best, leads = &c, next
	}
	return best, leads
}

// try simulates a candidate and fills in what it saves. It returns nil if it is none.
func (s *situation) try(c *candidate) *situation {
	next := &situation{
		project: s.project, history: s.history, first: s.first, files: s.files, reading: s.reading,
		dockerfile: c.dockerfile, ignore: c.ignore, ignored: slices.Concat(s.ignored, c.ignored),
	}
	if c.dockerfile != s.dockerfile {
		var err error
		if next.reading, err = s.project.Read(c.dockerfile); err != nil {
			return nil
		}
	}
	next.tally = simulate(next.reading.Plan, s.history, next.ignored)
	var harms bool
	if c.Steps, harms = s.tally.compare(next.tally); harms {
		return nil
	}
	before, after := s.tally.commands(), next.tally.commands()
	c.Of, c.Saves = before.certain, before.certain-after.certain
	if c.Saves < minSaved {
		return nil
	}
	if upTo := before.perhaps - after.perhaps; upTo > c.Saves {
		c.UpTo = upTo
	}
	if i := slices.IndexFunc(c.Steps, func(saved Saving) bool { return saved.Step == c.step }); i >= 0 {
		c.Seen += fmt.Sprintf("; in %d of them only because of %s", c.Steps[i].Before-c.Steps[i].After, c.because)
	} else if c.step != "" {
		return nil
	}
	if !s.history.explains(c.Steps) {
		c.Saves, c.UpTo, c.Of, c.Steps = 0, 0, 0, nil
	}
	return next
}
