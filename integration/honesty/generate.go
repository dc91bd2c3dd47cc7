package honesty

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
)

// Generate makes a world with so many builds. The same seed gives the same world.
func Generate(seed uint64, builds int) *World {
	g := &generator{r: rand.New(rand.NewPCG(seed, 1)), seed: seed, state: &State{
		Images: map[string]int{"base0": 1, "base1": 1}, Pages: map[string]int{"p0": 1, "p1": 1},
	}}
	g.projects()
	g.chooseHabits()
	w := &World{Seed: seed, Begin: g.state.Clone()}
	g.past = append(g.past, g.state.Clone())
	for n := range builds {
		if n > 0 {
			g.edits()
		}
		g.build()
	}
	w.Actions = g.actions
	return w
}

// generator makes a world. It carries out its own actions on state, so that they
// fit.
type generator struct {
	r       *rand.Rand
	seed    uint64
	state   *State
	actions []Action
	past    []*State // before each build
	habits  []Build  // what is built again and again
	ids     int
	values  int
}

func (g *generator) chance(p float64) bool { return g.r.Float64() < p }

func pick[T any](g *generator, from ...T) T { return from[g.r.IntN(len(from))] }

// id returns a number that no instruction has.
func (g *generator) id() int {
	g.ids++
	return g.ids
}

// value returns a text that was not there before in this world.
func (g *generator) value() string {
	g.values++
	return fmt.Sprintf("v%d", g.values)
}

// do adds an action and carries it out.
func (g *generator) do(a Action) {
	g.actions = append(g.actions, a)
	a.Edit(g.state)
}

// projects makes one or two projects, the second in a folder of the same name.
func (g *generator) projects() {
	first := g.project("alpha/app")
	g.state.Projects = []*Project{first}
	switch {
	case g.chance(0.15): // a look-alike
		second := first.Clone()
		second.Dir = "beta/app"
		for _, name := range sortedNames(second.Files) {
			if g.chance(0.5) {
				second.Files[name] = File{Content: g.value(), Mode: second.Files[name].Mode}
			}
		}
		g.state.Projects = append(g.state.Projects, second)
	case g.chance(0.2):
		g.state.Projects = append(g.state.Projects, g.project("beta/app"))
	}
}

func (g *generator) project(dir string) *Project {
	p := &Project{Dir: dir, Files: map[string]File{}, Lib: map[string]File{"etc/unique": {g.value(), 0o644}}, Dockerfiles: map[string]*Dockerfile{}}
	for _, name := range []string{"a", "b", "src/a", "src/b", "src/dir/c"} {
		if g.chance(0.8) {
			p.Files[name] = File{Content: g.value(), Mode: 0o644}
		}
	}
	p.Files["src/a"] = File{Content: g.value(), Mode: 0o644}
	d := &Dockerfile{Mode: 0o644}
	for n := range 1 + g.r.IntN(4) {
		d.Stages = append(d.Stages, g.stage(p, d, fmt.Sprintf("s%d", n)))
	}
	p.Dockerfiles["Dockerfile"] = d
	if g.chance(0.3) {
		dev := d.clone()
		last := dev.Stages[len(dev.Stages)-1]
		last.Steps = append(last.Steps, g.step(p, dev, last))
		p.Dockerfiles["Dockerfile.dev"] = dev
	}
	return p
}

// stage makes a stage of one to four instructions for the end of a Dockerfile.
func (g *generator) stage(p *Project, d *Dockerfile, name string) *Stage {
	s := &Stage{Name: name, Base: pick(g, "base0", "base0", "base0", "base1")}
	if len(d.Stages) > 0 && g.chance(0.45) {
		s.Base = pick(g, d.Stages...).Name
	}
	if g.chance(0.05) {
		s.Rule = g.rule("RUN")
	}
	if same := d.startingFrom(s.Base); same != nil && g.chance(0.2) {
		first := *same.Steps[0] // the builder has one step for both
		s.Steps = append(s.Steps, &first)
	}
	for range 1 + g.r.IntN(4) {
		s.Steps = append(s.Steps, g.step(p, d, s))
	}
	return s
}

