package llbconv

import (
	"context"
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
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/pkg/errors"
	"golang.org/x/sync/errgroup"

	"github.com/cachewright/cachewright/llbconv/internal/position"
	"github.com/cachewright/cachewright/llbconv/internal/source"
)

// resolution is the build graph with what its stages start from.
type resolution struct {
	*graph
	bases map[*stage]*base           // of the stages that are needed and start from no other
	refs  map[*stage]reference.Named // the names of those, and of the stages not needed
}

// base is what a stage starts from that is no stage itself: an image, a named
// context, or nothing.
type base struct {
	root      rootfs
	platform  *ocispecs.Platform
	config    *imageConfig
	baseImage *dockerspec.DockerOCIImage // the config as it was found; nil without an image
	pinned    string                     // the image's reference with its digest; empty if there is no image
	prefix    string                     // of the FROM's progress name
	digest    digest.Digest              // of the image that a named context is

	ref   reference.Named
	found *source.Image
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

// resolve looks up the base of every stage that the target needs, all at once,
// and adds the ONBUILD triggers found there. Triggers can need further stages,
// so this repeats until nothing new is needed.
func (c *conversion) resolve(ctx context.Context, g *graph) (*resolution, error) {
	r := &resolution{graph: g, bases: map[*stage]*base{}, refs: map[*stage]reference.Named{}}
	triggered := map[*stage]bool{}
	for {
		reachable := g.reachable()
		if err := c.resolveBases(ctx, r, reachable); err != nil {
			return nil, err
		}
		again := false
		for _, s := range slices.Clone(g.stages) {
			if !reachable[s] || triggered[s] {
				continue
			}
			triggered[s] = true
			more, err := g.addTriggers(s, r.triggers(s))
			if err != nil {
				return nil, parser.SetLocation(err, s.decl.Location)
			}
			again = again || more
		}
		if !again {
			return r, nil
		}
	}
}

// resolveBases looks up the bases of reachable stages. What the other stages name
// must at least be a valid reference.
func (c *conversion) resolveBases(ctx context.Context, r *resolution, reachable map[*stage]bool) error {
	if err := c.readReferences(r); err != nil {
		return err
	}
	labels := r.labels()
	var found []*stage
	eg, ctx := errgroup.WithContext(ctx)
	for _, s := range r.stages {
		if s.base != nil || r.bases[s] != nil || !reachable[s] && !c.opt.AllStages {
			continue
		}
		b := &base{ref: r.refs[s]}
		r.bases[s] = b
		if s.isScratch() {
			b.platform = &c.targetPlatform
			b.config = newImageConfig(emptyImage(c.targetPlatform))
			continue
		}
		found = append(found, s)
		eg.Go(func() error {
			if err := c.resolveBase(ctx, s, b, labels); err != nil {
				return parser.WithLocation(err, s.at)
			}
			return nil
		})
	}
	err := eg.Wait()
	for _, s := range found { // also after an error, for the check
		b := r.bases[s]
		if imageErr := c.takeImage(s, b); err == nil && imageErr != nil {
			err = parser.WithLocation(imageErr, s.at)
		}
		if b.pinned != "" {
			c.setImageRoot(s, b)
			c.checkBasePlatform(s, b)
		}
	}
	return err
}

// readReferences reads the names of the bases that are no stage. It fails if one
// cannot be the name of an image.
func (c *conversion) readReferences(r *resolution) error {
	for _, s := range r.stages {
		if s.base != nil || r.refs[s] != nil || s.isScratch() {
			continue
		}
		ref, err := c.parseReference(s.decl.BaseName)
		if err != nil {
			return parser.WithLocation(errors.Wrapf(err, "failed to parse stage name %q", s.decl.BaseName), s.at)
		}
		r.refs[s] = ref
	}
	return nil
}

// parseReference reads the name of an image. A check reads the names of base images
// before they are used, so that they are kept.
func (c *conversion) parseReference(name string) (reference.Named, error) {
	if ref, ok := c.references[name]; ok {
		return ref, nil
	}
	ref, err := reference.ParseNormalizedNamed(name)
	if err == nil {
		c.references[name] = ref
	}
	return ref, err
}

// resolveBase finds out what a stage starts from: the named context that
// replaces it, a named context in the place of its image, or the image, which
// takeImage then reads.
func (c *conversion) resolveBase(ctx context.Context, s *stage, b *base, labels []string) error {
	if s.replaced {
		return c.loadReplacement(ctx, s, b)
	}
	platform := c.platformOf(s)
	b.ref = reference.TagNameOnly(b.ref)
	nc, err := c.namedContext(b.ref.String(), dockerui.ContextOpt{
		ResolveMode:    c.opt.Config.ImageResolveMode.String(),
		Platform:       platform,
		AsyncLocalOpts: s.used.LocalOptions,
		CaptureDigest:  &b.digest,
	})
	if err != nil {
		return err
	}
	if nc != nil {
		return c.loadContextBase(ctx, b, nc, platform)
	}
	if b.found, err = c.lookupImage(ctx, b.ref, platform); err != nil {
		orig := s.decl.BaseName
		return suggest.WrapError(errors.Wrap(err, orig), orig, append(labels, commonImages()...), true)
	}
	return nil
}

// loadReplacement takes a named context in the place of the whole stage.
func (c *conversion) loadReplacement(ctx context.Context, s *stage, b *base) error {
	nc, err := c.replacement(s, &b.digest)
	if err != nil {
		return err
	}
	st, img, err := nc.Load(ctx)
	if err != nil {
		return err
	}
	b.root, b.platform = rootfs{out: st.Output()}, s.platform
	if b.root.platform, err = st.GetPlatform(ctx); err != nil {
		return err
	}
	if img == nil {
		b.config = newImageConfig(&dockerspec.DockerOCIImage{})
		return nil
	}
	img.Created = nil
	b.config = newImageConfig(img)
	if img.Architecture != "" && img.OS != "" {
		b.platform = &ocispecs.Platform{
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
func (c *conversion) loadContextBase(ctx context.Context, b *base, nc *dockerui.NamedContext, platform *ocispecs.Platform) error {
	st, img, err := nc.Load(ctx)
	if err != nil {
		return err
	}
	if img == nil {
		img = emptyImage(*platform)
	}
	b.baseImage = cloneImage(img)
	img.Created = nil
	b.config = newImageConfig(img)
	b.root = rootfs{out: st.Output()}
	b.root.setPlatform(*platform)
	b.platform = platform
	return nil
}

// triggers returns the ONBUILD instructions of what a stage starts from. They are
// not inherited any further.
func (r *resolution) triggers(s *stage) []string {
	if s.base == nil {
		return r.bases[s].config.onBuild()
	}
	var out []string
	for _, cmd := range s.base.commands {
		if ob, ok := cmd.Command.(*instructions.OnbuildCommand); ok {
			out = append(out, ob.Expression)
		}
	}
	return out
}

// addTriggers puts ONBUILD instructions of a stage's base before its own. It
// reports whether they made the stage depend on others.
func (g *graph) addTriggers(s *stage, triggers []string) (bool, error) {
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
	node.StartLine, node.EndLine = position.Span(at)
	return instructions.ParseCommand(node)
}
