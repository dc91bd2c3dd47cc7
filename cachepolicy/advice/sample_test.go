package advice

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/cachewright/cachewright/cachepolicy"
	"github.com/cachewright/cachewright/cachepolicy/cacheplan"
	"github.com/cachewright/cachewright/cachepolicy/record"
)

// world is what the builds of a test see: files and arguments by name.
type world map[string]string

// readDockerfile reads what the tests need of Dockerfiles: FROM, WORKDIR, ARG, ENV, LABEL,
// COPY of local files or from a stage, and RUN. The files of the plan are not known.
func readDockerfile(text string, args world) (*Reading, error) {
	r := &Reading{Plan: &cacheplan.Plan{Version: cacheplan.Version, Dockerfile: "Dockerfile"}}
	b := reader{Reading: r, args: args, last: -1, stages: map[string]int{}}
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	rule := ""
	for i := 0; i < len(lines); i++ {
		line, first := lines[i], i+1
		for strings.HasSuffix(line, `\`) {
			i++
			line = strings.TrimSuffix(line, `\`) + strings.TrimSpace(lines[i])
		}
		switch {
		case strings.HasPrefix(line, "# cache="):
			rule = strings.TrimPrefix(line, "# cache=")
		case line != "" && line[0] != '#':
			if err := b.instruction(line, first, i+1, rule); err != nil {
				return nil, err
			}
			rule = ""
		}
	}
	return r, r.Plan.Check()
}

type reader struct {
	*Reading
	args      world
	last      int // step of the stage
	stage     string
	stages    map[string]int // the last step of each
	dir       string
	variables []cachepolicy.Input
}

func (b *reader) instruction(line string, first, end int, rule string) error {
	words := strings.Fields(line)
	in := Instruction{Keyword: words[0], Text: line, Line: first, EndLine: end, Stage: len(b.stages) - 1}
	for words = words[1:]; len(words) > 0 && strings.HasPrefix(words[0], "--"); words = words[1:] {
		in.Flags = append(in.Flags, words[0])
	}
	if in.Words = words; in.Keyword == "RUN" {
		in.Words = []string{strings.Join(words, " ")}
	}
	at := cachepolicy.Origin{Kind: cachepolicy.OriginLine, Line: first}
	step := cacheplan.Step{Name: line, ID: cachepolicy.StepID{Line: first, EndLine: end, Instruction: in.Keyword}}
	step.Inputs = []cachepolicy.Input{cachepolicy.NewInput(cachepolicy.InputCommand, in.Keyword, line, at)}
	switch in.Keyword {
	case "FROM":
		b.stage, b.last, b.dir, b.variables = words[len(words)-1], -1, "/", nil
		b.stages[b.stage] = -1
		in.Stage++
		step.Inputs = []cachepolicy.Input{{Kind: cachepolicy.InputBase, Name: words[0], Digest: "sha256:" + b.args[words[0]], Origin: at}}
	case "WORKDIR":
		b.dir = path.Join(b.dir, words[0])
	case "ARG", "ENV":
		name, value, _ := strings.Cut(words[0], "=")
		kind := cachepolicy.InputEnv
		if in.Keyword == "ARG" {
			kind = cachepolicy.InputArg
		}
		if given, ok := b.args[strings.TrimPrefix(value, "$")]; ok {
			value = given
		}
		if given, ok := b.args[name]; ok {
			value = given
		}
		b.variables = append(b.variables, cachepolicy.NewInput(kind, name, value, at))
	case "RUN":
		step.Inputs = append(step.Inputs, cachepolicy.NewInput(cachepolicy.InputWorkdir, "workdir", b.dir, at),
			cachepolicy.NewInput(cachepolicy.InputPlatform, "platform", "sample", at))
		for _, v := range b.variables {
			if v.Kind != cachepolicy.InputArg || rule != "args=none" {
				step.Inputs = append(step.Inputs, v)
			}
		}
	case "COPY":
		if err := b.copy(&step, &in, rule, at); err != nil {
			return err
		}
	}
	b.Instructions = append(b.Instructions, in)
	if slices.Contains([]string{"FROM", "WORKDIR", "RUN", "COPY"}, in.Keyword) {
		b.add(step, in.Stage, rule)
	}
	return nil
}

func (b *reader) copy(step *cacheplan.Step, in *Instruction, rule string, at cachepolicy.Origin) error {
	for _, f := range in.Flags {
		if from, ok := strings.CutPrefix(f, "--from="); ok {
			n, known := b.stages[from]
			if !known {
				return errors.New("no stage " + from)
			}
			step.Follows = append(step.Follows, cacheplan.FollowStep(n, cacheplan.ByContent, "--from"))
			return nil
		}
	}
	sources, dest := in.Words[:len(in.Words)-1], in.Words[len(in.Words)-1]
	if len(sources) > 1 && !strings.HasSuffix(dest, "/") {
		return errors.New("several sources need a directory")
	}
	if !strings.HasPrefix(dest, "/") {
		step.Inputs = append(step.Inputs, cachepolicy.NewInput(cachepolicy.InputWorkdir, "workdir", b.dir, at))
	}
	set := cacheplan.FileSet{ID: fmt.Sprint("set", len(b.Plan.Files)), Patterns: sources, IgnoreModes: rule == "modes=ignore"}
	b.Plan.Files = append(b.Plan.Files, set)
	step.Inputs = append(step.Inputs, cachepolicy.Input{Kind: cachepolicy.InputFiles, Name: strings.Join(sources, " "), Files: set.ID, Origin: at})
	return nil
}

func (b *reader) add(step cacheplan.Step, stage int, rule string) {
	step.ID.Stage, step.ID.StageIndex = b.stage, stage
	if option, value, ok := strings.Cut(rule, "="); ok {
		step.Rule = []cacheplan.Setting{{Option: cachepolicy.Option(option), Value: value}}
	}
	if b.last >= 0 {
		step.Follows = append([]cacheplan.Follow{cacheplan.FollowStep(b.last, cacheplan.ByDefinition, "")}, step.Follows...)
	}
	b.last = len(b.Plan.Steps)
	b.stages[b.stage] = b.last
	b.Plan.Steps = append(b.Plan.Steps, step)
}

// sampleProject returns a project of that Dockerfile with a build of each of the worlds.
// A file's content may have its mode behind a bar, as in "text|755".
func sampleProject(dockerfile string, worlds []world) *Project {
	p := &Project{Dockerfile: File{Path: "Dockerfile", Text: dockerfile}, Ignore: File{Path: ".dockerignore", Missing: true}}
	p.Read = func(text string) (*Reading, error) { return readDockerfile(text, worlds[len(worlds)-1]) }
	var builds []record.Build
	var done []record.PastBuild
	for i, w := range worlds {
		r, err := readDockerfile(dockerfile, w)
		if err != nil {
			panic(err)
		}
		p.Plan = r.Plan
		for j := range p.Plan.Files {
			p.Plan.Files[j].SetFiles(filesOf(&p.Plan.Files[j], w))
		}
		ran := runOf(p.Plan, done)
		id := fmt.Sprint("build", i)
		p.Log = append(p.Log, record.NewLogEntry(id, time.Unix(int64(i), 0), p.Plan, builds, ran))
		past := record.PastBuild{Plan: p.Plan}
		builds = slices.Insert(builds, 0, record.Build{ID: id, Plan: past.Plan})
		done = append(done, past)
	}
	return p
}

// runOf returns the steps whose keys no earlier build had.
func runOf(p *cacheplan.Plan, past []record.PastBuild) []int {
	ledger := record.LedgerOf(past)
	var out []int
	for i, k := range p.Keys(p.KnownSets()) {
		if ledger.Strong(k) != record.Done {
			out = append(out, i)
		}
	}
	return out
}

func filesOf(set *cacheplan.FileSet, w world) []cacheplan.File {
	var out []cacheplan.File
	for _, name := range slices.Sorted(maps.Keys(w)) {
		if !strings.ContainsAny(name, "./") || !selects(set, name) {
			continue
		}
		text, mode, _ := strings.Cut(w[name], "|")
		f := cacheplan.File{Path: name}
		if err := f.Mode.UnmarshalText([]byte("100" + cmp.Or(mode, "644"))); err != nil {
			panic(err)
		}
		copy(f.Digest[:], text)
		out = append(out, f)
	}
	return out
}
