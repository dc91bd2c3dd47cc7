package llbconv

import digest "github.com/opencontainers/go-digest"

// StepDigests returns the digests of the vertices of a plan's steps, after
// Definition; empty where a step has none of the converter's own.
func (r *Result) StepDigests() []digest.Digest {
	var out []digest.Digest
	for _, p := range r.g.planSteps() {
		var d digest.Digest
		if v := p.vertex(); v != nil {
			d = v.digest
		}
		out = append(out, d)
	}
	return out
}
