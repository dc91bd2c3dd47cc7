package llbconv

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/subrequests/outline"
	"github.com/moby/buildkit/solver/pb"

	"github.com/cachewright/cachewright/llbconv/internal/position"
)

// Outline describes the parameters that the target and the stages it needs take:
// build arguments, secrets and SSH agents, each with the place where it is
// declared, in the order of the file. It fails as Convert does.
func Outline(ctx context.Context, dt []byte, opt Options) (*outline.Outline, error) {
	d, err := decide(ctx, dt, opt)
	if err != nil {
		return nil, err
	}
	o := outliner{
		metaArgs: d.c.metaArgs,
		eval:     d.evaluation,
		stages:   map[*stage]bool{},
		args:     map[string]outline.Arg{},
		secrets:  map[string]outline.Secret{},
		ssh:      map[string]outline.SSH{},
	}
	o.visit(d.target)
	return &outline.Outline{
		Name:        d.target.decl.Name,
		Description: d.target.decl.DocComment,
		Args:        inFileOrder(o.args, func(a outline.Arg) *pb.Location { return a.Location }),
		Secrets:     inFileOrder(o.secrets, func(s outline.Secret) *pb.Location { return s.Location }),
		SSH:         inFileOrder(o.ssh, func(s outline.SSH) *pb.Location { return s.Location }),
		Sources:     [][]byte{dt},
	}, nil
}

// outlineRef is a secret or agent that a stage asks for.
type outlineRef struct {
	name     string
	required bool
	location []parser.Range
}

// outliner collects the parameters of stages. Of two with one name the first
// one found counts.
type outliner struct {
	metaArgs map[string]argument
	eval     *evaluation
	stages   map[*stage]bool // visited
	args     map[string]outline.Arg
	secrets  map[string]outline.Secret
	ssh      map[string]outline.SSH
}

// visit collects from a stage, then from its base, then from the stages that its
// instructions read.
func (o *outliner) visit(s *stage) {
	if s == nil || o.stages[s] {
		return
	}
	o.stages[s] = true
	e := o.eval.evaluated[s]
	if !s.replaced {
		for name := range e.usedArgs {
			o.addArg(e, name)
		}
	}
	for _, r := range e.secrets {
		addFirst(o.secrets, r.name, outline.Secret{Name: r.name, Required: r.required, Location: position.Location(r.location)})
	}
	for _, r := range e.ssh {
		addFirst(o.ssh, r.name, outline.SSH{Name: r.name, Required: r.required, Location: position.Location(r.location)})
	}
	o.visit(s.base)
	for _, d := range s.deps {
		o.visit(d.on)
	}
}

// addArg adds an argument that a stage uses, and the global arguments that its
// value is made of.
func (o *outliner) addArg(s *evaluatedStage, name string) {
	if _, ok := o.args[name]; ok {
		return
	}
	arg, ok := s.ownArgs[name]
	if !ok {
		if arg, ok = o.metaArgs[name]; !ok {
			return // predefined, and not declared in the file
		}
	}
	o.args[name] = outline.Arg{
		Name:        name,
		Description: arg.definition.DocComment,
		Value:       arg.value,
		Location:    position.Location(arg.location),
	}
	for dep := range arg.deps {
		o.addArg(s, dep)
	}
}

func addFirst[V any](m map[string]V, name string, v V) {
	if _, ok := m[name]; !ok {
		m[name] = v
	}
}

// inFileOrder returns the values sorted by line, those of one line by name.
func inFileOrder[V any](m map[string]V, at func(V) *pb.Location) []V {
	names := slices.Sorted(maps.Keys(m))
	slices.SortStableFunc(names, func(a, b string) int {
		return cmp.Compare(firstLine(at(m[a])), firstLine(at(m[b])))
	})
	out := make([]V, 0, len(names))
	for _, name := range names {
		out = append(out, m[name])
	}
	return out
}

func firstLine(l *pb.Location) int32 {
	if l == nil || len(l.Ranges) == 0 {
		return 0
	}
	return l.Ranges[0].Start.Line
}
