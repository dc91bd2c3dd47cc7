package frontend

import (
	"bytes"
	"context"
	"slices"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/attestations"
	"github.com/moby/buildkit/frontend/gateway/client"
	gwpb "github.com/moby/buildkit/frontend/gateway/pb"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/solver/result"
	"github.com/moby/buildkit/util/apicaps"
	"github.com/pkg/errors"

	"github.com/cachewright/cachewright/cachepolicy/record"
	"github.com/cachewright/cachewright/frontend/mounts"
	"github.com/cachewright/cachewright/frontend/travel"
)

// What travels with the cache hangs on the build's result as an attestation: the
// daemon exports the results of those to remote caches, like that of the build itself.
// It belongs to no platform, and so to no image.
const carrierKey = "cachewright"

// carrierNeeds are the capabilities without which nothing travels.
var carrierNeeds = []apicaps.CapID{pb.CapExecMetaProxy}

// canImport reports whether something can have come with a cache that the build imports.
func (b *build) canImport() bool {
	caps := b.ui.BuildOpts().LLBCaps
	return len(b.ui.CacheImports) > 0 && b.canRecord() &&
		!slices.ContainsFunc(carrierNeeds, func(id apicaps.CapID) bool { return caps.Supports(id) != nil })
}

// canTravel reports whether something can travel with the build's cache: whether it
// imports one, and has attestations without ours. Whether it exports one, a frontend
// cannot know.
func (b *build) canTravel() bool {
	if !b.canImport() {
		return false
	}
	own, err := attestations.Parse(b.opts())
	if _, ok := own[attestations.KeyTypeProvenance]; err != nil || !ok {
		return false
	}
	caps := b.ui.BuildOpts().Caps
	return caps.Supports(gwpb.CapAttestations) == nil
}

// travelName is a name for what travels of the builds of one file and target.
func (b *build) travelName(what string) string {
	return what + " " + record.Name(b.src.Filename, b.ui.Target, b.opts()["vcs:source"])
}

// carry has the results of some steps travel with the cache.
func carry(res *client.Result, refs []client.Reference) {
	for _, ref := range refs {
		res.AddAttestation(carrierKey, client.Attestation{
			Kind: gwpb.AttestationKind_Bundle,
			Path: "/" + mounts.NoneName, // empty, should somebody look into it
			Ref:  ref,
			Metadata: map[string][]byte{
				result.AttestationReasonKey:     []byte("cachewright"),
				result.AttestationInlineOnlyKey: []byte("true"),
			},
		})
	}
}

// load returns what travelled under a name, and the step that has it; no data if
// nothing did. It returns the step also if that has something else.
func (b *build) load(ctx context.Context, name, title string) (client.Reference, []byte, error) {
	return b.keep(ctx, name, title, nil)
}

// store has data travel under a name, and returns the step that has it. Builds that
// store under one name at the same time may get each other's step: then it tries again,
// and fails in the end.
func (b *build) store(ctx context.Context, name, title string, data []byte) (client.Reference, error) {
	for range 3 {
		ref, kept, err := b.keep(ctx, name, title, data)
		if err != nil || bytes.Equal(kept, data) {
			return ref, err
		}
	}
	return nil, errors.New("other builds save at the same time")
}

// keep runs the step that holds data: its key is the name alone, and the data comes in
// where no key looks. With data, the step runs; without, the newest result counts, from
// this builder or from the caches that the build imports.
func (b *build) keep(ctx context.Context, name, title string, data []byte) (client.Reference, []byte, error) {
	var opts []llb.RunOption
	if data != nil {
		env, err := travel.Pack(data)
		if err != nil {
			return nil, nil, err
		}
		opts = append(opts, llb.IgnoreCache, llb.WithProxy(llb.ProxyEnv{
			HTTPProxy: env[0], HTTPSProxy: env[1], FTPProxy: env[2], NoProxy: env[3], AllProxy: env[4],
		}))
	}
	ref, err := b.solveImported(ctx, b.keepStep(name, title, opts...), true)
	if err != nil {
		return nil, nil, err
	}
	// The cache may have anything in its place.
	kept, err := ref.ReadFile(ctx, client.ReadRequest{Filename: "/" + travel.DataName, Range: &client.FileRange{Length: travel.MaxBytes + 1}})
	if err == nil && len(kept) > travel.MaxBytes {
		err = errors.Errorf("more than %d bytes", travel.MaxBytes)
	}
	return ref, kept, err
}

// keepStep is the step that holds what travels under a name.
func (b *build) keepStep(name, title string, opts ...llb.RunOption) llb.State {
	return b.ownStep(title, []string{"keep", name}, opts...).AddMount(travel.OutDir, llb.Scratch())
}

// solveImported solves a step of this frontend's own, with the build's cache imports.
func (b *build) solveImported(ctx context.Context, st llb.State, evaluate bool) (client.Reference, error) {
	return b.solveState(ctx, st, client.SolveRequest{CacheImports: b.ui.CacheImports, Evaluate: evaluate})
}
