package record

import (
	"slices"

	"github.com/cachewright/cachewright/cachepolicy"
)

// ForTravel returns the record as it may leave the builder: of variables there are
// digests instead of values, and of withheld ones nothing, since their digests are
// keyed with a key that stays. The record itself is not changed.
func (r Record) ForTravel() Record {
	out := Record{Builds: slices.Clone(r.Builds)}
	for i := range out.Builds {
		p := out.Builds[i].Plan.WithInputs(travelling)
		p.SecretKey, p.Given = "", ""
		out.Builds[i].Plan = p
	}
	return out
}

// withoutSecrets returns inputs with nothing of those that are withheld.
func withoutSecrets(inputs []cachepolicy.Input) []cachepolicy.Input {
	out := slices.Clone(inputs)
	for i := range out {
		if in := &out[i]; in.Secret {
			in.Digest, in.Unresolved = "", true
		}
	}
	return out
}

func travelling(inputs []cachepolicy.Input) []cachepolicy.Input {
	out := withoutSecrets(inputs)
	for i := range out {
		if in := &out[i]; !in.Secret && in.Kind.IsAssigned() {
			in.Digest, in.Value = in.ValueDigest(), ""
		}
	}
	return out
}
