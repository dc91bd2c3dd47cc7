package frontend

import (
	"context"

	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/errdefs"
	digest "github.com/opencontainers/go-digest"
	"github.com/pkg/errors"

	"github.com/cachewright/cachewright/cachepolicy/record"
	"github.com/cachewright/cachewright/frontend/recorder"
	"github.com/cachewright/cachewright/llbconv"
)

// learn waits for the result of a build that was just recorded and, if a step
// fails, has the record say so: what failed or was not reached is no hit later. The
// error itself is the daemon's to report, when it asks for the result. Of several
// platforms one that waits would keep the others' errors back, so then the record
// takes all steps for built.
//
// It returns an error of its own where a rule names files that are not there: the
// daemon's speaks of a checksum.
func (b *build) learn(ctx context.Context, def *llbconv.Definition, ref client.Reference, e *explanation) error {
	recorded := e != nil && e.buildID != ""
	if ref == nil || b.ui.MultiPlatformRequested || !recorded && !def.KeysFiles() {
		return nil
	}
	err := ref.Evaluate(ctx)
	var vertex *errdefs.VertexError
	if err == nil || ctx.Err() != nil || !errors.As(err, &vertex) {
		return nil
	}
	failed := digest.Digest(vertex.Digest)
	if step, ok := def.StepOf(failed); ok && recorded {
		b.recordFailure(ctx, e, step)
	}
	return def.MissingKey(failed)
}

// recordFailure has the record say that a step of a recorded build failed.
func (b *build) recordFailure(ctx context.Context, e *explanation, step int) {
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
