package llbconv

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/solver/pb"

	"github.com/cachewright/cachewright/cachepolicy"
	"github.com/cachewright/cachewright/cachepolicy/cacheplan"
	"github.com/cachewright/cachewright/cachepolicy/secret"
	"github.com/cachewright/cachewright/llbconv/internal/position"
	"github.com/cachewright/cachewright/llbconv/internal/source"
	"github.com/cachewright/cachewright/llbconv/internal/vertex"
)

// maxPlanInputs is how many inputs a plan has at most. Every RUN has all arguments
// before it, so that a file of n lines can have n² of them.
const maxPlanInputs = 50_000

// Plan says what every step in the definition is keyed by. Secrets are in it as
// digests; secretKey returns the key for those, and is asked only if there are some.
// Sets of files have their patterns only. What ADD fetches is looked up; what cannot be
// found out is not known then. The plan is nil for a file whose plan would be too large
// to be of use. Plan fails if secretKey does.
func (d *Definition) Plan(ctx context.Context, secretKey func() ([]byte, error)) (*cacheplan.Plan, error) {
	d.lookUp(ctx)
	c := d.res.c
	w := &planner{
		c:      c,
		def:    d,
		askKey: secretKey,
		secret: map[variable]bool{},
		ends:   map[*stage][]int{},
		sets:   map[string]string{},
		plan: &cacheplan.Plan{
			Version:  cacheplan.Version,
			Target:   c.opt.Config.Target,
			Platform: platforms.FormatAll(c.targetPlatform),
			Steps:    []cacheplan.Step{},
		},
	}
	if sm := c.opt.SourceMap; sm != nil {
		w.plan.Dockerfile, w.plan.DockerfileDigest = sm.Filename, string(vertex.Digest(sm.Data))
	}
	for _, s := range d.steps {
		if s.step == nil {
			w.from(s.stage)
		} else {
			w.step(s)
		}
		if w.inputs > maxPlanInputs {
			return nil, w.keyErr
		}
	}
	w.setKeys()
	return w.plan, w.keyErr
}

// planner collects the steps of a plan.
type planner struct {
	c      *conversion
	def    *Definition
	plan   *cacheplan.Plan
	askKey func() ([]byte, error)
	keyed  []byte // what askKey returned
	keyErr error
	secret map[variable]bool // those that were looked at
	ends   map[*stage][]int  // see endsOf; none for a stage that is as its base
	sets   map[string]string // selections of files, by what they select
	inputs int
}

// variable is a variable as far as it looks secret by itself.
type variable struct{ name, value string }

// key returns the key for digests of secrets.
func (w *planner) key() []byte {
	if w.keyed == nil && w.keyErr == nil {
		w.keyed, w.keyErr = w.askKey()
	}
	return w.keyed
}

// isSecret reports whether a variable is secret. It remembers: every RUN has all
// variables before it.
func (w *planner) isSecret(v envVar) bool {
	if v.from.secret {
		return true
	}
	at := variable{v.name, v.value}
	is, known := w.secret[at]
	if !known {
		is = v.isSecret()
		w.secret[at] = is
	}
	return is
}

// from adds the FROM of a stage.
func (w *planner) from(s *evaluatedStage) {
	b := w.def.res.bases[s.stage]
	name, _ := secret.Mask(b.prefix + s.decl.SourceCode)
	w.add(s.stage, cacheplan.Step{ID: s.fromID(b), Name: name, Inputs: w.baseInputs(s.stage, b)})
}

// endsOf returns the steps that gave a stage's filesystem as it is so far.
func (w *planner) endsOf(s *stage) []int {
	for s.base != nil && w.ends[s] == nil {
		s = s.base
	}
	return w.ends[s]
}

// add appends a step: the stage's filesystem is what that step gives.
func (w *planner) add(s *stage, step cacheplan.Step) {
	w.inputs += len(step.Inputs)
	w.plan.Steps = append(w.plan.Steps, step)
	w.ends[s] = []int{len(w.plan.Steps) - 1}
}

func (s *stage) fromID(b *base) cachepolicy.StepID {
	first, last := position.Span(s.decl.Location)
	number := 0
	if b.pinned != "" {
		number = 1
	}
	return s.newID("FROM", number, first, last)
}

