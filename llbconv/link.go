package llbconv

import (
	"strconv"
	"strings"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerfile/shell"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/util/suggest"
	digest "github.com/opencontainers/go-digest"
	"github.com/pkg/errors"

	"github.com/cachewright/cachewright/llbconv/internal/source"
)

// link builds the graph: stages with their bases, the target, and the edges that
// COPY --from and mounts make. Nothing is looked up outside the file except
// whether a named context replaces a stage.
func (c *conversion) link(prog *program) (*graph, error) {
	g := &graph{c: c, prog: prog, byName: map[string]*stage{}}
	for i, decl := range prog.stages {
		s, err := c.newStage(decl, i)
		if err != nil {
			return nil, err
		}
		s.index = i
		g.add(s)
		s.countSteps()
	}
	g.inFile = len(g.stages)
	if err := g.setTarget(c.opt.Config.Target); err != nil {
		return nil, err
	}
	internal := false
	for _, s := range g.stages[:g.inFile] {
		s.commands = make([]command, 0, len(s.decl.Commands))
		for _, cmd := range s.decl.Commands {
			lc, extra, err := g.linkCommand(s, cmd)
			if err != nil {
				return nil, err
			}
			internal = internal || extra
			s.commands = append(s.commands, lc)
		}
	}
	if err := g.checkCycles(); err != nil {
		return nil, err
	}
	if g.inFile == 1 && !internal {
		g.stages[0].label = ""
	}
	return g, nil
}

// newStage expands a FROM instruction.
func (c *conversion) newStage(decl instructions.Stage, index int) (*stage, error) {
	lint := c.lint.WithMergedConfigFromComments(decl.Comments)
	name, err := c.expandFrom(decl, decl.BaseName, lint)
	if err != nil {
		return nil, parser.WithLocation(err, decl.Location)
	}
	if name.Result == "" {
		return nil, parser.WithLocation(errors.Errorf("base name (%s) should not be blank", decl.BaseName), decl.Location)
	}
	label := stageLabel(decl, index)
	s := &stage{
		at:       decl.Location,
		label:    label,
		id:       strings.ToLower(label),
		used:     &source.Paths{},
		fromArgs: map[string]struct{}{},
	}
	for arg := range name.Matched {
		s.fromArgs[arg] = struct{}{}
	}
	s.secret = madeOfSecrets(name.Matched, c.globals)
	decl.BaseName = name.Result
	s.decl = decl
	if decl.Platform != "" {
		if err := c.setPlatform(s, lint); err != nil {
			return nil, err
		}
	}
	if decl.Name == "" {
		s.noCache = c.isNoCache("")
		return s, nil
	}
	nc, err := c.replacement(s, nil)
	if err != nil {
		return nil, parser.WithLocation(err, decl.Location)
	}
	if s.replaced = nc != nil; !s.replaced {
		s.noCache = c.isNoCache(decl.Name)
	}
	return s, nil
}

// expandFrom expands a word of FROM, which sees global arguments only.
func (c *conversion) expandFrom(decl instructions.Stage, word string, lint *linter.Linter) (shell.ProcessWordResult, error) {
	res, err := c.words.expand(word, c.globals)
	c.checkUndefinedInFrom(res.Unmatched, decl.Location, lint)
	return res, err
}

// setPlatform evaluates the --platform flag of FROM.
func (c *conversion) setPlatform(s *stage, lint *linter.Linter) error {
	word, loc := s.decl.Platform, s.decl.Location
	res, err := c.expandFrom(s.decl, word, lint)
	c.checkFromPlatform(s.decl, res, lint)
	if err != nil {
		return parser.WithLocation(errors.Wrapf(err, "failed to process arguments for platform %s", res.Result), loc)
	}
	if res.Result == "" {
		err := parser.WithLocation(errors.Errorf("empty platform value from expression %s", word), loc)
		return suggestAny(err, res.Unmatched, c.globals.Keys())
	}
	p, err := platforms.Parse(res.Result)
	if err != nil {
		err = suggestAny(parser.WithLocation(err, loc), res.Unmatched, c.globals.Keys())
		return parser.WithLocation(errors.Wrapf(err, "failed to parse platform %s", word), loc)
	}
	for arg := range res.Matched {
		s.fromArgs[arg] = struct{}{}
	}
	s.platform = &p
	return nil
}

// countSteps sets how many steps progress output announces for the stage.
func (s *stage) countSteps() {
	if s.replaced {
		return
	}
	if s.decl.BaseName != scratchName && s.base == nil {
		s.total = 1
	}
	for _, cmd := range s.decl.Commands {
		switch cmd.(type) {
		case *instructions.AddCommand, *instructions.CopyCommand, *instructions.RunCommand, *instructions.WorkdirCommand:
			s.total++
		}
	}
}

