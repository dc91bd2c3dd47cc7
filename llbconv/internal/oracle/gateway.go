package oracle

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

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

// Gateway is a fake daemon as a frontend sees it. It solves single sources: local
// ones have a package.json and the case's .dockerignore; what a URL serves is a tar archive if the URL ends
// in .tar, else text. A git repository has a commit of lastChange, a URL was last
// modified then, unless it contains "undated", and has a digest if it contains "known". The inputs "in" and "img" are what
// contexts of the form "input:NAME" refer to.
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
	id := op.GetSource().GetIdentifier()
	res := client.NewResult()
	switch {
	case strings.HasPrefix(id, "local://"):
		files := filesystem{"package.json": []byte(manifest)}
		if g.c.Dockerignore != "" {
			files[".dockerignore"] = []byte(g.c.Dockerignore)
		}
		res.SetRef(files)
	case strings.HasPrefix(id, "http"):
		res.SetRef(filesystem{op.GetSource().Attrs[pb.AttrHTTPFilename]: served(id)})
	default:
		return nil, fmt.Errorf("the fake gateway cannot solve %s", id)
	}
	return res, nil
}

// manifest is in every build context.
const manifest = `{"name": "app", "version": "1.0.0", "dependencies": {"express": "^4.18.0"}}`

// lastChange is when everything that has a date was changed.
var lastChange = time.Unix(1_600_000_000, 0).UTC()

// served is what a URL serves.
func served(url string) []byte {
	if !strings.HasSuffix(url, ".tar") {
		return []byte("text")
	}
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for i, name := range []string{"old", "new"} {
		// Writing to memory cannot fail, and the header is valid.
		_ = w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: 4, ModTime: lastChange.Add(time.Duration(i) * time.Hour)})
		_, _ = w.Write([]byte("text"))
	}
	_ = w.Close()
	return b.Bytes()
}

// ResolveSourceMetadata implements client.Client.
func (g *Gateway) ResolveSourceMetadata(_ context.Context, op *pb.SourceOp, opt sourceresolver.Opt) (*sourceresolver.MetaResponse, error) {
	id := op.Identifier
	md := &sourceresolver.MetaResponse{Op: op}
	switch {
	case strings.Contains(id, "missing"):
		return nil, fmt.Errorf("%s: not found", id)
	case strings.HasPrefix(id, "git://"):
		md.Git = &sourceresolver.ResolveGitResponse{}
		if opt.GitOpt != nil && opt.GitOpt.ReturnObject {
			who := fmt.Sprintf("A <a@b> %d +0000", lastChange.Unix())
			md.Git.CommitObject = fmt.Appendf(nil, "tree %040d\nauthor %s\ncommitter %s\n\nmessage\n", 1, who, who)
		}
	case strings.HasPrefix(id, "http"):
		md.HTTP = &sourceresolver.ResolveHTTPResponse{}
		if strings.Contains(id, "known") {
			md.HTTP.Digest = digest.FromBytes(served(id))
		}
		if !strings.Contains(id, "undated") {
			md.HTTP.LastModified = &lastChange
		}
	}
	return md, nil
}

// NewContainer implements client.Client.
func (g *Gateway) NewContainer(context.Context, client.NewContainerRequest) (client.Container, error) {
	return nil, errors.New("the fake gateway has no containers")
}

// Warn implements client.Client.
func (g *Gateway) Warn(context.Context, digest.Digest, string, client.WarnOpts) error { return nil }

// filesystem is a result's files by name.
type filesystem map[string][]byte

func (f filesystem) ToState() (llb.State, error)    { return llb.Scratch(), nil }
func (f filesystem) Evaluate(context.Context) error { return nil }

func (f filesystem) ReadFile(_ context.Context, req client.ReadRequest) ([]byte, error) {
	dt, ok := f[req.Filename]
	if !ok {
		return nil, fmt.Errorf("%s: no such file", req.Filename)
	}
	if r := req.Range; r != nil {
		dt = dt[min(r.Offset, len(dt)):]
		if r.Length > 0 {
			dt = dt[:min(r.Length, len(dt))]
		}
	}
	return dt, nil
}

func (f filesystem) StatFile(_ context.Context, req client.StatRequest) (*fstypes.Stat, error) {
	dt, ok := f[req.Path]
	if !ok {
		return nil, fmt.Errorf("%s: no such file", req.Path)
	}
	return stat(req.Path, dt), nil
}

// ReadDir lists the only directory that there is.
func (f filesystem) ReadDir(_ context.Context, req client.ReadDirRequest) ([]*fstypes.Stat, error) {
	if path.Clean("/"+req.Path) != "/" {
		return nil, fmt.Errorf("%s: no such directory", req.Path)
	}
	var out []*fstypes.Stat
	for _, name := range slices.Sorted(maps.Keys(f)) {
		out = append(out, stat(name, f[name]))
	}
	return out, nil
}

func stat(name string, dt []byte) *fstypes.Stat {
	return &fstypes.Stat{Path: name, Size: int64(len(dt)), Mode: 0o644}
}
