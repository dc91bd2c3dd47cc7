package frontend_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/gateway/client"
	gwpb "github.com/moby/buildkit/frontend/gateway/pb"
	"github.com/moby/buildkit/solver/errdefs"
	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	fstypes "github.com/tonistiigi/fsutil/types"
)

// fakeGateway is a gateway that answers from memory and writes down what it was
// asked, so that two frontends can be compared without a daemon. It builds
// nothing: what a definition makes is checked against a real daemon elsewhere.
type fakeGateway struct {
	client.Client // what is not implemented here panics

	opts   map[string]string
	inputs map[string]llb.State
	// locals are the files of the client's directories, by name and path.
	locals map[string]map[string]string
	// urls are the bodies that http sources serve.
	urls map[string]string
	// images are configs by reference; every other image has a plain one.
	images map[string]string
	// sources are the answers about git and http sources, by identifier.
	sources map[string]*sourceresolver.MetaResponse
	// onLookup is called at the start of every image lookup.
	onLookup func(ctx context.Context, ref string) error
	// onFile is called at the start of every question about a file of a reference.
	onFile func(ctx context.Context, path string) error
	// onResolve is told the options of every image lookup.
	onResolve func(sourceresolver.Opt)

	mu       sync.Mutex
	solves   []client.SolveRequest
	lookups  []string
	warnings []string
}

// plainImage returns the config of an image that exists for every platform.
func plainImage(opt *sourceresolver.ResolveImageOpt) string {
	arch := "amd64"
	if opt != nil && opt.Platform != nil {
		arch = opt.Platform.Architecture
	}
	return fmt.Sprintf(`{"architecture":%q,"os":"linux","config":{"Env":["PATH=/bin"],"Cmd":["sh"]},"rootfs":{"type":"layers","diff_ids":["sha256:aa"]}}`, arch)
}

func (g *fakeGateway) BuildOpts() client.BuildOpts {
	return client.BuildOpts{
		Opts:      g.opts,
		SessionID: "session",
		Workers:   []client.WorkerInfo{{Platforms: []ocispecs.Platform{{OS: "linux", Architecture: "amd64"}}}},
		LLBCaps:   pb.Caps.CapSet(pb.Caps.All()),
		Caps:      gwpb.Caps.CapSet(gwpb.Caps.All()),
	}
}

func (g *fakeGateway) Inputs(context.Context) (map[string]llb.State, error) { return g.inputs, nil }

func (g *fakeGateway) Warn(_ context.Context, _ digest.Digest, msg string, opts client.WarnOpts) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	dt, err := json.Marshal(opts)
	g.warnings = append(g.warnings, msg+" "+string(dt))
	return err
}

func (g *fakeGateway) ResolveImageConfig(ctx context.Context, ref string, opt sourceresolver.Opt) (string, digest.Digest, []byte, error) {
	g.mu.Lock()
	g.lookups = append(g.lookups, ref+" "+opt.LogName)
	g.mu.Unlock()
	if g.onResolve != nil {
		g.onResolve(opt)
	}
	if g.onLookup != nil {
		if err := g.onLookup(ctx, ref); err != nil {
			return "", "", nil, err
		}
	}
	if strings.Contains(ref, "missing") {
		return "", "", nil, fmt.Errorf("%s: not found", ref)
	}
	config, ok := g.images[ref]
	if !ok {
		config = plainImage(opt.ImageOpt)
	}
	return ref, digest.FromString(ref), []byte(config), nil
}

func (g *fakeGateway) ResolveSourceMetadata(ctx context.Context, op *pb.SourceOp, opt sourceresolver.Opt) (*sourceresolver.MetaResponse, error) {
	if md, ok := g.sources[op.Identifier]; ok {
		return md, nil
	}
	ref, isImage := strings.CutPrefix(op.Identifier, "docker-image://")
	if !isImage {
		return &sourceresolver.MetaResponse{Op: op}, nil
	}
	_, dgst, config, err := g.ResolveImageConfig(ctx, ref, opt)
	if err != nil {
		return nil, err
	}
	op.Identifier += "@" + dgst.String()
	return &sourceresolver.MetaResponse{Op: op, Image: &sourceresolver.ResolveImageResponse{Digest: dgst, Config: config}}, nil
}

