package llbconv

import digest "github.com/opencontainers/go-digest"

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
