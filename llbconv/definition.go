package llbconv

import (
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"

	"github.com/cachewright/cachewright/cachepolicy"
	"github.com/cachewright/cachewright/llbconv/internal/vertex"
)

// Definition is a result in the form that the daemon takes. It knows which step of
// the Dockerfile each vertex is: that gives the plan, and the notes behind the steps'
// names.
type Definition struct {
	// PB is what the daemon is sent.
	PB *pb.Definition

	res     *Result
	encoded *vertex.Encoded
	steps   []definedStep // in the order of the plan
	asked   sync.Once
	found   map[copySource]string // what ADD's sources are at the moment; see lookUp
}

// definedStep is a step that is in a definition.
type definedStep struct {
	stage    *evaluatedStage
	step     *step     // as its rule leaves it; nil is the stage's FROM
	decision *decision // nil without a rule
	stepVertices
}

// Definition encodes the result for the daemon: what State.Marshal(ctx,
// opts...).ToPB() returns, without the copies of all metadata that llb makes on the
// way. It fails if a vertex cannot be encoded; an error about the Dockerfile carries
// its position as *parser.LocationError.
func (r *Result) Definition(ctx context.Context, opts ...llb.ConstraintsOpt) (*Definition, error) {
	encoded, err := vertex.Encode(ctx, r.emitted.stages[r.target].out, r.vertices, r.defaults, opts)
	if err != nil {
		return nil, err
	}
	return &Definition{PB: encoded.PB, res: r, encoded: encoded, steps: r.definedSteps(encoded)}, nil
}

// definedSteps lists the steps that are in a definition, in the order of the file. A
// stage that is only named, as in a COPY --from that takes nothing but inline
// documents, has none there.
func (r *Result) definedSteps(encoded *vertex.Encoded) []definedStep {
	out := make([]definedStep, 0, r.vertices)
	reachable := r.reachable()
	for _, node := range r.stages[:r.inFile] {
		s := r.evaluated[node]
		if s == nil || !reachable[node] || !r.inDefinition(s, encoded) {
			continue
		}
		if s.hasFrom() {
			v, _ := vertex.Of(s.root.out) // nil where it is not the converter's own
			out = append(out, definedStep{stage: s, stepVertices: stepVertices{op: v}})
		}
		for i, st := range s.steps {
			out = append(out, definedStep{s, r.decisions.applied(st), r.decisions[st], r.emitted.stages[node].steps[i]})
		}
	}
	return out
}

// inDefinition reports whether the stage's vertices are in the definition. One that
// starts from another's vertices and adds none counts too.
func (r *Result) inDefinition(s *evaluatedStage, encoded *vertex.Encoded) bool {
	if len(s.steps) > 0 {
		return encoded.Bytes(r.emitted.stages[s.stage].steps[0].op) != nil
	}
	v, ok := vertex.Of(s.root.out)
	return s.base != nil || !ok || encoded.Bytes(v) != nil
}

// hasFrom reports whether the FROM of a stage is a step of the plan: whether it
// starts from something outside the file.
func (s *evaluatedStage) hasFrom() bool { return s.base == nil && s.root.out != nil }

// Annotate puts notes into the progress names of steps, by the steps' index in the
// plan.
func (d *Definition) Annotate(notes map[int]string) {
	for i, s := range d.steps {
		switch {
		case s.op == nil:
		case s.step == nil:
			b := d.res.bases[s.stage.stage]
			d.annotate(s.op, b.prefix, "FROM "+b.pinned, notes[i])
		default:
			d.annotate(s.op, s.step.prefix, s.step.title, notes[i])
			if s.merge != nil {
				d.annotate(s.merge, s.step.prefix+"LINK ", s.step.title, notes[i])
			}
		}
	}
}

// annotate puts a note into a vertex's name.
func (d *Definition) annotate(v *vertex.Vertex, prefix, title, note string) {
	md := d.PB.Metadata[string(d.encoded.Digest(v))]
	if note == "" || md == nil {
		return
	}
	md.Description[vertex.KeyName] = noted(prefix, title, note)
	if pg := md.ProgressGroup; pg != nil {
		pg.Name = noted(strings.TrimSuffix(prefix, "LINK "), title, note)
	}
}

// KeysFiles reports whether a rule adds files of the build context to a key.
func (d *Definition) KeysFiles() bool {
	return slices.ContainsFunc(d.steps, func(s definedStep) bool {
		return s.decision != nil && slices.ContainsFunc(s.decision.keys, func(k keySource) bool { return k.files != nil })
	})
}

// MissingKey returns the error of a rule whose files of the build context a vertex
// could not read, by the vertex's digest; nil if it reads none for a rule. The error
// carries its position as *parser.LocationError.
func (d *Definition) MissingKey(vertex digest.Digest) error {
	for _, s := range d.steps {
		if s.decision == nil {
			continue
		}
		for i := range s.decision.keys {
			if k := &s.decision.keys[i]; k.files != nil && d.encoded.Digest(k.files) == vertex {
				return k.errorf("nothing in the build context can be read as this; correct the path, which begins at the context, or let .dockerignore keep it in")
			}
		}
	}
	return nil
}

// StepOf returns the index in the plan of the step that a vertex belongs to, by its
// digest; false if it is no step's.
func (d *Definition) StepOf(vertex digest.Digest) (int, bool) {
	for i, s := range d.steps {
		if s.op != nil && d.encoded.Digest(s.op) == vertex || s.merge != nil && d.encoded.Digest(s.merge) == vertex {
			return i, true
		}
	}
	return 0, false
}

// Explains reports whether the build wants to know why steps run again.
func (d *Definition) Explains() bool { return !d.res.c.rules.overrides.ExplainOff }

// Share returns what of the builder's memory travels with the build's cache.
func (d *Definition) Share() cachepolicy.Share { return d.res.c.rules.overrides.Share }

// Summarizes reports whether the build wants a line about itself after it.
func (d *Definition) Summarizes() bool { return d.res.c.rules.overrides.Summary }
