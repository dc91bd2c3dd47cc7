package llbconv

import (
	"fmt"
	"strings"

	"github.com/moby/buildkit/client/llb"

	"github.com/cachewright/cachewright/llbconv/internal/position"
	"github.com/cachewright/cachewright/llbconv/internal/source"
	"github.com/cachewright/cachewright/llbconv/internal/vertex"
)

// The forms in which a phase's value can be printed: a line for each stage, and one
// below it for each instruction or step. They are for debugging and for a test.

// String lists the instructions as they are written.
func (p *program) String() string {
	var b strings.Builder
	for _, a := range p.metaArgs {
		fmt.Fprintf(&b, "%s\n", a.String())
	}
	for _, s := range p.stages {
		fmt.Fprintf(&b, "%s\n", s.SourceCode)
		for _, cmd := range s.Commands {
			first, last := position.Span(cmd.Location())
			fmt.Fprintf(&b, "  %d-%d %s\n", first, last, sourceTitle(cmd))
		}
	}
	return b.String()
}

// String lists the stages with what they start from and read.
func (g *graph) String() string {
	var b strings.Builder
	for _, s := range g.stages {
		fmt.Fprintf(&b, "%s from %s", s.debugName(), s.decl.BaseName)
		if s.base != nil {
			b.WriteString(" (stage)")
		}
		for _, d := range s.deps {
			fmt.Fprintf(&b, ", reads %s", d.on.debugName())
		}
		if s == g.target {
			b.WriteString(", target")
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// debugName names a node of the graph.
func (s *stage) debugName() string {
	if s.image {
		return "image " + s.decl.BaseName
	}
	return "stage " + s.id
}

// String lists what the stages start from that are needed.
func (r *resolution) String() string {
	var b strings.Builder
	for _, s := range r.stages {
		base := r.bases[s]
		if base == nil {
			continue
		}
		fmt.Fprintf(&b, "%s: %s", s.debugName(), debugOutput(base.root.out))
		if base.pinned != "" {
			fmt.Fprintf(&b, ", %q", base.prefix)
		}
		fmt.Fprintf(&b, ", env %q\n", base.config.env.list)
	}
	return b.String()
}

// debugOutput names a filesystem.
func debugOutput(out llb.Output) string {
	if out == nil {
		return "scratch"
	}
	if src, ok := source.Of(out); ok {
		return src.Identifier
	}
	return "an operation"
}

// String lists the steps of the evaluated stages.
func (ev *evaluation) String() string {
	var b strings.Builder
	for _, s := range ev.inOrder() {
		fmt.Fprintf(&b, "%s: workdir %q, user %q\n", s.debugName(), s.config.img.Config.WorkingDir, s.config.img.Config.User)
		for _, st := range s.steps {
			fmt.Fprintf(&b, "  %s\n", st)
		}
	}
	return b.String()
}

// String is the step's name and what it does.
func (s *step) String() string {
	out := s.name() + ": "
	switch op := s.op.(type) {
	case *runOp:
		return out + fmt.Sprintf("%q, env %q, %d mounts", op.args, op.env, len(op.mounts)+len(op.secrets)+len(op.ssh))
	case *copyOp:
		return out + fmt.Sprintf("%d sources to %s", len(op.files), op.dest)
	case *workdirOp:
		return out + "make " + op.path
	default:
		return out + fmt.Sprintf("%T", op)
	}
}

// debugText lists what is decided about the steps of an evaluation.
func (ds decisions) debugText(ev *evaluation) string {
	var b strings.Builder
	for _, s := range ev.inOrder() {
		for _, st := range s.steps {
			d := ds[st]
			if d == nil {
				continue
			}
			fmt.Fprintf(&b, "%s: %s, salt %q", d.step.name(), d.rule, d.Salt())
			if d.step != st {
				fmt.Fprintf(&b, ", becomes %s", d.step)
			}
			for _, k := range d.keys {
				fmt.Fprintf(&b, ", looks at %s", k)
			}
			b.WriteByte('\n')
		}
	}
	return b.String()
}

// debugText lists the vertices of an evaluation's steps.
func (em *emitted) debugText(ev *evaluation) string {
	var b strings.Builder
	for _, s := range ev.inOrder() {
		out := em.stages[s.stage]
		fmt.Fprintf(&b, "%s: %s\n", s.debugName(), debugOutput(out.out))
		for _, v := range out.steps {
			for _, op := range []*vertex.Vertex{v.op, v.merge} {
				if op != nil {
					fmt.Fprintf(&b, "  %T %q\n", op.Op, op.Meta.Description[vertex.KeyName])
				}
			}
		}
	}
	return b.String()
}
