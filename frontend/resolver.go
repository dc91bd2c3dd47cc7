package frontend

import (
	"context"
	"encoding/json"

	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/flightcontrol"
	digest "github.com/opencontainers/go-digest"
)

// imageResolver is a gateway client that looks up each image and each other source
// once per build: stages and platforms that ask for the same one in the same way
// share one lookup, and get the same answer.
type imageResolver struct {
	client.Client
	lookups flightcontrol.CachedGroup[*imageConfig]
	sources flightcontrol.CachedGroup[*sourceresolver.MetaResponse]
}

type imageConfig struct {
	ref    string
	digest digest.Digest
	config []byte
}

func newImageResolver(c client.Client) *imageResolver {
	return &imageResolver{Client: c}
}

// ResolveImageConfig implements client.Client. Of the options all but the name
// in the progress output make a lookup different from another.
func (r *imageResolver) ResolveImageConfig(ctx context.Context, ref string, opt sourceresolver.Opt) (string, digest.Digest, []byte, error) {
	how := opt
	how.LogName = ""
	key, err := json.Marshal(struct {
		Ref string
		Opt sourceresolver.Opt
	}{ref, how})
	if err != nil {
		return "", "", nil, err
	}
	img, err := r.lookups.Do(ctx, string(key), func(ctx context.Context) (*imageConfig, error) {
		ref, dgst, config, err := r.Client.ResolveImageConfig(ctx, ref, opt)
		if err != nil {
			return nil, err
		}
		return &imageConfig{ref, dgst, config}, nil
	})
	if err != nil {
		return "", "", nil, err
	}
	return img.ref, img.digest, img.config, nil
}

// ResolveSourceMetadata implements client.Client. The answer is shared and not to
// be modified. Of the options all but the name in the progress output make a
// lookup different from another.
func (r *imageResolver) ResolveSourceMetadata(ctx context.Context, op *pb.SourceOp, opt sourceresolver.Opt) (*sourceresolver.MetaResponse, error) {
	how := opt
	how.LogName = ""
	key, err := json.Marshal(struct {
		Op  *pb.SourceOp
		Opt sourceresolver.Opt
	}{op, how})
	if err != nil {
		return nil, err
	}
	return r.sources.Do(ctx, string(key), func(ctx context.Context) (*sourceresolver.MetaResponse, error) {
		return r.Client.ResolveSourceMetadata(ctx, op, opt)
	})
}
