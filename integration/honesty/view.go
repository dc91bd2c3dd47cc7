package honesty

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
)

// View is what one build of a state is made of, as far as the model knows.
type View struct {
	Steps []*Step // of the stages that the target needs, in the file's order
}

// Step is one step of a build, with all that it may be keyed by.
type Step struct {
	ID      int
	Stage   string
	Number  string // as in progress output: "s0 2/3"
	Word    string
	Text    string // the instruction as written
	Rule    string
	Env     map[string]string // variables that it sees, by name
	Args    map[string]string // the build's arguments
	Setup   string            // work directory, user, shell and what the build sets
	Files   map[string]File   // of the context or of lib that it takes
	Image   string            // the base that its stage began with, with what the tag has
	Page    string            // what it loads from the web
	NoCache bool
	Prev    *Step // what it starts from; nil: the base image
	From    *Step // the last step of a stage that it reads files from; nil: none
	// Print is equal for steps that must share a result, unless no cache is asked for.
	Print string
}

// Options are what a build is asked for besides its directory.
type Options struct {
	Project  int
	File     string // name of the Dockerfile
	Target   string // a stage, or empty for the last
	Args     map[string]string
	Platform string
	NoCache  bool
	Filter   string // a stage whose steps run without the cache
	Epoch    string // SOURCE_DATE_EPOCH
	Host     string // of --add-host
	LibImage bool   // the named context lib is a base image and no directory
}

// Combination tells builds of one project apart that are done side by side: by
// their Dockerfile, arguments and so on, but not by their target.
func (o Options) Combination() string {
	var args []string
	for _, name := range slices.Sorted(maps.Keys(o.Args)) {
		args = append(args, name+"="+o.Args[name])
	}
	return fmt.Sprintf("%d %s %v %s %t", o.Project, o.File, args, o.Platform, o.LibImage)
}

// viewer makes a View.
type viewer struct {
	state   *State
	project *Project
	opt     Options
	tree    map[string]File
	last    map[string]*stageEnd
	out     *View
}

// stageEnd is what a stage leaves to those that start from it.
type stageEnd struct {
	step  *Step // nil: nothing ran on the image
	image string
	env   map[string]string
	dir   string
	user  string
	shell string
}

// NewView looks at a build of the state. Stages that the target does not need are
// not in it. A target or Dockerfile that is not there gives an empty view.
func NewView(s *State, o Options) *View {
	p := s.Projects[o.Project]
	d := p.Dockerfiles[o.File]
	v := &viewer{state: s, project: p, opt: o, tree: p.Tree("", ""), last: map[string]*stageEnd{}, out: &View{}}
	if d == nil || len(d.Stages) == 0 {
		return v.out
	}
	target := o.Target
	if target == "" {
		target = d.Stages[len(d.Stages)-1].Name
	}
	needed := d.needed(target)
	for _, stage := range d.Stages {
		if needed[stage.Name] {
			v.stage(stage)
		}
	}
	return v.out
}

// needed returns the stages that a target is made of.
func (d *Dockerfile) needed(target string) map[string]bool {
	out := map[string]bool{}
	var add func(name string)
	add = func(name string) {
		s := d.stage(name)
		if s == nil || out[name] {
			return
		}
		out[name] = true
		add(s.Base)
		for _, i := range s.Steps {
			add(i.From)
		}
	}
	add(target)
	return out
}

// stage adds the steps of one stage.
func (v *viewer) stage(s *Stage) {
	end := v.begin(s)
	total, number := 0, 0
	if isImage(s.Base) {
		total, number = 1, 1
	}
	for _, i := range s.Steps {
		if i.isStep() {
			total++
		}
	}
	for _, i := range s.Steps {
		end.apply(i, v.opt.Args)
		if !i.isStep() {
			continue
		}
		number++
		step := v.step(s, i, end)
		step.Number = fmt.Sprintf("%s %d/%d", s.Name, number, total)
		v.out.Steps = append(v.out.Steps, step)
		end.step = step
	}
	v.last[s.Name] = end
}

