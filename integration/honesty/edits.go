package honesty

import (
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
)

// edits adds what happens between two builds: often one edit, sometimes none.
func (g *generator) edits() {
	if g.heal() {
		return
	}
	for range []int{0, 0, 1, 1, 1, 1, 1, 1, 2, 2, 3}[g.r.IntN(11)] {
		g.edit()
	}
}

// heal undoes, most of the time, what makes builds fail.
func (g *generator) heal() bool {
	for n, p := range g.state.Projects {
		for _, name := range slices.Sorted(maps.Keys(p.Dockerfiles)) {
			for _, s := range p.Dockerfiles[name].Stages {
				for _, i := range s.Steps {
					if !g.chance(0.7) {
						continue
					}
					if strings.Contains(i.Text, "exit 1") {
						to := *i
						to.Text = g.command(i.ID)
						g.do(Change{n, name, to})
						return true
					}
					if i.Takes != 0 && !p.Dockerfiles[name].makes(i.From, i.Takes) {
						g.do(Drop{n, name, i.ID})
						return true
					}
					if i.From == "" && i.Source != "" && len(selected(p.Files, i.Source, p.Ignore)) == 0 {
						g.repair(n, i)
						return true
					}
				}
			}
		}
	}
	return false
}

// repair brings a source back that an instruction misses.
func (g *generator) repair(project int, i *Instruction) {
	if len(g.state.Projects[project].Ignore) > 0 {
		g.do(Ignore{Project: project})
		return
	}
	path := i.Source
	if path == "src" {
		path = "src/a"
	}
	g.do(Write{Project: project, Path: path, Text: g.value()})
}

// edit adds one edit.
func (g *generator) edit() {
	n := g.r.IntN(len(g.state.Projects))
	p := g.state.Projects[n]
	file := pick(g, slices.Sorted(maps.Keys(p.Dockerfiles))...)
	switch r := g.r.IntN(100); {
	case r < 40:
		g.editFiles(n, p)
	case r < 75:
		g.editInstructions(n, file, p.Dockerfiles[file])
	case r < 83:
		g.editStages(n, file, p.Dockerfiles[file])
	case r < 89:
		g.do(pick[Action](g, Move{Image: "base0", Version: 1 + g.r.IntN(3)}, Move{Image: "base1", Version: 1 + g.r.IntN(3)},
			Move{Page: "p0", Version: 1 + g.r.IntN(3)}, Move{Page: "p1", Version: 1 + g.r.IntN(3)}))
	case r < 94:
		g.do(Restore{n, pick(g, g.past...).Projects[n].Clone()})
	case r < 97:
		g.do(Comment{n, file, g.value()})
	default:
		g.do(Prune{Records: g.chance(0.3), Every: pick(g, 1, 2, 3)})
	}
}

func (g *generator) editFiles(n int, p *Project) {
	names := slices.Sorted(maps.Keys(p.Files))
	if len(names) == 0 {
		g.do(Write{Project: n, Path: "src/a", Text: g.value()})
		return
	}
	name := pick(g, names...)
	switch r := g.r.IntN(20); {
	case r < 11:
		g.do(Write{Project: n, Path: name, Text: g.value(), OnlyIfThere: true})
	case r < 13:
		g.do(Chmod{n, name, pick[fs.FileMode](g, 0o644, 0o755, 0o600)})
	case r < 15:
		g.do(Write{Project: n, Path: pick(g, "src/new", "new", "src/dir/new") + fmt.Sprint(g.r.IntN(2)), Text: g.value()})
	case r < 16:
		g.do(Remove{Project: n, Path: name})
	case r < 17:
		g.do(Remove{Project: n, Path: name, To: pick(g, "src/moved", "moved") + fmt.Sprint(g.r.IntN(3))})
	case r < 18:
		g.do(Write{Project: n, In: "lib", Path: "etc/unique", Text: g.value()})
	case r < 19:
		g.do(Chmod{n, "Dockerfile", pick[fs.FileMode](g, 0o644, 0o600)})
	default:
		g.do(Ignore{n, pick(g, nil, []string{"b"}, []string{"src/dir"}, []string{"unused"})})
	}
}

