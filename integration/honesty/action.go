package honesty

import (
	"fmt"
	"io/fs"
	"slices"
)

// World is where a run begins and what happens then.
type World struct {
	Seed    uint64
	Begin   *State
	Actions []Action
}

// Action is one edit, build or other event. It names what it is about, so that it
// means the same when other actions are left out.
type Action interface {
	// Edit changes the state. It does nothing where what it is about is not there, and
	// for builds.
	Edit(s *State)
	// String says what it does, for people.
	String() string
}

// Build builds a project; Also is a second build at the same time.
type Build struct {
	Options
	Client Client
	// Secret is the value of the secret s.
	Secret string
	// Cancel ends the build when it asks the gate for the first time.
	Cancel bool
	Also   *Options
}

// Client is a way of asking for a build.
type Client string

// Clients that there are.
const (
	ClientBuildx   Client = "buildx"   // docker buildx build on a remote builder
	ClientAPI      Client = "api"      // the Go client, which names the directory
	ClientBuildctl Client = "buildctl" // the Go client, which names none
)

// Edit does nothing: a build changes no file.
func (b Build) Edit(*State) {}

func (b Build) String() string { return "build " + fmt.Sprint(b.Options, b.Client) }

// Write sets the content of a file, or makes it. In is where: "" for the context,
// lib for that directory.
type Write struct {
	Project     int
	In          string
	Path, Text  string
	OnlyIfThere bool
}

// Edit writes the file.
func (a Write) Edit(s *State) {
	files := s.Projects[a.Project].dir(a.In)
	f, ok := files[a.Path]
	if !ok && a.OnlyIfThere {
		return
	}
	if !ok {
		f.Mode = 0o644
	}
	f.Content = a.Text
	files[a.Path] = f
}

func (a Write) String() string { return fmt.Sprintf("write %s %s", a.Path, a.Text) }

func (p *Project) dir(in string) map[string]File {
	if in == "lib" {
		return p.Lib
	}
	return p.Files
}

// Chmod sets a file's permission bits, those of a Dockerfile too.
type Chmod struct {
	Project int
	Path    string
	Mode    fs.FileMode
}

// Edit sets the mode.
func (a Chmod) Edit(s *State) {
	p := s.Projects[a.Project]
	if f, ok := p.Files[a.Path]; ok {
		f.Mode = a.Mode
		p.Files[a.Path] = f
	}
	if d := p.Dockerfiles[a.Path]; d != nil {
		d.Mode = a.Mode
	}
}

func (a Chmod) String() string { return fmt.Sprintf("chmod %o %s", a.Mode, a.Path) }

// Remove removes a file. With To it is renamed.
type Remove struct {
	Project  int
	Path, To string
}

// Edit removes or renames the file.
func (a Remove) Edit(s *State) {
	files := s.Projects[a.Project].Files
	if f, ok := files[a.Path]; ok {
		delete(files, a.Path)
		if a.To != "" {
			files[a.To] = f
		}
	}
}

func (a Remove) String() string { return fmt.Sprintf("remove %s %s", a.Path, a.To) }

// Ignore sets the lines of .dockerignore.
type Ignore struct {
	Project int
	Paths   []string
}

// Edit sets them.
func (a Ignore) Edit(s *State) { s.Projects[a.Project].Ignore = slices.Clone(a.Paths) }

func (a Ignore) String() string { return fmt.Sprintf("ignore %v", a.Paths) }

// Change replaces an instruction, whose ID stays.
type Change struct {
	Project int
	File    string
	To      Instruction
}

// Edit replaces it in all stages that have it.
func (a Change) Edit(s *State) {
	if d := s.Projects[a.Project].Dockerfiles[a.File]; d != nil {
		for _, stage := range d.Stages {
			for _, i := range stage.Steps {
				if i.ID == a.To.ID {
					*i = a.To
				}
			}
		}
	}
}

func (a Change) String() string { return fmt.Sprintf("change %d to %s", a.To.ID, &a.To) }

// Insert adds an instruction to a stage, behind another one or, where After is 0, in
// front of all.
type Insert struct {
	Project     int
	File, Stage string
	After       int
	New         Instruction
}

// Edit adds it.
func (a Insert) Edit(s *State) {
	d := s.Projects[a.Project].Dockerfiles[a.File]
	if d == nil || d.stage(a.Stage) == nil {
		return
	}
	stage, at, step := d.stage(a.Stage), 0, a.New
	if in, n := d.find(a.After); in == stage {
		at = n + 1
	}
	stage.Steps = slices.Insert(stage.Steps, at, &step)
}