// Solve returns a reference that holds the files of the definition's source.
func (g *fakeGateway) Solve(_ context.Context, req client.SolveRequest) (*client.Result, error) {
	g.mu.Lock()
	g.solves = append(g.solves, req.Clone())
	g.mu.Unlock()
	res := client.NewResult()
	if req.Frontend != "" {
		if strings.Contains(req.FrontendOpt["source"], "missing") {
			return nil, fmt.Errorf("%s: not found", req.FrontendOpt["source"])
		}
		if strings.Contains(req.FrontendOpt["source"], "failing") {
			return nil, errdefs.WithSource(fmt.Errorf("line 1 is wrong"), &errdefs.Source{Info: &pb.SourceInfo{Filename: "Dockerfile"}})
		}
		res.AddMeta("forwarded", []byte(req.FrontendOpt["source"]))
		return res, nil
	}
	if len(req.Definition.Def) == 0 { // scratch
		return res, nil
	}
	files, err := g.files(req.Definition)
	if err != nil {
		return nil, err
	}
	res.SetRef(fakeRef{files: files, onFile: g.onFile})
	return res, nil
}

// files returns what the definition's only source holds, or nil.
func (g *fakeGateway) files(def *pb.Definition) (map[string]string, error) {
	var op pb.Op
	if err := op.UnmarshalVT(def.Def[0]); err != nil {
		return nil, err
	}
	src := op.GetSource()
	if src == nil {
		return nil, nil
	}
	if name, ok := strings.CutPrefix(src.Identifier, "local://"); ok {
		return g.locals[name], nil
	}
	return map[string]string{src.Attrs[pb.AttrHTTPFilename]: g.urls[src.Identifier]}, nil
}

// fakeRef is the result of a solve: files in memory.
type fakeRef struct {
	client.Reference
	files  map[string]string
	onFile func(ctx context.Context, path string) error
}

func (r fakeRef) ReadFile(ctx context.Context, req client.ReadRequest) ([]byte, error) {
	if r.onFile != nil {
		if err := r.onFile(ctx, req.Filename); err != nil {
			return nil, err
		}
	}
	body, ok := r.files[req.Filename]
	if !ok {
		return nil, fmt.Errorf("open %s: %w", req.Filename, fs.ErrNotExist)
	}
	if req.Range != nil {
		body = body[req.Range.Offset:min(len(body), req.Range.Offset+req.Range.Length)]
	}
	return []byte(body), nil
}

func (r fakeRef) StatFile(ctx context.Context, req client.StatRequest) (*fstypes.Stat, error) {
	if r.onFile != nil {
		if err := r.onFile(ctx, req.Path); err != nil {
			return nil, err
		}
	}
	body, ok := r.files[req.Path]
	if !ok {
		return nil, fmt.Errorf("stat %s: %w", req.Path, fs.ErrNotExist)
	}
	return &fstypes.Stat{Path: req.Path, Size: int64(len(body))}, nil
}

// outcome is all that can be seen of a frontend's run.
type outcome struct {
	Error    string
	Sources  []string // the lines that the error marks
	Metadata map[string]string
	Refs     []string
	SBOMs    []string
	Warnings []string
	Lookups  []string // images asked for, without repetition
	Solves   []string
}

// run runs a frontend on the gateway.
func (g *fakeGateway) run(ctx context.Context, build client.BuildFunc) outcome {
	g.opts = maps.Clone(g.opts) // a frontend's options are its own
	res, err := build(ctx, g)
	out := outcome{Metadata: map[string]string{}, Warnings: g.warnings}
	if err != nil {
		out.Error = err.Error()
		for _, s := range errdefs.Sources(err) {
			out.Sources = append(out.Sources, fmt.Sprintf("%s %v %q", s.Info.Filename, s.Ranges, s.Info.Data))
		}
	}
	if res != nil {
		for k, v := range res.Metadata {
			out.Metadata[k] = string(v)
		}
		out.Refs = slices.Sorted(maps.Keys(res.Refs))
		for id, atts := range res.Attestations {
			for _, a := range atts {
				out.SBOMs = append(out.SBOMs, fmt.Sprintf("%s %v %s", id, a.Kind, a.Metadata))
			}
		}
	}
	slices.Sort(out.SBOMs)
	slices.Sort(g.lookups)
	out.Lookups = slices.Compact(g.lookups)
	for _, req := range g.solves {
		out.Solves = append(out.Solves, describeSolve(req))
	}
	slices.Sort(out.Solves)
	return out
}

// describeSolve prints a request so that requests for the same thing are equal:
// vertices by digest in order of digest.
func describeSolve(req client.SolveRequest) string {
	var vertices []string
	for _, dt := range req.Definition.GetDef() {
		dgst := digest.FromBytes(dt)
		md := req.Definition.Metadata[string(dgst)]
		vertices = append(vertices, fmt.Sprintf("%s ignore=%t %v", dgst, md.IgnoreCache, md.Description))
	}
	slices.Sort(vertices)
	opts, _ := json.Marshal(req.FrontendOpt)
	return fmt.Sprintf("%s%s inputs=%v evaluate=%t\n%s", req.Frontend, opts,
		slices.Sorted(maps.Keys(req.FrontendInputs)), req.Evaluate, strings.Join(vertices, "\n"))
}
