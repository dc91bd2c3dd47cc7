package llbconv

import (
	"github.com/distribution/reference"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"
)

// sourceOp is something that is fetched. Only base images, which nearly every
// build has, are made of it, since llb parses their names once more; all other
// sources are llb's own vertices.
type sourceOp struct {
	source *pb.SourceOp
}

// imageSource is an image, by its digest if ref has one.
func imageSource(ref reference.Named, mode llb.ResolveMode) *sourceOp {
	o := &sourceOp{&pb.SourceOp{Identifier: "docker-image://" + reference.TagNameOnly(ref).String()}}
	if mode != llb.ResolveModeDefault {
		o.source.Attrs = map[string]string{pb.AttrImageResolveMode: mode.String()}
	}
	return o
}

func (o *sourceOp) appendInputs(to []llb.Output) []llb.Output { return to }

func (o *sourceOp) validate() error { return nil }

func (o *sourceOp) marshal(m *message) { m.op.Op = &pb.Op_Source{Source: o.source} }