// linkCommand finds the stages that an instruction reads from and records the
// edges. It also reports whether docker/dockerfile makes an internal stage for the
// instruction, since that decides whether a lone stage shows its name.
func (g *graph) linkCommand(s *stage, cmd instructions.Command) (command, bool, error) {
	lc := command{Command: cmd}
	internal := false
	switch cmd := cmd.(type) {
	case *instructions.CopyCommand:
		if cmd.From == "" {
			break
		}
		src, err := g.copySource(cmd)
		if err != nil {
			return lc, false, err
		}
		internal = src.image
		lc.sources = []*stage{src}
	case *instructions.RunCommand:
		for _, m := range instructions.GetMounts(cmd) {
			src := g.mountSource(m, cmd)
			internal = internal || src == nil || src.image
			lc.sources = append(lc.sources, src)
		}
	}
	for _, src := range lc.sources {
		if src != nil {
			s.dependsOn(src, cmd)
		}
	}
	return lc, internal, nil
}

// copySource finds what COPY --from names: a stage by number or name, or else an image.
func (g *graph) copySource(cmd *instructions.CopyCommand) (*stage, error) {
	res, err := g.c.words.expand(cmd.From, shell.EnvsFromSlice(nil))
	if err != nil {
		return nil, parser.WithLocation(err, cmd.Location())
	}
	if res.Result != cmd.From {
		err := errors.New("variable expansion is not supported for --from, define a new stage with FROM using ARG from global scope as a workaround")
		return nil, parser.WithLocation(err, cmd.Location())
	}
	if index, err := strconv.Atoi(cmd.From); err == nil {
		if index < 0 || index >= g.inFile {
			return nil, parser.WithLocation(errors.Errorf("invalid stage index %d", index), cmd.Location())
		}
		return g.stages[index], nil
	}
	if s, ok := g.find(cmd.From); ok {
		return s, nil
	}
	return g.addImage(instructions.Stage{BaseName: cmd.From, Location: cmd.Location()}, cmd), nil
}

// mountSource finds what a mount's "from" names; nil where it names nothing.
func (g *graph) mountSource(m *instructions.Mount, cmd instructions.Command) *stage {
	name := m.From
	if name == "" {
		name = scratchName
	}
	if s, ok := g.find(name); ok {
		return s
	}
	if m.From == "" {
		return nil
	}
	return g.addImage(instructions.Stage{BaseName: m.From}, cmd)
}

// addImage adds a node for an image that is no stage of the file, for the
// instruction that names it.
func (g *graph) addImage(decl instructions.Stage, cmd instructions.Command) *stage {
	s := &stage{decl: decl, at: cmd.Location(), image: true, used: &source.Paths{}}
	g.add(s)
	return s
}

// checkCycles fails if stages need each other in a circle, with the position of
// every instruction on the way. A stage's base cannot be part of a circle: only
// earlier stages can be bases.
func (g *graph) checkCycles() error {
	const entered, left = 1, 2
	state := map[*stage]int{}
	var visit func(s *stage, trail []instructions.Command) []instructions.Command
	visit = func(s *stage, trail []instructions.Command) []instructions.Command {
		state[s] = entered
		for _, d := range s.deps {
			next := append(trail, d.cmd)
			switch state[d.on] {
			case entered:
				return next
			case left:
			default:
				if found := visit(d.on, next); found != nil {
					return found
				}
			}
		}
		state[s] = left
		return nil
	}
	for _, s := range g.stages {
		if state[s] != 0 {
			continue
		}
		if cmds := visit(s, nil); cmds != nil {
			err := errors.Errorf("circular dependency detected on stage: %s", s.label)
			for _, cmd := range cmds {
				err = parser.WithLocation(err, cmd.Location())
			}
			return err
		}
	}
	return nil
}

// replacement returns the named context that stands in for a stage, nil if there is
// none. Loading it fills in the digest of the image that it is.
func (c *conversion) replacement(s *stage, found *digest.Digest) (*dockerui.NamedContext, error) {
	return c.namedContext(s.decl.Name, dockerui.ContextOpt{
		Platform:       s.platform,
		ResolveMode:    c.opt.Config.ImageResolveMode.String(),
		AsyncLocalOpts: s.used.LocalOptions,
		CaptureDigest:  found,
	})
}

// namedContext looks up a context that the build gave a name. The names of the
// main context and of the empty image cannot be overridden.
func (c *conversion) namedContext(name string, opt dockerui.ContextOpt) (*dockerui.NamedContext, error) {
	if c.opt.Client == nil || strings.EqualFold(name, scratchName) || strings.EqualFold(name, "context") {
		return nil, nil
	}
	if opt.Platform == nil {
		opt.Platform = c.opt.TargetPlatform
	}
	return c.opt.Client.NamedContext(name, opt)
}

func (c *conversion) isNoCache(stageName string) bool {
	return c.opt.Client != nil && c.opt.Client.IsNoCache(stageName)
}

// suggestAny adds the first near miss of the unmatched names to an error.
func suggestAny(err error, unmatched map[string]struct{}, options []string) error {
	for _, name := range sortedKeys(unmatched) {
		var ok bool
		if ok, err = suggest.WrapErrorMaybe(err, name, options, true); ok {
			break
		}
	}
	return err
}
