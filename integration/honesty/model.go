package honesty

import (
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
)

// State is all that builds depend on, and what actions change.
type State struct {
	Projects []*Project
	Images   map[string]int // base images: what their tag has now
	Pages    map[string]int // of the web server: what a path serves now
}

// Clone returns a copy that shares nothing with the state.
func (s *State) Clone() *State {
	out := &State{Images: maps.Clone(s.Images), Pages: maps.Clone(s.Pages)}
	for _, p := range s.Projects {
		out.Projects = append(out.Projects, p.Clone())
	}
	return out
}

// Project is a directory that is built.
type Project struct {
	Dir         string // below the world's directory, as in alpha/app
	Files       map[string]File
	Ignore      []string // paths in .dockerignore
	Dockerfiles map[string]*Dockerfile
	Lib         map[string]File // the directory that is the named context lib
}

// Clone returns a copy that shares nothing with the project.
func (p *Project) Clone() *Project {
	out := &Project{Dir: p.Dir, Files: maps.Clone(p.Files), Ignore: slices.Clone(p.Ignore), Lib: maps.Clone(p.Lib), Dockerfiles: map[string]*Dockerfile{}}
	for name, d := range p.Dockerfiles {
		out.Dockerfiles[name] = d.clone()
	}
	return out
}

// File is a regular file.
type File struct {
	Content string
	Mode    fs.FileMode
}

// Dockerfile is a Dockerfile's stages. Comment is one in front of all of them.
type Dockerfile struct {
	Comment string
	Mode    fs.FileMode
	Stages  []*Stage
}

func (d *Dockerfile) clone() *Dockerfile {
	out := &Dockerfile{Comment: d.Comment, Mode: d.Mode}
	for _, s := range d.Stages {
		c := *s
		c.Steps = nil
		for _, i := range s.Steps {
			step := *i
			c.Steps = append(c.Steps, &step)
		}
		out.Stages = append(out.Stages, &c)
	}
	return out
}

// Stage is one stage. It starts from a base image or from an earlier stage.
type Stage struct {
	Name     string
	Base     string // an image's repository, or a stage's name
	Platform string // of FROM --platform, or empty
	Rule     string // the options of a # cache= line, or empty
	Steps    []*Instruction
}

// Instruction is one instruction of a stage. ID stays the same through all edits of
// it, and no other instruction has it unless it is meant to be the same one, as in
// two Dockerfiles of a project or in two stages.
type Instruction struct {
	ID   int
	Word string // RUN, COPY, ADD, ENV, ARG, WORKDIR, USER, SHELL, LABEL
	// Flags stand between Word and Text.
	Flags string
	Text  string
	Rule  string
	// Source is the path in the context, or in lib, that COPY or a bind mount takes.
	// It is part of Flags or Text as well.
	Source string
	// From is the stage that COPY --from or a mount reads, or lib. It is part of Flags
	// as well.
	From string
	// Takes is the ID of the instruction that makes the file which is read from the
	// stage From.
	Takes int
	// Page is the path of the web server that ADD loads.
	Page string
}

// isStep reports whether the instruction has a step in the progress output.
func (i *Instruction) isStep() bool {
	switch i.Word {
	case "RUN", "COPY", "ADD", "WORKDIR":
		return true
	}
	return false
}

// String returns the instruction as it stands in a Dockerfile, without its rule.
func (i *Instruction) String() string {
	return strings.Join(slices.DeleteFunc([]string{i.Word, i.Flags, i.Text}, func(s string) bool { return s == "" }), " ")
}

// stage returns the stage of that name, or nil.
func (d *Dockerfile) stage(name string) *Stage {
	for _, s := range d.Stages {
		if s.Name == name {
			return s
		}
	}
	return nil
}

// find returns where the instruction stands, or nil.
func (d *Dockerfile) find(id int) (*Stage, int) {
	for _, s := range d.Stages {
		for n, i := range s.Steps {
			if i.ID == id {
				return s, n
			}
		}
	}
	return nil, 0
}

// makes reports whether a stage has what an instruction with that ID makes.
func (d *Dockerfile) makes(stage string, id int) bool {
	for s := d.stage(stage); s != nil; s = d.stage(s.Base) {
		if slices.ContainsFunc(s.Steps, func(i *Instruction) bool { return i.ID == id }) {
			return true
		}
	}
	return false
}

// Text returns the Dockerfile. $IMAGE/ in front of base images and $WEB are put in
// by the caller.
func (d *Dockerfile) Text() string {
	var b strings.Builder
	if d.Comment != "" {
		fmt.Fprintf(&b, "# %s\n", d.Comment)
	}
	for n, s := range d.Stages {
		if n > 0 {
			b.WriteByte('\n')
		}
		writeRule(&b, s.Rule)
		b.WriteString(s.from() + "\n")
		for _, i := range s.Steps {
			writeRule(&b, i.Rule)
			b.WriteString(i.String() + "\n")
		}
	}
	return b.String()
}

func writeRule(b *strings.Builder, rule string) {
	if rule != "" {
		fmt.Fprintf(b, "# cache=%s\n", rule)
	}
}

func (s *Stage) from() string {
	base, platform := s.Base, ""
	if isImage(base) {
		base = "$IMAGE/" + base
	}
	if s.Platform != "" {
		platform = "--platform=" + s.Platform + " "
	}
	return fmt.Sprintf("FROM %s%s AS %s", platform, base, s.Name)
}

// isImage reports whether a stage's base is an image and no stage.
func isImage(base string) bool { return strings.HasPrefix(base, "base") }

// Tree returns all files of the project's directory, its Dockerfiles among them,
// with image and web in the place of $IMAGE and $WEB.
func (p *Project) Tree(image, web string) map[string]File {
	out := maps.Clone(p.Files)
	expand := strings.NewReplacer("$IMAGE", image, "$WEB", web)
	for name, d := range p.Dockerfiles {
		out[name] = File{Content: expand.Replace(d.Text()), Mode: d.Mode}
	}
	if len(p.Ignore) > 0 {
		out[".dockerignore"] = File{Content: strings.Join(p.Ignore, "\n") + "\n", Mode: 0o644}
	}
	return out
}

// selected returns the files at or below path, "." being all, that are not ignored.
func selected(files map[string]File, path string, ignore []string) map[string]File {
	out := map[string]File{}
	for name, f := range files {
		if below(name, path) && !slices.ContainsFunc(ignore, func(i string) bool { return below(name, i) }) {
			out[name] = f
		}
	}
	return out
}

func below(name, dir string) bool {
	return dir == "." || name == dir || strings.HasPrefix(name, dir+"/")
}
