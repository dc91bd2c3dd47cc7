package llbconv

import (
	"context"

	digest "github.com/opencontainers/go-digest"
)

// StepDigests returns the digests of the vertices of a plan's steps; empty where a
// step has none of the converter's own.
func (d *Definition) StepDigests() []digest.Digest {
	var out []digest.Digest
	for _, s := range d.steps {
		var dgst digest.Digest
		if s.op != nil {
			dgst = d.encoded.Digest(s.op)
		}
		out = append(out, dgst)
	}
	return out
}

// Phase is what one phase of a conversion returns, in its debug form.
type Phase struct{ Name, Text string }

// Phases converts a Dockerfile and prints what each phase returns. A value is
// printed before the next phase begins.
func Phases(ctx context.Context, dt []byte, opt Options) ([]Phase, error) {
	c, err := newConversion(opt, dt)
	if err != nil {
		return nil, err
	}
	prog, err := c.parse(dt)
	if err != nil {
		return nil, err
	}
	out := []Phase{{"parse", prog.String()}}
	if err := c.setGlobals(ctx, prog); err != nil {
		return nil, err
	}
	if err := c.readRules(dt, prog); err != nil {
		return nil, err
	}
	linked, err := c.link(prog)
	if err != nil {
		return nil, err
	}
	out = append(out, Phase{"link", linked.String()})
	resolved, err := c.resolve(ctx, linked)
	if err != nil {
		return nil, err
	}
	out = append(out, Phase{"resolve", resolved.String()})
	evaluated, err := c.evaluate(resolved)
	if err != nil {
		return nil, err
	}
	out = append(out, Phase{"evaluate", evaluated.String()})
	decisions, err := c.decide(evaluated)
	if err != nil {
		return nil, err
	}
	out = append(out, Phase{"decide", decisions.debugText(evaluated)})
	if err := c.resolveKeys(ctx, decisions); err != nil {
		return nil, err
	}
	out = append(out, Phase{"resolveKeys", decisions.debugText(evaluated)})
	em, err := c.emit(ctx, evaluated, decisions)
	if err != nil {
		return nil, err
	}
	return append(out, Phase{"emit", em.debugText(evaluated)}), nil
}

// Noted is the name of a step with a note.
var Noted = noted