// startingFrom returns a stage that starts from the base and has instructions.
func (d *Dockerfile) startingFrom(base string) *Stage {
	for _, s := range d.Stages {
		if s.Base == base && len(s.Steps) > 0 {
			return s
		}
	}
	return nil
}

// step makes an instruction for the stage, which may be new and not in the file.
func (g *generator) step(p *Project, d *Dockerfile, s *Stage) *Instruction {
	i := &Instruction{ID: g.id()}
	switch n := g.r.IntN(20); {
	case n < 8:
		g.run(i, p, d, s)
	case n < 13:
		g.copyFiles(i, p)
	case n < 16:
		g.copyFrom(i, d, s)
	case n < 17:
		i.Word, i.Page = "ADD", pick(g, "p0", "p1")
		i.Text = fmt.Sprintf("$WEB/%s /a%d", i.Page, i.ID)
	case n < 18:
		i.Word, i.Text = "WORKDIR", fmt.Sprintf("/w%d", g.r.IntN(3))
	case n < 19:
		i.Word, i.Text = "ARG", pick(g, "A0=none", "A1=none", "A0", "NPM_TOKEN=none")
	default:
		i.Word, i.Text = "ENV", fmt.Sprintf("E%d=%s", g.r.IntN(2), g.value())
	}
	if i.isStep() && i.Word != "WORKDIR" && g.chance(0.06) {
		i.Rule = g.rule(i.Word)
	}
	return i
}

// run makes a RUN that takes little time and succeeds.
func (g *generator) run(i *Instruction, p *Project, d *Dockerfile, s *Stage) {
	i.Word = "RUN"
	i.Text = g.command(i.ID)
	switch g.r.IntN(12) {
	case 0:
		i.Flags = pick(g, "--mount=type=cache,target=/cache", "--mount=type=tmpfs,target=/t", "--mount=type=secret,id=s", "--network=none")
	case 1, 2:
		i.Source = g.path(p)
		i.Flags = fmt.Sprintf("--mount=type=bind,source=%s,target=/m", i.Source)
		i.Text += "; ls -lR /m"
	case 3, 4:
		if path := g.artifact(i, d, s); path != "" {
			i.Flags = fmt.Sprintf("--mount=type=bind,from=%s,source=%s,target=/m", i.From, path)
			i.Text = fmt.Sprintf("ls -lR /m | wc -l >/r%d", i.ID)
		}
	case 5:
		i.Text = fmt.Sprintf("echo $A0 $E0 >/r%d", i.ID)
	case 6:
		if g.chance(0.3) {
			i.Text = fmt.Sprintf("wget -qO /r%d $WEB/gate", i.ID)
		}
	}
}

// command returns a command whose result is another each time, or the same.
func (g *generator) command(id int) string {
	if g.chance(0.3) {
		return fmt.Sprintf(": %s; echo same >/r%d", g.value(), id)
	}
	return fmt.Sprintf("echo %s >/r%d", g.value(), id)
}

// path returns a file or directory of the context.
func (g *generator) path(p *Project) string {
	if g.chance(0.05) {
		return "."
	}
	var all []string
	for name := range p.Files {
		all = append(all, name)
		if dir, _, ok := strings.Cut(name, "/"); ok {
			all = append(all, dir)
		}
	}
	slices.Sort(all)
	return pick(g, all...)
}

func (g *generator) copyFiles(i *Instruction, p *Project) {
	i.Word, i.Source = "COPY", g.path(p)
	i.Text = fmt.Sprintf("%s /c%d", i.Source, i.ID)
	switch g.r.IntN(12) {
	case 0:
		i.Flags = "--link"
	case 1:
		i.Flags = "--chmod=755"
	case 2:
		i.Flags, i.From, i.Source = "--from=lib", "lib", "etc/unique"
		i.Text = fmt.Sprintf("etc/unique /c%d", i.ID)
	case 3:
		i.Source, i.Text = "", fmt.Sprintf("<<E /c%d\n%s\nE", i.ID, g.value())
	}
}