// begin returns what a stage starts from.
func (v *viewer) begin(s *Stage) *stageEnd {
	if parent := v.last[s.Base]; parent != nil {
		c := *parent
		c.env = maps.Clone(parent.env)
		return &c
	}
	image := fmt.Sprintf("%s version %d", s.Base, v.state.Images[s.Base])
	return &stageEnd{image: image + " " + s.Platform, env: map[string]string{}, dir: "/"}
}

// apply makes the changes of an instruction that are none of files.
func (e *stageEnd) apply(i *Instruction, args map[string]string) {
	name, value, set := strings.Cut(i.Text, "=")
	switch i.Word {
	case "ENV":
		e.env[name] = os.Expand(value, func(n string) string { return e.env[n] })
	case "ARG":
		if given, ok := args[name]; ok {
			value, set = given, true
		}
		if set {
			e.env[name] = value
		}
	case "WORKDIR":
		e.dir = i.Text
	case "USER":
		e.user = i.Text
	case "SHELL":
		e.shell = i.Text
	}
}

// step returns the step of an instruction in its stage.
func (v *viewer) step(s *Stage, i *Instruction, end *stageEnd) *Step {
	out := &Step{
		ID: i.ID, Stage: s.Name, Word: i.Word, Text: i.String(), Rule: i.Rule, Prev: end.step, Image: end.image,
		Env:     maps.Clone(end.env),
		Args:    v.opt.Args,
		Setup:   strings.Join([]string{end.dir, end.user, end.shell, v.opt.Host, v.opt.Epoch, v.opt.Platform}, "|"),
		NoCache: v.opt.NoCache || v.opt.Filter == s.Name,
	}
	if s.Rule != "" { // a default, which the step's own rule may add to
		out.Rule = strings.Trim(s.Rule+";"+out.Rule, ";")
	}
	source := os.Expand(i.Source, func(n string) string { return end.env[n] })
	switch {
	case i.From == "lib" && v.opt.LibImage:
		out.Page = fmt.Sprintf("lib is base0 version %d", v.state.Images["base0"])
	case i.From == "lib":
		out.Files = selected(v.project.Lib, source, nil)
	case i.From != "":
		if from := v.last[i.From]; from != nil {
			out.From = from.step
			out.Page = from.image
		}
	case i.Page != "":
		out.Page = fmt.Sprintf("%s version %d", i.Page, v.state.Pages[i.Page])
	case source != "":
		out.Files = selected(v.tree, source, v.project.Ignore)
	}
	out.Print = out.fingerprint()
	return out
}

// fingerprint sums all that a step is made of, and more: two builds of a step with
// one fingerprint must have one result. It is no cache key.
func (s *Step) fingerprint() string {
	h := sha256.New()
	fmt.Fprintf(h, "%q %q %q %q %q %q %t", s.Text, s.Rule, s.Setup, s.Image, s.Page, s.Stage, s.NoCache)
	if strings.Contains(s.Rule, "key=arg:") {
		fmt.Fprintf(h, " given %q", s.Args["A0"])
	}
	if s.Word == "RUN" || strings.Contains(s.Text, "$") {
		for _, name := range slices.Sorted(maps.Keys(s.Env)) {
			fmt.Fprintf(h, " %q=%q", name, s.Env[name])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.Files)) {
		fmt.Fprintf(h, " %q %q %o", name, s.Files[name].Content, s.Files[name].Mode)
	}
	for _, before := range []*Step{s.Prev, s.From} {
		if before != nil {
			fmt.Fprintf(h, " after %s", before.Print)
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// step returns the step of that ID in that stage, or nil.
func (v *View) step(stage string, id int) *Step {
	for _, s := range v.Steps {
		if s.ID == id && s.Stage == stage {
			return s
		}
	}
	return nil
}

// numbered returns the step with that number, as in "s0 2/3" or, of a Dockerfile with
// one stage, "2/3"; nil if there is none.
func (v *View) numbered(number string) *Step {
	for _, s := range v.Steps {
		if _, short, _ := strings.Cut(s.Number, " "); s.Number == number || short == number {
			return s
		}
	}
	return nil
}

// print is equal for builds of equal steps.
func (v *View) print() string {
	var b strings.Builder
	for _, s := range v.Steps {
		b.WriteString(s.Print + " ")
	}
	return b.String()
}
