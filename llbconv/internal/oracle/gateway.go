package oracle

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/gateway/client"
	gwpb "github.com/moby/buildkit/frontend/gateway/pb"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/apicaps"
	apicapspb "github.com/moby/buildkit/util/apicaps/pb"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	fstypes "github.com/tonistiigi/fsutil/types"
)

// Gateway is a fake daemon as a frontend sees it. It solves the loading of
// .dockerignore files and knows the inputs "in" (a filesystem) and "img" (one with
// a config in its metadata), which contexts of the form "input:NAME" refer to.
type Gateway struct {
	Images
	c *Case
}

// NewGateway returns the daemon that a case is built with.
func NewGateway(c *Case) *Gateway { return &Gateway{c: c, Images: Images{Delay: c.LookupTime}} }

var _ client.Client = (*Gateway)(nil)

// Caps returns the capabilities of the daemon.
func (c *Case) Caps() apicaps.CapSet {
	var has []*apicapspb.APICap
	for _, id := range pb.Caps.All() {
		if !c.lacks(id.ID) {
			has = append(has, id)
		}
	}
	return pb.Caps.CapSet(has)
}

// BuildOpts implements client.Client.
func (g *Gateway) BuildOpts() client.BuildOpts {
	attrs := maps.Clone(g.c.Attrs)
	if attrs == nil {
		attrs = map[string]string{}
	}
	return client.BuildOpts{
		Opts:      attrs,
		SessionID: "session",
		Workers:   []client.WorkerInfo{{Platforms: []ocispecs.Platform{{OS: "linux", Architecture: "amd64"}, {OS: "linux", Architecture: "arm64"}}}},
		LLBCaps:   g.c.Caps(),
		Caps:      gwpb.Caps.CapSet(gwpb.Caps.All()),
	}
}

// Inputs implements client.Client.
func (g *Gateway) Inputs(context.Context) (map[string]llb.State, error) {
	st := llb.Image("docker.io/library/input@" + digest.FromString("input").String())
	return map[string]llb.State{"in": st, "img": st}, nil
}

// Solve implements client.Client for the sources that dockerui reads itself.
func (g *Gateway) Solve(_ context.Context, req client.SolveRequest) (*client.Result, error) {
	if req.Definition == nil || len(req.Definition.Def) == 0 {
		return nil, errors.New("the fake gateway solves local sources only")
	}
	var op pb.Op
	if err := op.UnmarshalVT(req.Definition.Def[0]); err != nil {
		return nil, err
	}
	src := op.GetSource()
	if src == nil || !strings.HasPrefix(src.Identifier, "local://") {
		return nil, fmt.Errorf("the fake gateway cannot solve %s", src.GetIdentifier())
	}
	res := client.NewResult()
	res.SetRef(file(g.c.Dockerignore))
	return res, nil
}

// ResolveSourceMetadata implements client.Client; nothing has metadata.
func (g *Gateway) ResolveSourceMetadata(_ context.Context, op *pb.SourceOp, _ sourceresolver.Opt) (*sourceresolver.MetaResponse, error) {
	return nil, fmt.Errorf("%s: not found", op.Identifier)
}

// NewContainer implements client.Client.
func (g *Gateway) NewContainer(context.Context, client.NewContainerRequest) (client.Container, error) {
	return nil, errors.New("the fake gateway has no containers")
}

// Warn implements client.Client.
func (g *Gateway) Warn(context.Context, digest.Digest, string, client.WarnOpts) error { return nil }

// file is a filesystem in which only .dockerignore can be read.
type file string

func (f file) ToState() (llb.State, error)    { return llb.Scratch(), nil }
func (f file) Evaluate(context.Context) error { return nil }

func (f file) ReadFile(_ context.Context, req client.ReadRequest) ([]byte, error) {
	if req.Filename != ".dockerignore" || f == "" {
		return nil, fmt.Errorf("%s: no such file", req.Filename)
	}
	dt := []byte(f)
	if r := req.Range; r != nil {
		dt = dt[min(r.Offset, len(dt)):]
		if r.Length > 0 {
			dt = dt[:min(r.Length, len(dt))]
		}
	}
	return dt, nil
}

func (f file) StatFile(_ context.Context, req client.StatRequest) (*fstypes.Stat, error) {
	if req.Path != ".dockerignore" || f == "" {
		return nil, fmt.Errorf("%s: no such file", req.Path)
	}
	return &fstypes.Stat{Path: req.Path, Size: int64(len(f))}, nil
}

func (f file) ReadDir(context.Context, client.ReadDirRequest) ([]*fstypes.Stat, error) {
	return nil, errors.New("the fake gateway lists no directories")
}
