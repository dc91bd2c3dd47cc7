package llbconv

import (
	"fmt"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/util/suggest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/pkg/errors"

	"github.com/cachewright/cachewright/llbconv/internal/source"
)

const scratchName = "scratch"

// stage is a node of the build graph: a stage of the file, or an image that a
// COPY --from or a mount names without a stage of its own.
type stage struct {
	decl  instructions.Stage
	at    []parser.Range // the instruction that names the base, for errors
	index int            // among the file's stages, from 0
	label string         // as progress output shows it; empty in a file of one stage
	id    string         // as selectors of cache rules name it, in lower case
	image bool           // not a stage of the file

	base     *stage // the stage it starts from; nil for an image or scratch
	commands []command
	deps     []dependency
	replaced bool // a named context stands in for the stage
	noCache  bool
	platform *ocispecs.Platform  // what its FROM asks for; nil if it does not
	secret   bool                // the name of what it starts from is made of a secret
	fromArgs map[string]struct{} // global arguments that its FROM uses
	total    int                 // how many steps progress output announces
	used     *source.Paths       // paths that others read from it; shared with base
}

// command is an instruction of a stage with the stages it reads from.
type command struct {
	instructions.Command
	sources []*stage // COPY: at most one; RUN: one for each mount, nil where a mount names none
	onBuild bool
}

// dependency is an edge of the build graph with the instruction that makes it.
type dependency struct {
	on  *stage
	cmd instructions.Command
}

// graph is the build graph of a Dockerfile: its stages in file order, followed
// by the images that instructions refer to.
type graph struct {
	c      *conversion
	prog   *program
	stages []*stage
	inFile int // how many of stages are the file's own
	byName map[string]*stage
	target *stage
}

// add appends a node and links it to the stage that its base names. Only earlier
// stages count, and of two with one name the later.
func (g *graph) add(s *stage) {
	g.stages = append(g.stages, s)
	if s.decl.Name != "" {
		defer func() { g.byName[strings.ToLower(s.decl.Name)] = s }()
	}
	if s.replaced {
		return
	}
	if base, ok := g.find(s.decl.BaseName); ok {
		s.base, s.used = base, base.used
	}
}

// find returns the stage of a name, in any letter case.
func (g *graph) find(name string) (*stage, bool) {
	s, ok := g.byName[strings.ToLower(name)]
	return s, ok
}

// labels returns the names of all stages, for suggestions.
func (g *graph) labels() []string {
	var out []string
	for _, s := range g.stages {
		if s.label != "" {
			out = append(out, s.label)
		}
	}
	return out
}

// setTarget picks the stage to build.
func (g *graph) setTarget(name string) error {
	if name == "" {
		g.target = g.stages[g.inFile-1]
		return nil
	}
	s, ok := g.find(name)
	if !ok {
		return suggest.WrapError(errors.Errorf("target stage %q could not be found", name), name, g.labels(), true)
	}
	g.target = s
	return nil
}

// reachable returns the target and all that it needs.
func (g *graph) reachable() map[*stage]bool {
	seen := map[*stage]bool{}
	todo := []*stage{g.target}
	for len(todo) > 0 {
		s := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if s == nil || seen[s] {
			continue
		}
		seen[s] = true
		todo = append(todo, s.base)
		for _, d := range s.deps {
			todo = append(todo, d.on)
		}
	}
	return seen
}

// dependsOn records an edge. Of several instructions that need the same stage
// the last one is kept.
func (s *stage) dependsOn(on *stage, cmd instructions.Command) {
	for i := range s.deps {
		if s.deps[i].on == on {
			s.deps[i].cmd = cmd
			return
		}
	}
	s.deps = append(s.deps, dependency{on, cmd})
}

// isScratch reports whether the stage starts from nothing.
func (s *stage) isScratch() bool {
	return s.decl.BaseName == scratchName && !s.replaced
}

// stageLabel is the name that progress output shows for a stage.
func stageLabel(s instructions.Stage, index int) string {
	if s.Name != "" {
		return s.Name
	}
	return fmt.Sprintf("stage-%d", index)
}
