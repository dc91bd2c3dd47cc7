package llbconv

import (
	"context"
	"slices"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/solver/pb"
	"github.com/pkg/errors"

	"github.com/cachewright/cachewright/llbconv/internal/position"
	"github.com/cachewright/cachewright/llbconv/internal/source"
	"github.com/cachewright/cachewright/llbconv/internal/vertex"
)

// emitted is what the evaluated stages are as LLB.
type emitted struct {
	main   *llb.State // the build context
	stages map[*stage]*emittedStage
}

// emittedStage is a stage's filesystem and, for each of its steps, the vertices that
// make it.
type emittedStage struct {
	out   llb.Output // nil is scratch
	steps []stepVertices
}

// stepVertices are what a step is as LLB: its operation, and what puts the result on
// top of the stage if that is another one.
type stepVertices struct {
	op, merge *vertex.Vertex
}

// top is the filesystem after the step.
func (s stepVertices) top() llb.Output {
	if s.merge != nil {
		return s.merge.Output()
	}
	return s.op.Output()
}

// emitter turns evaluated steps into vertices.
type emitter struct {
	c       *conversion
	rules   decisions
	stages  map[*stage]*emittedStage
	context llb.Output // the build context
	local   string     // the client's name of the directory that it is; empty if it is none
	noModes llb.Output // the build context with modes that do not depend on the checkout
	nothing llb.Output // none of its files; nil until it is needed
	reduced map[*reducedFiles]llb.Output

	// Whether the daemon is known to give a command without PATH one, or not to.
	setsPath, lacksPath bool
}

// emit makes the LLB of every evaluated stage, in file order.
func (c *conversion) emit(ctx context.Context, ev *evaluation, ds decisions) (*emitted, error) {
	main, err := c.mainContext(ctx, ev, ds)
	if err != nil {
		return nil, err
	}
	e := &emitter{
		c:         c,
		rules:     ds,
		stages:    make(map[*stage]*emittedStage, len(ev.evaluated)),
		context:   main.Output(),
		setsPath:  c.supports(pb.CapExecMetaSetsDefaultPath),
		lacksPath: c.lacks(pb.CapExecMetaSetsDefaultPath),
	}
	if ds != nil {
		src, _ := source.Of(e.context)
		e.local, _ = src.Local()
	}
	order := ev.inOrder()
	for _, s := range order { // a stage can read from an image that comes later
		e.stages[s.stage] = &emittedStage{out: s.root.out}
	}
	for _, s := range order {
		if err := e.stage(s); err != nil {
			return nil, err
		}
	}
	return &emitted{main, e.stages}, nil
}

// stage makes the vertices of a stage's steps.
func (e *emitter) stage(s *evaluatedStage) error {
	out := e.stages[s.stage]
	if s.base != nil {
		out.out = e.stages[s.base].out
	}
	out.steps = make([]stepVertices, 0, len(s.steps))
	for _, st := range s.steps {
		vertices, err := e.step(st, out.out)
		if err != nil {
			return position.With(err, st.cmd.Location())
		}
		out.steps, out.out = append(out.steps, vertices), vertices.top()
	}
	return nil
}

// mainContext returns the build context, narrowed to what the stages read.
func (c *conversion) mainContext(ctx context.Context, ev *evaluation, ds decisions) (*llb.State, error) {
	var read source.Paths
	for _, s := range ev.inOrder() {
		read.AddAll(&s.context)
	}
	for _, d := range ds {
		for _, p := range d.reads {
			read.Add(p)
		}
	}
	opts := read.LocalOptions()
	if c.opt.Client != nil {
		return c.opt.Client.MainContext(ctx, opts...)
	}
	return dockerui.DefaultMainContext(opts...), nil
}

// step makes the vertices of one step on top of base.
func (e *emitter) step(st *step, base llb.Output) (stepVertices, error) {
	d := e.rules[st]
	st = e.rules.applied(st)
	switch op := st.op.(type) {
	case *runOp:
		return e.run(st, d, op, base), nil
	case *copyOp:
		return e.copy(st, d, op, base)
	case *workdirOp:
		return e.workdir(st, op, base), nil
	default:
		return stepVertices{}, errors.Errorf("no way to emit a step of type %T", op)
	}
}

// locate gives a vertex its position in the Dockerfile.
func (e *emitter) locate(v *vertex.Vertex, at []parser.Range) {
	v.CheckText = e.c.notText
	v.SourceMap, v.Location = e.c.opt.SourceMap, at
}

// assemble puts the result together.
func (c *conversion) assemble(d *decided, em *emitted) *Result {
	target := d.evaluated[d.target]
	img := target.config.image(d.decisions)
	if len(c.opt.Config.Labels) > 0 && img.Config.Labels == nil {
		img.Config.Labels = make(map[string]string, len(c.opt.Config.Labels))
	}
	for name, value := range c.opt.Config.Labels {
		img.Config.Labels[name] = value
	}
	setTarget(img, c.targetPlatform, c.implicitPlatform)

	res := &Result{
		decided:     d,
		emitted:     em,
		defaults:    c.marshalDefaults(),
		Image:       img,
		BaseImage:   target.baseImage,
		Epoch:       c.epoch,
		IgnoreCache: target.noCache,
	}
	for _, s := range d.inOrder() {
		res.vertices += 1 + len(s.steps)
	}
	for _, s := range d.scanned() {
		res.IgnoreCache = res.IgnoreCache || s.noCache
	}
	return res
}

// scanned returns the stages besides the target that ask for an SBOM scan.
func (ev *evaluation) scanned() []*evaluatedStage {
	reachable := ev.reachable()
	return slices.DeleteFunc(ev.inOrder(), func(s *evaluatedStage) bool {
		return !s.scan || s.stage == ev.target || !reachable[s.stage]
	})
}

// State returns the target stage's filesystem, for what takes an llb.State. For the
// daemon, Definition is quicker than marshalling it.
func (r *Result) State() llb.State { return r.state(r.evaluated[r.target]) }

// SBOM returns the states that a scanner reads.
func (r *Result) SBOM() SBOMTargets {
	targets := SBOMTargets{Core: r.State(), Extras: map[string]llb.State{}}
	if r.evaluated[r.target].scanContext {
		targets.Extras["context"] = *r.emitted.main
	}
	for _, s := range r.scanned() {
		targets.Extras[s.label] = r.state(s)
	}
	return targets
}

// state wraps a stage's filesystem for marshalling.
func (r *Result) state(s *evaluatedStage) llb.State {
	st := llb.NewState(r.emitted.stages[s.stage].out)
	if p := s.root.platform; p != nil {
		st = st.Platform(*p)
	}
	return st.SetMarshalDefaults(r.defaults...)
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
	v := vertex.NewFile(&vertex.File{Actions: []vertex.Action{{
		Action: &pb.FileAction_Mkfile{Mkfile: &pb.FileActionMkFile{
			Path:      source.AbsPath(f.name),
			Mode:      int32(f.mode),
			Data:      []byte(f.data),
			Timestamp: -1,
		}},
	}}}, "[internal] preparing inline document")
	return v.Output()
}
