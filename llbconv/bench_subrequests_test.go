package llbconv_test

import (
	"context"
	"errors"
	"testing"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerfile/dockerfile2llb"

	"github.com/cachewright/cachewright/llbconv"
)

// BenchmarkSubrequest answers a subrequest about stages that each read from the two
// before: the ways from one to another are exponentially many, and upstream's
// outline follows them all, so that it gets few stages only.
func BenchmarkSubrequest(b *testing.B) {
	few, many := []byte(shapes["diamonds"](24)), []byte(shapes["diamonds"](200))
	b.Run("outline-of-24-diamonds/ours", func(b *testing.B) { bench(b, outlineOurs, few) })
	b.Run("outline-of-24-diamonds/upstream", func(b *testing.B) { bench(b, outlineUpstream, few) })
	b.Run("outline-of-200-diamonds/ours", func(b *testing.B) { bench(b, outlineOurs, many) })
	b.Run("lint-of-200-diamonds/ours", func(b *testing.B) { bench(b, lintOurs, many) })
	b.Run("lint-of-200-diamonds/upstream", func(b *testing.B) { bench(b, lintUpstream, many) })
}

func outlineOurs(dt []byte) error {
	_, err := llbconv.Outline(context.Background(), dt, benchOptions(dt))
	return err
}

func outlineUpstream(dt []byte) error {
	_, err := dockerfile2llb.Dockerfile2Outline(context.Background(), dt, upstreamOptions(dt))
	return err
}

func lintOurs(dt []byte) error {
	if res := llbconv.Lint(context.Background(), dt, benchOptions(dt)); res.Error != nil {
		return errors.New(res.Error.Message)
	}
	return nil
}

func lintUpstream(dt []byte) error {
	res, err := dockerfile2llb.DockerfileLint(context.Background(), dt, upstreamOptions(dt))
	if err != nil {
		return err
	}
	if res.Error != nil {
		return errors.New(res.Error.Message)
	}
	return nil
}

// benchOptions are the options of all benchmarks.
func benchOptions(dt []byte) llbconv.Options {
	return llbconv.Options{MetaResolver: images, Caps: &allCaps, SourceMap: benchSource(dt), Warn: ignoreWarning}
}

// upstreamOptions are the same for upstream's converter.
func upstreamOptions(dt []byte) dockerfile2llb.ConvertOpt {
	return dockerfile2llb.ConvertOpt{MetaResolver: images, LLBCaps: &allCaps, SourceMap: benchSource(dt), Warn: ignoreWarning}
}

func benchSource(dt []byte) *llb.SourceMap {
	sm := llb.NewSourceMap(nil, "Dockerfile", "Dockerfile", dt)
	sm.Definition = &llb.Definition{} // lint wants one
	return sm
}
