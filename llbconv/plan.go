package llbconv

import (
	"slices"
	"strconv"
	"strings"

	"github.com/containerd/platforms"
	"github.com/distribution/reference"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/solver/pb"

	"github.com/cachewright/cachewright/cachepolicy"
)

// maxPlanInputs is how many inputs a plan has at most. Every RUN has all arguments
// before it, so that a file of n lines can have n² of them.
const maxPlanInputs = 50_000

// Plan says what every step of the target is keyed by. The values of secret-looking
// variables are in it as digests keyed with secretKey. Sets of files have their
// patterns only. It is nil for a file whose plan would be too large to be of use.
// It is taken after Definition, and has the steps that are in there.
func (r *Result) Plan(secretKey []byte) *cachepolicy.Plan {
	c := r.g.c
	cfg := &c.opt.Config
	w := &planner{
		c:     c,
		rules: r.decisions,
		key:   secretKey,
		ends:  map[*stage][]int{},
		sets:  map[string]string{},
		plan: &cachepolicy.Plan{
			Version:  cachepolicy.PlanVersion,
			Target:   cfg.Target,
			Platform: platforms.FormatAll(c.targetPlatform),
			Steps:    []cachepolicy.Step{},
		},
	}
	if sm := c.opt.SourceMap; sm != nil {
		w.plan.Dockerfile, w.plan.DockerfileDigest = sm.Filename, string(digestOf(sm.Data))
	}
	steps := r.g.planSteps()
	for _, p := range steps {
		if p.step == nil {
			w.from(p.stage)
		} else {
			w.step(p.stage, p.step)
		}
		if w.inputs > maxPlanInputs {
			return nil
		}
	}
	w.setKeys(steps)
	return w.plan
}

// Annotate puts notes behind the progress names of steps in a definition of the
// result, by the steps' index in the plan.
func (r *Result) Annotate(def *pb.Definition, notes map[int]string) {
	for i, p := range r.g.planSteps() {
		switch v := p.vertex(); {
		case v == nil:
		case p.step == nil:
			annotate(def, v, p.stage.prefix, "FROM "+p.stage.pinned, notes[i])
		default:
			annotate(def, v, p.step.prefix, r.decisions.applied(p.step).title, notes[i])
			if p.step.merge != nil {
				annotate(def, p.step.merge, p.step.prefix+"LINK ", r.decisions.applied(p.step).title, notes[i])
			}
		}
	}
}

// StepOf returns the index in the plan of the step that a vertex of the result's
// definition belongs to; false if it is no step's.
func (r *Result) StepOf(digest string) (int, bool) {
	is := func(v *vertex) bool { return v != nil && string(v.digest) == digest }
	for i, p := range r.g.planSteps() {
		if is(p.vertex()) || p.step != nil && is(p.step.merge) {
			return i, true
		}
	}
	return 0, false
}

// annotate puts a note behind a vertex's name.
func annotate(def *pb.Definition, v *vertex, prefix, title, note string) {
	md := def.Metadata[string(v.digest)]
	if note == "" || md == nil {
		return
	}
	title = noted(title, note)
	md.Description[keyCustomName] = prefix + title
	if pg := md.ProgressGroup; pg != nil {
		pg.Name = strings.TrimSuffix(prefix, "LINK ") + title
	}
}

// planStep is a step of the plan.
type planStep struct {
	stage *stage
	step  *step // nil: the stage's FROM
}

// planSteps lists the steps of the plan: those of the stages that are in the
// definition, in the order of the file. A stage that is only named, as in a COPY
// --from that takes nothing but inline documents, is not.
func (g *graph) planSteps() []planStep {
	var out []planStep
	reachable := g.reachable()
	for _, s := range g.stages[:g.inFile] {
		if !reachable[s] || !s.inDefinition() {
			continue
		}
		if s.hasFrom() {
			out = append(out, planStep{stage: s})
		}
		for _, st := range s.steps {
			out = append(out, planStep{s, st})
		}
	}
	return out
}

// vertex is the operation of a step; nil where it is not the converter's own.
func (p planStep) vertex() *vertex {
	if p.step != nil {
		return p.step.vertex
	}
	v, _ := vertexOf(p.stage.root.out)
	return v
}

// inDefinition tells whether the stage's vertices were marshalled. One that starts
// from another's vertices and adds none counts too.
func (s *stage) inDefinition() bool {
	if len(s.steps) > 0 {
		return s.steps[0].vertex.bytes != nil
	}
	v, ok := vertexOf(s.root.out)
	return s.base != nil || !ok || v.bytes != nil
}

// Explains tells whether the build wants to know why steps run again.
func (r *Result) Explains() bool { return !r.g.c.rules.overrides.ExplainOff }

// hasFrom tells whether the FROM of a stage is a step of the plan: whether it
// starts from something outside the file.
func (s *stage) hasFrom() bool { return s.base == nil && s.root.out != nil }

// planner collects the steps of a plan.
type planner struct {
	c      *conversion
	rules  decisions
	key    []byte
	plan   *cachepolicy.Plan
	ends   map[*stage][]int  // see endsOf; none for a stage that is as its base
	sets   map[string]string // selections of files, by what they select
	inputs int
}

// from adds the FROM of a stage.
func (w *planner) from(s *stage) {
	w.add(s, cachepolicy.Step{ID: s.fromID(), Name: s.prefix + s.decl.SourceCode, Inputs: w.baseInputs(s)})
}

// endsOf returns the steps that a stage's filesystem so far consists of.
func (w *planner) endsOf(s *stage) []int {
	for s.base != nil && w.ends[s] == nil {
		s = s.base
	}
	return w.ends[s]
}