func (g *generator) editInstructions(n int, file string, d *Dockerfile) {
	s := pick(g, d.Stages...)
	if len(s.Steps) == 0 || g.chance(0.2) {
		after := 0
		if len(s.Steps) > 0 && g.chance(0.7) {
			after = pick(g, s.Steps...).ID
		}
		g.do(Insert{n, file, s.Name, after, *g.step(g.state.Projects[n], d, s)})
		return
	}
	i := pick(g, s.Steps...)
	switch r := g.r.IntN(10); {
	case r < 5:
		g.do(Change{n, file, g.changed(i)})
	case r < 6 && g.removable(d, i):
		g.do(Drop{n, file, i.ID})
	case r < 8:
		g.do(Swap{n, file, i.ID})
	default:
		to := *i
		if to.Rule = ""; i.Rule == "" && i.isStep() && i.Word != "WORKDIR" {
			to.Rule = g.rule(i.Word)
		}
		g.do(Change{n, file, to})
	}
}

// removable reports whether no other stage takes what the instruction makes; now and
// then it is removed all the same, and the build fails.
func (g *generator) removable(d *Dockerfile, i *Instruction) bool {
	if g.chance(0.1) {
		return true
	}
	return !slices.ContainsFunc(d.Stages, func(s *Stage) bool {
		return slices.ContainsFunc(s.Steps, func(other *Instruction) bool { return other.Takes == i.ID })
	})
}

// changed returns the instruction with another text.
func (g *generator) changed(i *Instruction) Instruction {
	to := *i
	switch i.Word {
	case "RUN":
		switch {
		case g.chance(0.06):
			to.Text = "echo broken; exit 1"
		case i.From == "":
			to.Text = g.command(i.ID)
		default:
			to.Text += " # " + g.value()
		}
	case "COPY":
		if text, _, heredoc := strings.Cut(i.Text, "\n"); heredoc {
			to.Text = text + "\n" + g.value() + "\nE"
			break
		}
		to.Flags = pick(g, "", "--chmod=755", "--link", "--chmod=700")
		if i.From != "" {
			to.Flags = strings.TrimSpace("--from=" + i.From + " " + to.Flags)
		}
	case "ADD":
		to.Flags = pick(g, "", "--chmod=755", "--chmod=700")
	case "ENV":
		to.Text = strings.Split(i.Text, "=")[0] + "=" + pick(g, g.value(), "$A0", "fixed")
	case "ARG":
		to.Text = strings.Split(i.Text, "=")[0] + "=" + g.value()
	case "WORKDIR":
		to.Text = fmt.Sprintf("/w%d", g.r.IntN(4))
	}
	return to
}

func (g *generator) editStages(n int, file string, d *Dockerfile) {
	last := d.Stages[len(d.Stages)-1]
	s := pick(g, d.Stages...)
	switch g.r.IntN(4) {
	case 0:
		before := &Dockerfile{Stages: d.Stages[:len(d.Stages)-1]}
		g.do(AddStage{Project: n, File: file, New: *g.stage(g.state.Projects[n], before, fmt.Sprintf("x%d", g.r.IntN(2)))})
	case 1:
		if s != last {
			g.do(AddStage{Project: n, File: file, New: Stage{Name: s.Name}, Drop: true})
		}
	case 2:
		if isImage(s.Base) {
			g.do(SetStage{n, file, s.Name, pick(g, "base0", "base1"), s.Rule})
		}
	default:
		rule := ""
		if s.Rule == "" {
			rule = g.rule("RUN")
		}
		g.do(SetStage{n, file, s.Name, s.Base, rule})
	}
}
