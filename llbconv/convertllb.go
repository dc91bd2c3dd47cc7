package llbconv

import (
	"context"

	"github.com/moby/buildkit/frontend/subrequests/convertllb"
	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"
)

// ConvertLLB converts a Dockerfile and returns its LLB in a readable form, keyed
// by vertex. It fails as Convert does.
func ConvertLLB(ctx context.Context, dt []byte, opt Options) (*convertllb.Result, error) {
	converted, err := Convert(ctx, dt, opt)
	if err != nil {
		return nil, err
	}
	def, err := converted.State().Marshal(ctx)
	if err != nil {
		return nil, err
	}
	res := &convertllb.Result{
		Def:      make(map[digest.Digest]*pb.Op, len(def.Def)),
		Metadata: def.Metadata,
		Source:   def.Source,
	}
	for _, dt := range def.Def {
		var op pb.Op
		if err := op.UnmarshalVT(dt); err != nil {
			return nil, err
		}
		res.Def[digest.FromBytes(dt)] = &op
	}
	return res, nil
}