// add appends a step, on which the stage's filesystem then consists.
func (w *planner) add(s *stage, step cachepolicy.Step) {
	w.inputs += len(step.Inputs)
	w.plan.Steps = append(w.plan.Steps, step)
	w.ends[s] = []int{len(w.plan.Steps) - 1}
}

func (s *stage) fromID() cachepolicy.StepID {
	first, last := lineSpan(s.decl.Location)
	number := 0
	if s.pinned != "" {
		number = 1
	}
	return s.newID("FROM", number, first, last)
}

// stepID names the step that an instruction makes, by its number in the stage.
func (s *stage) stepID(cmd instructions.Command, onBuild bool, number int) cachepolicy.StepID {
	first, last := lineSpan(cmd.Location())
	if onBuild {
		first, last = 0, 0 // its position is that of the FROM
	}
	return s.newID(strings.ToUpper(cmd.Name()), number, first, last)
}

func (s *stage) newID(instruction string, number, first, last int) cachepolicy.StepID {
	return cachepolicy.StepID{
		Stage:       s.id,
		StageIndex:  s.index,
		Number:      number,
		Total:       s.total,
		Line:        first,
		EndLine:     last,
		Instruction: instruction,
	}
}

// baseInputs are the inputs of a FROM: the image's digest, or what stands in for it.
func (w *planner) baseInputs(s *stage) []cachepolicy.Input {
	line, _ := lineSpan(s.decl.Location)
	at := cachepolicy.Origin{Kind: cachepolicy.OriginLine, Line: line}
	base := cachepolicy.Input{Kind: cachepolicy.InputBase, Name: s.decl.BaseName, Origin: at}
	if s.pinned == "" {
		base.Name, base.Digest = sourceName(s.root.out)
		base.Origin = cachepolicy.Origin{Kind: cachepolicy.OriginContext, Name: s.contextName()}
	} else {
		base.Digest = pinnedDigest(s.pinned)
	}
	base.Unresolved = base.Digest == ""
	inputs := []cachepolicy.Input{base}
	if p := s.root.platform; p != nil {
		inputs = append(inputs, cachepolicy.NewInput(cachepolicy.InputPlatform, "platform", platforms.FormatAll(*p), w.platformOrigin(s)))
	}
	return inputs
}

func (w *planner) platformOrigin(s *stage) cachepolicy.Origin {
	if s.decl.Platform != "" {
		line, _ := lineSpan(s.decl.Location)
		return cachepolicy.Origin{Kind: cachepolicy.OriginLine, Line: line}
	}
	return cachepolicy.Origin{Kind: cachepolicy.OriginBuiltin}
}

// contextName is the name of the named context that stands in for a stage or its
// base.
func (s *stage) contextName() string {
	if s.replaced != nil {
		return s.decl.Name
	}
	return s.decl.BaseName
}

func pinnedDigest(ref string) string {
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return ""
	}
	if d, ok := named.(reference.Digested); ok {
		return d.Digest().String()
	}
	return ""
}

// sourceName returns what a source vertex outside the Dockerfile is called and its
// digest, if the name has one.
func sourceName(out llb.Output) (name, digest string) {
	id := sourceIdentifier(out)
	_, name, ok := strings.Cut(id, "://")
	if !ok {
		return "another source", ""
	}
	if rest, isImage := strings.CutPrefix(id, "docker-image://"); isImage {
		return rest, pinnedDigest(rest)
	}
	return name, ""
}

// step adds an instruction's step.
func (w *planner) step(s *stage, st *step) {
	out := cachepolicy.Step{
		ID:      st.id(),
		Name:    st.prefix + sourceTitle(st.cmd),
		NoCache: w.rules.noCache(st),
	}
	k := stepKey{w: w, st: st, at: cachepolicy.Origin{Kind: cachepolicy.OriginLine, Line: out.ID.Line}}
	if st.onBuild { // a trigger of the base image
		k.at.Kind = cachepolicy.OriginBaseImage
	}
	switch op := w.rules.applied(st).op.(type) {
	case *runOp:
		k.run(op)
	case *copyOp:
		k.copy(op)
	case *workdirOp:
		out.NoCache = false
		k.command(nil, st.vars)
		k.add(cachepolicy.NewInput(cachepolicy.InputWorkdir, "workdir", op.path, k.at))
	}
	d := w.rules[st]
	if d != nil {
		out.Rule = d.rule.PlanSettings()
		k.rule(d)
	}
	out.Inputs = k.inputs
	by, linked := cachepolicy.ByDefinition, k.linked
	if d != nil && d.ContentBase {
		by = cachepolicy.ByContent
	}
	before := w.endsOf(s)
	if !linked {
		for _, i := range before {
			out.Follows = append(out.Follows, cachepolicy.FollowStep(i, by, ""))
		}
	}
	out.Follows = append(out.Follows, k.follows...)
	w.add(s, out)
	if linked {
		w.ends[s] = append(slices.Clip(before), w.ends[s]...)
	}
}

// fileSet returns the ID of a selection of files of a context.
func (w *planner) fileSet(set cachepolicy.FileSet) string {
	key := strings.Join([]string{set.Context, strings.Join(set.Patterns, "\x00"), strings.Join(set.Exclude, "\x00")}, "\x01")
	if set.IgnoreModes {
		key += "\x01modes"
	}
	if id, ok := w.sets[key]; ok {
		return id
	}
	set.ID = "files-" + strconv.Itoa(len(w.sets)+1)
	w.sets[key] = set.ID
	w.plan.Files = append(w.plan.Files, set)
	return set.ID
}
