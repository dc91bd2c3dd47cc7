package llbconv

import (
	"context"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/solver/pb"
	"github.com/pkg/errors"
)

// emitter turns evaluated steps into vertices.
type emitter struct {
	c       *conversion
	rules   decisions
	context llb.Output // the build context
	noModes llb.Output // the same with modes that do not depend on the checkout
	nothing llb.Output // none of its files; nil until it is needed

	// Whether the daemon is known to give a command without PATH one, or not to.
	setsPath, lacksPath bool
}

// emit makes the LLB of every evaluated stage, in file order, and returns the
// build context that it reads.
func (c *conversion) emit(ctx context.Context, g *graph, ds decisions) (*llb.State, error) {
	main, err := c.mainContext(ctx, g, ds)
	if err != nil {
		return nil, err
	}
	e := &emitter{
		c:         c,
		rules:     ds,
		context:   main.Output(),
		setsPath:  c.supports(pb.CapExecMetaSetsDefaultPath),
		lacksPath: c.lacks(pb.CapExecMetaSetsDefaultPath),
	}
	for _, s := range g.stages {
		s.out = s.root.out
	}
	for _, s := range g.stages {
		if s.base != nil {
			s.out = s.base.out
		}
		for _, st := range s.steps {
			if s.out, err = e.step(st, s.out); err != nil {
				return nil, located(err, st.cmd.Location())
			}
		}
	}
	return main, nil
}

// mainContext returns the build context, narrowed to what the stages read.
func (c *conversion) mainContext(ctx context.Context, g *graph, ds decisions) (*llb.State, error) {
	read := newPathSet()
	for _, s := range g.stages {
		read.addAll(s.context)
	}
	for _, d := range ds {
		for _, p := range d.reads {
			read.add(p)
		}
	}
	opts := read.localOptions()
	if c.opt.Client != nil {
		return c.opt.Client.MainContext(ctx, opts...)
	}
	return dockerui.DefaultMainContext(opts...), nil
}

// step makes the vertices of one step on top of base and returns the new filesystem.
func (e *emitter) step(s *step, base llb.Output) (llb.Output, error) {
	switch op := e.rules.applied(s).op.(type) {
	case *runOp:
		return e.run(s, op, base), nil
	case *copyOp:
		return e.copy(s, op, base), nil
	case *workdirOp:
		return e.workdir(s, op, base), nil
	default:
		return nil, errors.Errorf("no way to emit a step of type %T", op)
	}
}

// locate gives a vertex its position in the Dockerfile.
func (e *emitter) locate(v *vertex, at []parser.Range) {
	v.checkText = e.c.notText
	v.source, v.location = e.c.opt.SourceMap, at
}

// assemble puts the result together.
func (c *conversion) assemble(g *graph, ds decisions, main *llb.State) *Result {
	t := g.target
	img := t.config.image(ds)
	if len(c.opt.Config.Labels) > 0 && img.Config.Labels == nil {
		img.Config.Labels = make(map[string]string, len(c.opt.Config.Labels))
	}
	for name, value := range c.opt.Config.Labels {
		img.Config.Labels[name] = value
	}
	setTarget(img, c.targetPlatform, c.implicitPlatform)

	res := &Result{
		g:           g,
		decisions:   ds,
		main:        main,
		State:       c.state(t),
		defaults:    c.marshalDefaults(),
		Image:       img,
		BaseImage:   t.baseImage,
		Epoch:       c.epoch,
		IgnoreCache: t.noCache,
		SBOM:        SBOMTargets{Extras: map[string]llb.State{}},
	}
	res.SBOM.Core = res.State
	if t.scanContext {
		res.SBOM.Extras["context"] = *main
	}
	reachable := g.reachable()
	for _, s := range g.stages {
		res.vertices += 1 + len(s.steps)
		if s != t && reachable[s] && s.scan {
			res.SBOM.Extras[s.label] = c.state(s)
			res.IgnoreCache = res.IgnoreCache || s.noCache
		}
	}
	return res
}

// state wraps a stage's filesystem for marshalling.
func (c *conversion) state(s *stage) llb.State {
	st := llb.NewState(s.out)
	if p := s.root.platform; p != nil {
		st = st.Platform(*p)
	}
	return st.SetMarshalDefaults(c.marshalDefaults()...)
}

func (c *conversion) marshalDefaults() []llb.ConstraintsOpt {
	defaults := []llb.ConstraintsOpt{llb.Platform(c.targetPlatform)}
	if c.opt.Caps != nil {
		defaults = append(defaults, llb.WithCaps(*c.opt.Caps))
	}
	return defaults
}

// inline makes a file from an inline document.
func inline(f *inlineFile) llb.Output {
	v := newFileVertex(&fileOp{actions: []fileAction{{
		action: &pb.FileAction_Mkfile{Mkfile: &pb.FileActionMkFile{
			Path:      absPath(f.name),
			Mode:      int32(f.mode),
			Data:      []byte(f.data),
			Timestamp: -1,
		}},
	}}}, "[internal] preparing inline document")
	return v.Output()
}
