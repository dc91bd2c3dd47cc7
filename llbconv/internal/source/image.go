package source

import (
	"github.com/distribution/reference"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"
	"github.com/pkg/errors"

	"github.com/cachewright/cachewright/llbconv/internal/vertex"
)

// Image is what a registry says about an image.
type Image struct {
	// Asked and Name are as it was asked for, and found: a source policy may name
	// another image.
	Asked, Name string
	Digest      digest.Digest
	Config      []byte
}

// Pin returns the reference of the image, which was found for ref, with its digest.
// It fails if what a source policy names is no reference.
func (f *Image) Pin(ref reference.Named) (reference.Named, error) {
	if f.Name != f.Asked {
		var err error
		if ref, err = reference.ParseNormalizedNamed(f.Name); err != nil {
			return nil, errors.Wrapf(err, "failed to parse ref %q", f.Name)
		}
	}
	if f.Digest == "" {
		return ref, nil
	}
	return reference.WithDigest(ref, f.Digest)
}

// NewImage returns the operation of an image, by its digest if ref has one. Nearly
// every build has base images, and llb would parse their names once more; all other
// sources are llb's own vertices.
func NewImage(ref reference.Named, mode llb.ResolveMode) *vertex.Source {
	op := &pb.SourceOp{Identifier: imageScheme + reference.TagNameOnly(ref).String()}
	if mode != llb.ResolveModeDefault {
		op.Attrs = map[string]string{pb.AttrImageResolveMode: mode.String()}
	}
	return &vertex.Source{Op: op}
}

// DigestIn returns the digest in an image reference, empty if it has none.
func DigestIn(ref string) string {
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return ""
	}
	if d, ok := named.(reference.Digested); ok {
		return d.Digest().String()
	}
	return ""
}
