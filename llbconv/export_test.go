package llbconv

import digest "github.com/opencontainers/go-digest"

// StepDigests returns the digests of the vertices of a plan's steps, after
// Definition; empty where a step has none of the converter's own.
func (r *Result) StepDigests() []digest.Digest {
	var out []digest.Digest
	add := func(v *vertex) {
		if v == nil {
			out = append(out, "")
			return
		}
		out = append(out, v.digest)
	}
	for _, s := range r.g.planned() {
		if s.hasFrom() {
			v, _ := vertexOf(s.root.out)
			add(v)
		}
		for _, st := range s.steps {
			add(st.vertex)
		}
	}
	return out
}
