package llbconv

import (
	"slices"

	"github.com/moby/buildkit/client/llb"

	"github.com/cachewright/cachewright/cachepolicy/cacheplan"
	"github.com/cachewright/cachewright/llbconv/internal/source"
)

// Contexts returns the build contexts that a plan's sets of files are selected
// from, by name; the main one's is empty. They are narrowed to what the build
// reads.
func (d *Definition) Contexts(plan *cacheplan.Plan) map[string]llb.State {
	out := map[string]llb.State{}
	if slices.ContainsFunc(plan.Files, func(f cacheplan.FileSet) bool { return f.Context == "" }) {
		out[""] = *d.res.emitted.main
	}
	for _, s := range d.res.stages {
		b := d.res.bases[s]
		src, ok := b.local()
		if !ok {
			continue
		}
		name := s.contextName()
		st := llb.NewState(b.root.out)
		if other, again := out[name]; again {
			if known, ok := source.Of(other.Output()); ok {
				st = source.JoinLocal(name, known, src)
			}
		}
		out[name] = st
	}
	return out
}

// localContext returns the name of the local directory that a stage's filesystem
// is, if it is one.
func (w *planner) localContext(s *stage) (string, bool) {
	_, ok := w.def.res.bases[s].local()
	return s.contextName(), ok
}

// local returns the local directory that a base is, if it is one.
func (b *base) local() (source.Op, bool) {
	if b == nil || b.pinned != "" {
		return source.Op{}, false
	}
	src, _ := source.Of(b.root.out)
	_, ok := src.Local()
	return src, ok
}