// stepID names the step that an instruction makes, by its number in the stage.
func (s *stage) stepID(cmd instructions.Command, onBuild bool, number int) cachepolicy.StepID {
	first, last := position.Span(cmd.Location())
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
func (w *planner) baseInputs(s *stage, b *base) []cachepolicy.Input {
	line, _ := position.Span(s.decl.Location)
	in := cachepolicy.Input{Kind: cachepolicy.InputBase, Origin: cachepolicy.Origin{Kind: cachepolicy.OriginLine, Line: line}}
	in.Name, in.Digest = b.name(s)
	if b.pinned == "" {
		in.Origin = cachepolicy.Origin{Kind: cachepolicy.OriginContext, Name: s.contextName()}
	}
	if shown, hidden := withoutSecrets(in.Name, nil); hidden || s.secret {
		if s.secret {
			shown = secret.Hidden
		}
		digest := in.Digest
		in = cachepolicy.NewWithheld(in.Kind, shown, "", in.Name, in.Origin, w.key())
		if digest != "" { // it is keyed by that alone
			in.Digest = digest
		}
	}
	in.Unresolved = in.Digest == ""
	inputs := []cachepolicy.Input{in}
	if p := b.root.platform; p != nil {
		inputs = append(inputs, cachepolicy.NewInput(cachepolicy.InputPlatform, "platform", platforms.FormatAll(*p), w.platformOrigin(s)))
	}
	return inputs
}

func (w *planner) platformOrigin(s *stage) cachepolicy.Origin {
	if s.decl.Platform != "" {
		line, _ := position.Span(s.decl.Location)
		return cachepolicy.Origin{Kind: cachepolicy.OriginLine, Line: line}
	}
	return cachepolicy.Origin{Kind: cachepolicy.OriginBuiltin}
}

// contextName is the name of the named context that stands in for a stage or its
// base.
func (s *stage) contextName() string {
	if s.replaced {
		return s.decl.Name
	}
	return s.decl.BaseName
}

// name returns what a stage starts from is called, and its digest if that is known.
func (b *base) name(s *stage) (name, digest string) {
	if b.pinned != "" {
		return s.decl.BaseName, source.DigestIn(b.pinned)
	}
	src, ok := source.Of(b.root.out)
	if !ok {
		return "another source", source.Identity(b.root.out)
	}
	name, digest = src.Name()
	return name, cmp.Or(digest, string(b.digest))
}

// step adds an instruction's step.
func (w *planner) step(s definedStep) {
	st, d := s.step, s.decision
	out := cacheplan.Step{
		ID:      st.id(),
		NoCache: noCache(st, d) || w.def.PB.Metadata[string(w.def.encoded.Digest(s.op))].GetIgnoreCache(),
	}
	k := stepKey{w: w, definedStep: s, at: cachepolicy.Origin{Kind: cachepolicy.OriginLine, Line: out.ID.Line}}
	out.Name, _ = k.shown(st.prefix + sourceTitle(st.cmd))
	if st.onBuild { // a trigger of the base image
		k.at.Kind = cachepolicy.OriginBaseImage
	}
	switch op := st.op.(type) {
	case *runOp:
		k.run(op)
	case *copyOp:
		k.copy(op)
	case *workdirOp:
		out.NoCache = false
		k.workdir(op)
	}
	if d != nil {
		out.Rule = cacheplan.Settings(d.rule)
		for i := range out.Rule {
			out.Rule[i].Value, _ = k.shown(out.Rule[i].Value)
		}
		k.rule(d)
	}
	out.Inputs = k.inputs
	by := cacheplan.ByDefinition
	if _, isRun := st.op.(*runOp); isRun {
		by = k.mountBy(pb.RootMount)
	}
	node := s.stage.stage
	before := w.endsOf(node)
	if !k.linked {
		for _, i := range before {
			out.Follows = append(out.Follows, cacheplan.FollowStep(i, by, ""))
		}
	}
	out.Follows = append(out.Follows, k.follows...)
	w.add(node, out)
	if k.linked {
		w.ends[node] = append(slices.Clip(before), w.ends[node]...)
	}
}

// fileSet returns the ID of a selection of files of a context.
func (w *planner) fileSet(set cacheplan.FileSet) string {
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
