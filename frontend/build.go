package frontend

import (
	"context"
	"fmt"
	"time"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/identity"
)

// Build is the frontend's gateway function (client.BuildFunc): it takes the
// gateway connection of one build and returns the build's result, or the first
// error with the Dockerfile position it belongs to as errdefs.Source.
func Build(ctx context.Context, c client.Client) (*client.Result, error) {
	b, err := newBuild(c)
	if err != nil {
		return nil, err
	}
	requested, err := parseCaps(b.opts()["frontend.caps"])
	if err != nil {
		return nil, err
	}
	if b.src, err = b.ui.ReadEntrypoint(ctx, language); err != nil {
		return nil, err
	}
	if to, ok := b.syntax(); ok {
		return b.forward(ctx, to)
	}
	if requested.missing != nil {
		return nil, requested.missing
	}
	answer := b.solve
	if _, ok := b.opts()[keyRequestID]; ok {
		answer = b.subrequest
	}
	res, err := answer(ctx)
	return res, b.withSource(err)
}

// language is the name that BuildKit knows the source language by.
const language = "Dockerfile"

// build is one build: the connection, its options and contexts, the Dockerfile.
type build struct {
	client client.Client
	ui     *dockerui.Client
	src    *dockerui.Source
	start  time.Time
	nonce  string // tells the build from all others
	self   *llb.State
	mounts *sharedMounts
	record *sharedRecord
}

func newBuild(c client.Client) (*build, error) {
	own := self(c)
	c = newImageResolver(c)
	ui, err := dockerui.NewClient(fileReader{c})
	if err != nil {
		return nil, err
	}
	b := &build{client: c, ui: ui, start: time.Now(), nonce: identity.NewID(), self: own}
	b.mounts, b.record = &sharedMounts{b: b}, &sharedRecord{b: b}
	return b, nil
}

// opts returns the frontend options as the client sent them. They are shared
// and not to be modified.
func (b *build) opts() map[string]string { return b.ui.BuildOpts().Opts }

// tell has the client show a warning that is about no line of the Dockerfile.
func (b *build) tell(ctx context.Context, format string, args ...any) {
	b.src.Warn(ctx, fmt.Sprintf(format, args...), client.WarnOpts{Level: 1})
}

// loadIgnoreFile begins to read .dockerignore, which every conversion asks for
// once it has looked up its images: by then it is there. The function that it
// returns ends that. An error is that of the conversion, which asks again.
func (b *build) loadIgnoreFile(ctx context.Context) (end func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = b.ui.DockerIgnorePatterns(ctx)
	}()
	return func() {
		cancel()
		<-done
	}
}

// solve builds every platform and attaches their SBOMs.
func (b *build) solve(ctx context.Context) (*client.Result, error) {
	defer b.loadIgnoreFile(ctx)()
	scanner, err := b.scanner(ctx)
	if err != nil {
		return nil, err
	}
	built, err := b.platforms(ctx)
	if err != nil {
		return nil, err
	}
	b.tellForgotten(ctx, built.platforms)
	if err := b.learn(ctx, built.platforms); err != nil {
		return nil, err
	}
	b.record.tellMissing(ctx, built.platforms)
	if scanner != nil {
		if err := b.attachSBOMs(ctx, built, scanner); err != nil {
			return nil, err
		}
	}
	res, err := built.rb.Finalize()
	if err != nil {
		return nil, err
	}
	addSummary(res, built.platforms)
	carry(res, b.mounts.save(ctx, built.platforms))
	carry(res, b.record.save(ctx, built.platforms))
	return res, addExplanations(res, built.platforms)
}
