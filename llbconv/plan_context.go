package llbconv

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"

	"github.com/cachewright/cachewright/cachepolicy"
)

// Contexts returns the build contexts that a plan's sets of files are selected
// from, by name; the main one's is empty. They are narrowed to what the build
// reads.
func (r *Result) Contexts(plan *cachepolicy.Plan) map[string]llb.State {
	out := map[string]llb.State{}
	if slices.ContainsFunc(plan.Files, func(f cachepolicy.FileSet) bool { return f.Context == "" }) {
		out[""] = *r.main
	}
	for _, s := range r.g.stages {
		if name, ok := s.localContext(); ok {
			st := llb.NewState(s.root.out)
			if other, again := out[name]; again {
				st = joinLocal(name, other.Output(), st.Output())
			}
			out[name] = st
		}
	}
	return out
}

// joinLocal returns the source of a local directory that has what two have which
// are each narrowed to what one instruction reads.
func joinLocal(name string, a, b llb.Output) llb.State {
	source := sourceOf(a)
	attrs := maps.Clone(source.GetAttrs())
	one, two := followed(source), followed(sourceOf(b))
	if len(one) == 0 || len(two) == 0 { // one has it all
		delete(attrs, pb.AttrFollowPaths)
	} else {
		paths := append(one, two...)
		slices.Sort(paths)
		data, _ := json.Marshal(slices.Compact(paths)) // strings do not fail
		attrs[pb.AttrFollowPaths] = string(data)
	}
	var c llb.Constraints
	llb.WithCustomName("[context " + name + "] load from client").SetConstraintsOption(&c)
	return llb.NewState(llb.NewSource(source.GetIdentifier(), attrs, c).Output())
}

// followed are the paths that a local source is narrowed to; none: it is not.
func followed(source *pb.SourceOp) []string {
	var paths []string
	if json.Unmarshal([]byte(source.GetAttrs()[pb.AttrFollowPaths]), &paths) != nil {
		return nil
	}
	return paths
}

// localContext returns the name of the local directory that a stage's filesystem
// is, if it is one.
func (s *stage) localContext() (string, bool) {
	if s.base != nil || s.root.out == nil || s.pinned != "" {
		return "", false
	}
	if !strings.HasPrefix(sourceIdentifier(s.root.out), "local://") {
		return "", false
	}
	return s.contextName(), true
}

// sourceIdentifier returns the identifier of a source vertex, such as
// "local://context"; empty if it is none.
func sourceIdentifier(out llb.Output) string { return sourceOf(out).GetIdentifier() }

// sourceOf returns the operation of a source vertex, nil if it is none.
func sourceOf(out llb.Output) *pb.SourceOp {
	ctx := context.Background()
	constraints := &llb.Constraints{}
	_, data, _, _, err := out.Vertex(ctx, constraints).Marshal(ctx, constraints)
	if err != nil {
		return nil
	}
	var op pb.Op
	if err := op.UnmarshalVT(data); err != nil {
		return nil
	}
	return op.GetSource()
}
