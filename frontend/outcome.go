package frontend

import (
	"context"
	"errors"

	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/errdefs"
	digest "github.com/opencontainers/go-digest"

	"github.com/cachewright/cachewright/cachepolicy/record"
	"github.com/cachewright/cachewright/frontend/recorder"
	"github.com/cachewright/cachewright/llbconv"
)

// learn waits for the result of a build that was just recorded and, if a step
// fails, has the record say so: what failed or was not reached is no hit later. The
// error itself is the daemon's to report, when it asks for the result. Of several
// platforms one that waits would keep the others' errors back, so then the record
// takes all steps for built.
func (b *build) learn(ctx context.Context, def *llbconv.Definition, ref client.Reference, e *explanation) {
	if e == nil || e.buildID == "" || ref == nil || b.ui.MultiPlatformRequested {
		return
	}
	err := ref.Evaluate(ctx)
	var vertex *errdefs.VertexError
	if err == nil || ctx.Err() != nil || !errors.As(err, &vertex) {
		return
	}
	step, ok := def.StepOf(digest.Digest(vertex.Digest))
	if !ok {
		return
	}
	// Without an answer the record takes the steps for built.
	_, _ = b.ask(ctx, &recorder.Request{
		Version: recorder.Version,
		Mode:    recorder.ModeResults,
		Record:  e.record,
		BuildID: e.buildID,
		Results: record.Failed(e.Plan, step),
		Nonce:   b.nonce,
	}, nil, "record the failure")
}
