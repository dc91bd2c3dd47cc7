package frontend

import (
	"context"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/pb"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/pkg/errors"

	"github.com/cachewright/cachewright/llbconv"
)

// built is the outcome of the platforms' builds.
type built struct {
	rb        *dockerui.ResultBuilder
	platforms []platformBuild // in the order of the option "platform"
}

// platformBuild is what was converted for one platform.
type platformBuild struct {
	id          string // the key of the platform in the result, such as linux/arm64
	converted   *llbconv.Result
	definition  *llbconv.Definition
	ref         client.Reference // nil of an empty result
	explanation *explanation     // nil if there is none
}

// platforms converts the Dockerfile for every platform that was asked for, or
// else for the builder's own, and asks the daemon to solve the outcome, all at
// once.
func (b *build) platforms(ctx context.Context) (*built, error) {
	all := make([]platformBuild, max(1, len(b.ui.TargetPlatforms)))
	// These report findings on the build's own ctx: a platform that fails first
	// cancels that of the others, whose findings must not get lost by that.
	opt := b.options(ctx)
	rb, err := b.ui.Build(ctx, func(ctx context.Context, platform *ocispecs.Platform, i int) (*dockerui.BuildResult, error) {
		res, err := llbconv.Convert(ctx, b.src.Data, forPlatform(opt, platform, i))
		if err != nil {
			return nil, err
		}
		def, err := res.Definition(ctx)
		if err != nil {
			return nil, errors.Wrap(err, "failed to marshal LLB definition")
		}
		why := b.explain(ctx, def)
		b.mounts.restore(ctx, def, why)
		ref, err := b.solveDefinition(ctx, def.PB)
		if err != nil {
			return nil, err
		}
		all[i] = platformBuild{id: platformID(platform), converted: res, definition: def, ref: ref, explanation: why}
		return &dockerui.BuildResult{
			Reference: ref,
			Image:     res.Image,
			BaseImage: res.BaseImage,
			Epoch:     res.Epoch,
		}, nil
	})
	if err != nil {
		return nil, err
	}
	return &built{rb: rb, platforms: all}, nil
}

// forPlatform returns the options of the i-th platform's conversion. The checks
// find the same on every platform, so only the first one's are reported.
func forPlatform(opt llbconv.Options, platform *ocispecs.Platform, i int) llbconv.Options {
	opt.TargetPlatform = platform
	if i > 0 {
		opt.Warn = nil
	}
	opt.Advise = opt.Warn
	return opt
}

// options returns the options of a conversion for the builder's own platform.
func (b *build) options(ctx context.Context) llbconv.Options {
	return llbconv.Options{
		Config:       b.ui.Config,
		Client:       b.ui,
		SourceMap:    b.src.SourceMap,
		MetaResolver: b.client,
		Warn:         b.warn(ctx),
		Now:          b.start,
		Nonce:        b.nonce,
	}
}

// solveDefinition hands a definition to the daemon, with the build's cache imports,
// and returns a reference to the result, which the daemon need not have built yet.
func (b *build) solveDefinition(ctx context.Context, def *pb.Definition) (client.Reference, error) {
	res, err := b.client.Solve(ctx, client.SolveRequest{Definition: def, CacheImports: b.ui.CacheImports})
	if err != nil {
		return nil, err
	}
	return res.SingleRef()
}

// platformID returns the key of a platform in the result; nil is the builder's own.
func platformID(p *ocispecs.Platform) string {
	if p == nil {
		own := platforms.DefaultSpec()
		p = &own
	}
	return platforms.FormatAll(platforms.Normalize(*p))
}
