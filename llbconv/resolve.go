package llbconv

import (
	"context"
	"slices"
	"strings"

	"github.com/distribution/reference"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/util/suggest"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/pkg/errors"
	"golang.org/x/sync/errgroup"
)

// resolve looks up the base of every stage that the target needs, all at once,
// and adds the ONBUILD triggers found there. Triggers can need further stages,
// so this repeats until nothing new is needed.
func (c *conversion) resolve(ctx context.Context, g *graph) error {
	for {
		reachable := g.reachable()
		if err := c.resolveBases(ctx, g, reachable); err != nil {
			return err
		}
		again := false
		for _, s := range slices.Clone(g.stages) {
			if !reachable[s] || s.triggered {
				continue
			}
			more, err := g.addTriggers(s)
			if err != nil {
				return parser.SetLocation(err, s.decl.Location)
			}
			again = again || more
		}
		if !again {
			return nil
		}
	}
}

// resolveBases looks up the bases of reachable stages. What the other stages name
// must at least be a valid reference.
func (c *conversion) resolveBases(ctx context.Context, g *graph, reachable map[*stage]bool) error {
	if err := g.checkReferences(); err != nil {
		return err
	}
	labels := g.labels()
	var found []*stage
	eg, ctx := errgroup.WithContext(ctx)
	for _, s := range g.stages {
		if s.base != nil || s.resolved || !reachable[s] && !c.opt.AllStages {
			continue
		}
		s.resolved = true
		if s.isScratch() {
			s.platform = &c.targetPlatform
			s.config = newImageConfig(emptyImage(c.targetPlatform))
			s.ready = s.image
			continue
		}
		found = append(found, s)
		eg.Go(func() error {
			if err := c.resolveBase(ctx, s, labels); err != nil {
				return parser.WithLocation(err, s.at)
			}
			s.ready = s.image || s.replaced != nil
			return nil
		})
	}
	err := eg.Wait()
	for _, s := range found { // also after an error, for the check
		if imageErr := c.takeImage(s); err == nil && imageErr != nil {
			err = parser.WithLocation(imageErr, s.at)
		}
		if s.pinned != "" {
			c.setImageRoot(s)
			c.checkBasePlatform(s)
		}
	}
	return err
}

// checkReferences fails if a base that is no stage cannot be the name of an image.
func (g *graph) checkReferences() error {
	for _, s := range g.stages {
		if s.base != nil || s.ref != nil || s.isScratch() {
			continue
		}
		ref, err := reference.ParseNormalizedNamed(s.decl.BaseName)
		if err != nil {
			return parser.WithLocation(errors.Wrapf(err, "failed to parse stage name %q", s.decl.BaseName), s.at)
		}
		s.ref = ref
	}
	return nil
}

// resolveBase finds out what a stage starts from: the named context that
// replaces it, a named context in the place of its image, or the image, which
// takeImage then reads.
func (c *conversion) resolveBase(ctx context.Context, s *stage, labels []string) error {
	if s.replaced != nil {
		return c.loadReplacement(ctx, s)
	}
	platform := c.platformOf(s)
	s.ref = reference.TagNameOnly(s.ref)
	nc, err := c.namedContext(s.ref.String(), dockerui.ContextOpt{
		ResolveMode:    c.opt.Config.ImageResolveMode.String(),
		Platform:       platform,
		AsyncLocalOpts: s.localOptions,
	})
	if err != nil {
		return err
	}
	if nc != nil {
		return c.loadContextBase(ctx, s, nc, platform)
	}
	if s.found, err = c.lookupImage(ctx, s.ref, platform); err != nil {
		orig := s.decl.BaseName
		return suggest.WrapError(errors.Wrap(err, orig), orig, append(labels, commonImages()...), true)
	}
	return nil
}

// loadReplacement takes a named context in the place of the whole stage.
func (c *conversion) loadReplacement(ctx context.Context, s *stage) error {
	st, img, err := s.replaced.Load(ctx)
	if err != nil {
		return err
	}
	s.root = rootfs{out: st.Output()}
	if s.root.platform, err = st.GetPlatform(ctx); err != nil {
		return err
	}
	if img == nil {
		s.config = newImageConfig(&dockerspec.DockerOCIImage{})
		return nil
	}
	img.Created = nil
	s.config = newImageConfig(img)
	if img.Architecture != "" && img.OS != "" {
		s.platform = &ocispecs.Platform{
			OS:           img.OS,
			Architecture: img.Architecture,
			Variant:      img.Variant,
			OSVersion:    img.OSVersion,
			OSFeatures:   slices.Clone(img.OSFeatures),
		}
	}
	return nil
}

// loadContextBase takes a named context in the place of the stage's base image.
func (c *conversion) loadContextBase(ctx context.Context, s *stage, nc *dockerui.NamedContext, platform *ocispecs.Platform) error {
	st, img, err := nc.Load(ctx)
	if err != nil {
		return err
	}
	if img == nil {
		img = emptyImage(*platform)
	}
	s.baseImage = cloneImage(img)
	img.Created = nil
	s.config = newImageConfig(img)
	s.root = rootfs{out: st.Output()}
	s.root.setPlatform(*platform)
	s.platform = platform
	return nil
}

// addTriggers puts the ONBUILD instructions of a stage's base before its own. It
// tells whether they made the stage depend on others.
func (g *graph) addTriggers(s *stage) (bool, error) {
	s.triggered = true
	var triggers []string
	if s.base == nil {
		triggers = s.config.onBuild()
	} else {
		for _, cmd := range s.base.commands {
			if ob, ok := cmd.Command.(*instructions.OnbuildCommand); ok {
				triggers = append(triggers, ob.Expression)
			}
		}
	}
	if len(triggers) == 0 {
		return false, nil
	}
	commands := make([]command, 0, len(triggers)+len(s.commands))
	more := false
	for _, t := range triggers {
		cmd, err := parseTrigger(t, s.decl.Location)
		if err != nil {
			return false, err
		}
		lc, _, err := g.linkCommand(s, cmd)
		if err != nil {
			return false, err
		}
		lc.onBuild = true
		more = more || len(lc.sources) > 0
		commands = append(commands, lc)
	}
	s.commands = append(commands, s.commands...)
	s.total += len(triggers)
	return more, nil
}

// parseTrigger parses one ONBUILD instruction; its position is that of the FROM
// that triggers it.
func parseTrigger(text string, at []parser.Range) (instructions.Command, error) {
	file, err := parser.Parse(strings.NewReader(text))
	if err != nil {
		return nil, err
	}
	if len(file.AST.Children) != 1 {
		return nil, errors.New("onbuild trigger should be a single expression")
	}
	node := file.AST.Children[0]
	node.StartLine, node.EndLine = lineSpan(at)
	return instructions.ParseCommand(node)
}
