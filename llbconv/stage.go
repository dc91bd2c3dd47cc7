package llbconv

import (
	"fmt"
	"slices"
	"strings"

	"github.com/containerd/platforms"
	"github.com/distribution/reference"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/util/suggest"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/pkg/errors"
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
	replaced *dockerui.NamedContext // a named context that stands in for the stage
	noCache  bool
	platform *ocispecs.Platform
	used     *pathSet // paths that others read from it; shared with base

	// Set when its base is looked up.
	ref       reference.Named // of a base that is no stage
	resolved  bool
	found     *foundImage // of an image
	pinned    string      // the base image's reference with its digest; empty if there is no image
	prefix    string      // of the FROM's progress name
	triggered bool        // ONBUILD triggers of its base are among the commands
	ready     bool        // its filesystem can be copied from and mounted
	root      rootfs
	config    *imageConfig
	baseImage *dockerspec.DockerOCIImage

	// Progress numbers.
	total, number int

	// Set when its instructions are evaluated.
	args        []instructions.KeyValuePairOptional // declared, inherited ones first
	usedArgs    map[string]struct{}
	ownArgs     map[string]argument
	secrets     []outlineRef
	ssh         []outlineRef
	workdirSet  bool
	steps       []*step
	context     *pathSet // paths read from the build context
	scan        bool
	scanContext bool

	// Set when its steps are emitted.
	out llb.Output
}

// rootfs is what a stage's filesystem starts from.
type rootfs struct {
	out      llb.Output         // nil is scratch
	platform *ocispecs.Platform // of exec steps; nil is the build's target platform
}

func (r *rootfs) setPlatform(p ocispecs.Platform) {
	p = platforms.Normalize(p)
	r.platform = &p
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
	if s.replaced != nil {
		return
	}
	if base, ok := g.find(s.decl.BaseName); ok {
		s.base = base
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

// declares tells whether an ARG of the stage, or of one it is based on, has the name.
func (s *stage) declares(name string) bool {
	return slices.ContainsFunc(s.args, func(a instructions.KeyValuePairOptional) bool { return a.Key == name })
}

// isScratch tells whether the stage starts from nothing.
func (s *stage) isScratch() bool {
	return s.decl.BaseName == scratchName && s.replaced == nil
}

// localOptions narrows a local source to the paths that are read from the stage;
// dockerui asks for them when the source is marshalled.
func (s *stage) localOptions() []llb.LocalOption {
	return s.used.localOptions()
}

// pathSet collects paths that are read from a context or stage.
type pathSet struct {
	all   bool     // the root is among them
	paths []string // absolute, may repeat
}

func newPathSet() *pathSet { return &pathSet{} }

// add notes a source path or pattern; relative ones start at the root.
func (p *pathSet) add(src string) {
	if p.all {
		return
	}
	if src = absPath(src); src == "/" {
		p.all, p.paths = true, nil
		return
	}
	p.paths = append(p.paths, src)
}

// addAll adds the paths of another set.
func (p *pathSet) addAll(other *pathSet) {
	p.all = p.all || other.all
	p.paths = append(p.paths, other.paths...)
}

// localOptions returns the options that restrict a local source to the set; none
// if the set is empty or holds the root.
func (p *pathSet) localOptions() []llb.LocalOption {
	if p.all || len(p.paths) == 0 {
		return nil
	}
	follow := make([]string, len(p.paths))
	for i, v := range p.paths {
		follow[i] = v[1:] // relative to the root
	}
	slices.Sort(follow)
	return []llb.LocalOption{llb.FollowPaths(slices.Compact(follow))}
}

// stageLabel is the name that progress output shows for a stage.
func stageLabel(s instructions.Stage, index int) string {
	if s.Name != "" {
		return s.Name
	}
	return fmt.Sprintf("stage-%d", index)
}
