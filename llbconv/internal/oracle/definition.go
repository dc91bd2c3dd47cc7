package oracle

import (
	"context"
	"errors"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"
	"google.golang.org/protobuf/proto"

	"github.com/cachewright/cachewright/llbconv"
)

// definer marshals a result without llb.
type definer func(context.Context, ...llb.ConstraintsOpt) (*pb.Definition, error)

// define returns what marshals a result of this project's converter.
func define(res *llbconv.Result) definer {
	return func(ctx context.Context, opts ...llb.ConstraintsOpt) (*pb.Definition, error) {
		def, err := res.Definition(ctx, opts...)
		if err != nil {
			return nil, err
		}
		return def.PB, nil
	}
}

// checkDefinition fails if a result's own definition is not the one that llb makes
// of its state.
func checkDefinition(ctx context.Context, define definer, st llb.State) error {
	id := llb.LocalUniqueID("unique")
	want, err := st.Marshal(ctx, id)
	if err != nil {
		return err
	}
	got, err := define(ctx, id)
	if err != nil {
		return err
	}
	if !proto.Equal(got, want.ToPB()) {
		return errors.New("the result's definition differs from its state's")
	}
	return nil
}