// copyFrom makes a COPY --from, or of the context where there is no other stage.
func (g *generator) copyFrom(i *Instruction, d *Dockerfile, s *Stage) {
	path := g.artifact(i, d, s)
	if path == "" {
		i.Word, i.Source = "COPY", "src"
		i.Text = fmt.Sprintf("src /c%d", i.ID)
		return
	}
	i.Word, i.Flags = "COPY", "--from="+i.From
	if g.chance(0.1) {
		i.Flags += " --link"
	}
	i.Text = fmt.Sprintf("%s /c%d", path, i.ID)
}

// artifact lets i read what another instruction makes in a stage before s, and
// returns its path: nothing if there is none.
func (g *generator) artifact(i *Instruction, d *Dockerfile, s *Stage) string {
	type made struct {
		stage, path string
		id          int
	}
	var all []made
	for _, other := range d.Stages {
		if other.Name == s.Name {
			break
		}
		for _, o := range other.Steps {
			if prefix := map[string]string{"RUN": "/r", "COPY": "/c", "ADD": "/a"}[o.Word]; prefix != "" {
				all = append(all, made{other.Name, fmt.Sprint(prefix, o.ID), o.ID})
			}
		}
	}
	if len(all) == 0 {
		return ""
	}
	found := pick(g, all...)
	i.From, i.Takes = found.stage, found.id
	return found.path
}

// rule returns the options of a rule that the instruction takes.
func (g *generator) rule(word string) string {
	if word == "RUN" {
		return pick(g, "off", "ttl=52w", "key=text:"+g.value(), "key=arg:A0", "args=none", "base=content", "base=content", "export=no")
	}
	return pick(g, "modes=ignore", "export=no")
}

// chooseHabits decides what is built again and again.
func (g *generator) chooseHabits() {
	for n := range g.state.Projects {
		p := g.state.Projects[n]
		client := pick(g, ClientBuildx, ClientAPI, ClientAPI, ClientBuildctl)
		for range 1 + g.r.IntN(3) {
			b := Build{Options: Options{Project: n, File: "Dockerfile"}, Client: client}
			if len(p.Dockerfiles) > 1 && g.chance(0.5) {
				b.File = "Dockerfile.dev"
			}
			if g.chance(0.4) {
				b.Target = pick(g, p.Dockerfiles[b.File].Stages...).Name
			}
			if g.chance(0.4) {
				b.Args = pick(g, map[string]string{"A0": "one"}, map[string]string{"A0": "two"}, map[string]string{"A1": "one"},
					map[string]string{"NPM_TOKEN": "hidden"}, map[string]string{"UNUSED": "x"})
			}
			if g.chance(0.1) {
				b.Platform = "linux/amd64"
			}
			g.habits = append(g.habits, b)
		}
	}
}

// build adds a build, mostly a habitual one as it is.
func (g *generator) build() {
	b := pick(g, g.habits...)
	b.Args = maps.Clone(b.Args)
	b.Secret = "0"
	switch g.r.IntN(50) {
	case 0:
		b.NoCache = true
	case 1, 2:
		b.Filter = pick(g, g.state.Projects[b.Project].Dockerfiles[b.File].Stages...).Name
	case 3:
		b.Epoch = pick(g, "1", "2")
	case 4:
		b.Host = pick(g, "x=10.0.0.1", "x=10.0.0.2")
	case 5:
		b.LibImage = true
	case 6, 7:
		b.Args = map[string]string{"A0": g.value()}
	case 8:
		b.Secret = g.value()
	case 9, 10, 11:
		b.Client = pick(g, ClientBuildx, ClientAPI, ClientBuildctl)
	case 12, 13:
		b.Cancel = true
	case 14, 15, 16:
		other := pick(g, g.habits...).Options
		b.Also = &other
	}
	g.past = append(g.past, g.state.Clone())
	g.do(b)
}