func (a Insert) String() string { return fmt.Sprintf("insert %s", &a.New) }

// Drop removes an instruction.
type Drop struct {
	Project int
	File    string
	ID      int
}

// Edit removes it from all stages.
func (a Drop) Edit(s *State) {
	if d := s.Projects[a.Project].Dockerfiles[a.File]; d != nil {
		for _, stage := range d.Stages {
			stage.Steps = slices.DeleteFunc(stage.Steps, func(i *Instruction) bool { return i.ID == a.ID })
		}
	}
}

func (a Drop) String() string { return fmt.Sprintf("drop %d", a.ID) }

// Swap exchanges an instruction with the next one of its stage.
type Swap struct {
	Project int
	File    string
	ID      int
}

// Edit exchanges them.
func (a Swap) Edit(s *State) {
	if d := s.Projects[a.Project].Dockerfiles[a.File]; d != nil {
		if stage, n := d.find(a.ID); stage != nil && n+1 < len(stage.Steps) {
			stage.Steps[n], stage.Steps[n+1] = stage.Steps[n+1], stage.Steps[n]
		}
	}
}

func (a Swap) String() string { return fmt.Sprintf("swap %d with the next", a.ID) }

// AddStage puts a stage in front of the last one, or drops the stage of that name
// where nothing needs it. One that is there is replaced.
type AddStage struct {
	Project int
	File    string
	New     Stage
	Drop    bool
}

// Edit adds or drops the stage.
func (a AddStage) Edit(s *State) {
	d := s.Projects[a.Project].Dockerfiles[a.File]
	if d == nil || d.stage(a.New.Name) != nil && !a.Drop {
		return
	}
	if !a.Drop {
		d.Stages = slices.Insert(d.Stages, max(0, len(d.Stages)-1), (&Dockerfile{Stages: []*Stage{&a.New}}).clone().Stages[0])
		return
	}
	for _, other := range d.Stages {
		if other.Base == a.New.Name || slices.ContainsFunc(other.Steps, func(i *Instruction) bool { return i.From == a.New.Name }) {
			return
		}
	}
	if len(d.Stages) > 1 {
		d.Stages = slices.DeleteFunc(d.Stages, func(s *Stage) bool { return s.Name == a.New.Name })
	}
}

func (a AddStage) String() string { return fmt.Sprintf("stage %s, drop: %t", a.New.Name, a.Drop) }

// SetStage changes a stage's own line: its base and its rule.
type SetStage struct {
	Project    int
	File, Name string
	Base, Rule string
}

// Edit changes it.
func (a SetStage) Edit(s *State) {
	if d := s.Projects[a.Project].Dockerfiles[a.File]; d != nil {
		if stage := d.stage(a.Name); stage != nil {
			stage.Base, stage.Rule = a.Base, a.Rule
		}
	}
}

func (a SetStage) String() string {
	return fmt.Sprintf("stage %s from %s, rule %q", a.Name, a.Base, a.Rule)
}

// Comment sets the comment in front of a Dockerfile.
type Comment struct {
	Project    int
	File, Text string
}

// Edit sets it.
func (a Comment) Edit(s *State) {
	if d := s.Projects[a.Project].Dockerfiles[a.File]; d != nil {
		d.Comment = a.Text
	}
}

func (a Comment) String() string { return "comment " + a.Text }

// Move gives a base image's tag, or a page of the web server, another content.
type Move struct {
	Image, Page string
	Version     int
}

// Edit moves it.
func (a Move) Edit(s *State) {
	if a.Image != "" {
		s.Images[a.Image] = a.Version
	}
	if a.Page != "" {
		s.Pages[a.Page] = a.Version
	}
}

func (a Move) String() string {
	return fmt.Sprintf("move %s%s to version %d", a.Image, a.Page, a.Version)
}

// Restore puts a project back to an earlier state.
type Restore struct {
	Project int
	To      *Project
}

// Edit puts it back. The project keeps its place.
func (a Restore) Edit(s *State) {
	to := a.To.Clone()
	to.Dir = s.Projects[a.Project].Dir
	s.Projects[a.Project] = to
}

func (a Restore) String() string { return "restore an earlier state" }

// Prune removes a part of what the builder keeps.
type Prune struct {
	// Records: the cache mounts, the record of builds among them. Otherwise results.
	Records bool
	// Every is of how many results one goes; 1: all.
	Every int
}

// Edit does nothing: no file changes.
func (a Prune) Edit(*State) {}

func (a Prune) String() string {
	return fmt.Sprintf("prune, records: %t, every %d", a.Records, a.Every)
}
