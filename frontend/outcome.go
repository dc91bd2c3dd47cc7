package frontend

import (
	"context"
	"sync"

	"github.com/moby/buildkit/solver/errdefs"
	digest "github.com/opencontainers/go-digest"
	"github.com/pkg/errors"

	"github.com/cachewright/cachewright/cachepolicy/record"
	"github.com/cachewright/cachewright/frontend/recorder"
)

// learn waits for the results of builds that have steps of which nobody knows a
// result, and has the record note what became of them: a step counts as built only
// if that is known. It waits for all platforms at once, and for none any longer when
// one has failed, so that the daemon reports that error, whose it is, without delay.
//
// It returns an error of its own where a rule names files that are not there: the
// daemon's speaks of a checksum.
func (b *build) learn(ctx context.Context, platforms []platformBuild) error {
	type outcome struct {
		platform *platformBuild
		err      error
	}
	outcomes := make(chan outcome, len(platforms))
	waiting := 0
	for i := range platforms {
		p := &platforms[i]
		if p.ref != nil && (p.isNew() || p.definition.KeysFiles()) {
			waiting++
			go func() { outcomes <- outcome{p, p.ref.Evaluate(ctx)} }()
		}
	}
	var noting sync.WaitGroup
	defer noting.Wait()
	for range waiting {
		o := <-outcomes
		if ctx.Err() != nil {
			return nil
		}
		if results := o.platform.results(o.err); results != nil {
			noting.Go(func() { b.note(ctx, o.platform, results) })
		}
		if o.err != nil {
			failed, _ := failedVertex(o.err)
			return o.platform.definition.MissingKey(failed)
		}
	}
	return nil
}

// isNew reports whether the build has steps of which nobody knows a result.
func (p *platformBuild) isNew() bool { return p.explanation != nil && len(p.explanation.keys) > 0 }

// failedVertex returns the operation that an error is about, if it says so.
func failedVertex(err error) (digest.Digest, bool) {
	var vertex *errdefs.VertexError
	if !errors.As(err, &vertex) {
		return "", false
	}
	return digest.Digest(vertex.Digest), true
}

// results returns what became of the steps, or nil if that cannot be told.
func (p *platformBuild) results(err error) []record.Result {
	if !p.isNew() {
		return nil
	}
	if err == nil {
		return record.Succeeded(p.explanation.Plan)
	}
	if failed, ok := failedVertex(err); ok {
		if step, ok := p.definition.StepOf(failed); ok {
			return record.Failed(p.explanation.Plan, step)
		}
	}
	return nil
}

// note has the record note results. Equal builds ask the same, so that the builder has
// the answer. Without one, the steps count as not finished.
func (b *build) note(ctx context.Context, p *platformBuild, results []record.Result) {
	req := &recorder.Request{Version: recorder.Version, Mode: recorder.ModeResults, Record: record.Name(), Keys: p.explanation.keys, Results: results}
	_, _, _ = b.ask(ctx, req, nil, "record what was built")
}
