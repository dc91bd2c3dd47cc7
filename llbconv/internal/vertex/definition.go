package vertex

import (
	"bytes"
	"context"
	"maps"
	"slices"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"
)

// Encoded is a graph in the form that the daemon takes.
type Encoded struct {
	// PB is the definition.
	PB *pb.Definition

	ops map[llb.Vertex]encodedOp
}

type encodedOp struct {
	digest digest.Digest
	bytes  []byte
}

// Digest returns the digest of a vertex in the definition, empty if it is not in it.
func (e *Encoded) Digest(v llb.Vertex) digest.Digest { return e.ops[v].digest }

// Bytes returns a vertex as it is in the definition, nil if it is not in it.
func (e *Encoded) Bytes(v llb.Vertex) []byte { return e.ops[v].bytes }

// Encode encodes a filesystem with all that leads to it: what
// llb.State.Marshal(ctx, opts...).ToPB() returns, without the copies of all metadata
// that llb makes on the way. The state's defaults are not used to say where source
// files come from. A nil out is an empty filesystem; vertices is about how many there
// are. It fails if a vertex cannot be encoded; an error about the
// Dockerfile carries its position as *parser.LocationError.
func Encode(ctx context.Context, out llb.Output, vertices int, defaults, opts []llb.ConstraintsOpt) (*Encoded, error) {
	c := llb.NewConstraints(slices.Concat(defaults, opts)...)
	if out == nil || out.Vertex(ctx, c) == nil {
		return &Encoded{PB: &pb.Definition{}}, nil
	}
	w := walk{
		ctx:         ctx,
		constraints: c,
		ops:         make(map[llb.Vertex]encodedOp, vertices),
		order:       make([]llb.Vertex, 0, vertices),
	}
	w.visit(out.Vertex(ctx, c))
	d := newDefinition(len(w.order))
	for _, v := range w.order {
		dgst, dt, meta, locations, err := v.Marshal(ctx, c)
		if err != nil {
			return nil, err
		}
		w.ops[v] = encodedOp{dgst, dt}
		d.add(string(dgst), dt, meta, locations)
	}
	in, err := out.ToInput(ctx, c)
	if err != nil {
		return nil, err
	}
	if err := d.finish(in); err != nil {
		return nil, err
	}
	return &Encoded{PB: d.pb, ops: w.ops}, d.describeSources(ctx, opts)
}

// walk lists vertices, inputs first.
type walk struct {
	ctx         context.Context
	constraints *llb.Constraints
	ops         map[llb.Vertex]encodedOp // those visited
	order       []llb.Vertex
}

func (w *walk) visit(v llb.Vertex) {
	if _, seen := w.ops[v]; seen {
		return
	}
	w.ops[v] = encodedOp{} // vertices cannot need each other in a circle
	for _, in := range v.Inputs() {
		w.visit(in.Vertex(w.ctx, w.constraints))
	}
	w.order = append(w.order, v)
}

// definition is a definition in the making.
type definition struct {
	pb      *pb.Definition
	sources []*llb.SourceMap // in the order of pb.Source.Infos
}

func newDefinition(vertices int) *definition {
	return &definition{pb: &pb.Definition{
		Def:      make([][]byte, 0, vertices+1),
		Metadata: make(map[string]*pb.OpMetadata, vertices+1),
		Source:   &pb.Source{Locations: make(map[string]*pb.Locations, vertices)},
	}}
}

// add appends an operation. Of two vertices that are the same operation the
// metadata and positions are joined.
func (d *definition) add(dgst string, dt []byte, meta *pb.OpMetadata, at []*llb.SourceLocation) {
	locations, again := d.pb.Source.Locations[dgst]
	if !again {
		d.pb.Def = append(d.pb.Def, dt)
		locations = &pb.Locations{}
		d.pb.Source.Locations[dgst] = locations
	}
	for _, l := range at {
		locations.Locations = append(locations.Locations, &pb.Location{SourceIndex: d.sourceIndex(l.SourceMap), Ranges: l.Ranges})
	}
	switch before := d.pb.Metadata[dgst]; {
	case meta == nil:
	case before == nil:
		d.pb.Metadata[dgst] = meta
	default:
		d.pb.Metadata[dgst] = joinMetadata(before, meta)
	}
}

// joinMetadata returns the metadata of one operation that two vertices describe:
// where they differ, the later one's.
func joinMetadata(before, after *pb.OpMetadata) *pb.OpMetadata {
	joined := before.CloneVT() // it may be a vertex's own
	joined.IgnoreCache = before.IgnoreCache || after.IgnoreCache
	joined.Description = union(joined.Description, after.Description)
	joined.Caps = union(joined.Caps, after.Caps)
	if after.ExportCache != nil {
		joined.ExportCache = after.ExportCache
	}
	if after.ProgressGroup != nil {
		joined.ProgressGroup = after.ProgressGroup
	}
	if after.LinuxResources != nil {
		joined.LinuxResources = after.LinuxResources
	}
	return joined
}

// union adds the entries of b to a and returns it; a may be nil.
func union[V any](a, b map[string]V) map[string]V {
	if a == nil {
		return maps.Clone(b)
	}
	maps.Copy(a, b)
	return a
}

// finish appends the terminal operation, which points at the result.
func (d *definition) finish(result *pb.Input) error {
	dt, err := (&pb.Op{Inputs: []*pb.Input{result}}).MarshalVT()
	if err != nil {
		return err
	}
	caps := map[string]bool{string(pb.CapConstraints): true, string(pb.CapPlatform): true}
	for _, m := range d.pb.Metadata {
		if m.IgnoreCache {
			caps[string(pb.CapMetaIgnoreCache)] = true
		}
		if m.Description != nil {
			caps[string(pb.CapMetaDescription)] = true
		}
		if m.ExportCache != nil {
			caps[string(pb.CapMetaExportCache)] = true
		}
	}
	d.pb.Def = append(d.pb.Def, dt)
	d.pb.Metadata[string(Digest(dt))] = &pb.OpMetadata{Caps: caps}
	return nil
}

// sourceIndex returns the number of a source file in the definition, which the
// first vertex from that file adds.
func (d *definition) sourceIndex(sm *llb.SourceMap) int32 {
	i := slices.IndexFunc(d.sources, func(known *llb.SourceMap) bool { return known == sm || sameSource(known, sm) })
	if i < 0 {
		i = len(d.sources)
		d.sources = append(d.sources, sm)
	}
	return int32(i)
}

// sameSource reports whether two source maps are of the same file.
func sameSource(a, b *llb.SourceMap) bool {
	if a.Filename != b.Filename || a.Language != b.Language || !bytes.Equal(a.Data, b.Data) {
		return false
	}
	if a.Definition == nil || b.Definition == nil {
		return true
	}
	defA, defB := a.Definition.Def, b.Definition.Def
	return len(defA) == len(defB) && (len(defA) == 0 || bytes.Equal(defA[len(defA)-1], defB[len(defB)-1]))
}

// describeSources adds the source files, each with where it comes from.
func (d *definition) describeSources(ctx context.Context, opts []llb.ConstraintsOpt) error {
	for _, sm := range d.sources {
		info := &pb.SourceInfo{Data: sm.Data, Filename: sm.Filename, Language: sm.Language}
		def := sm.Definition
		if def == nil && sm.State != nil {
			var err error
			if def, err = sm.State.Marshal(ctx, opts...); err != nil {
				return err
			}
		}
		if def != nil {
			info.Definition = def.ToPB()
		}
		d.pb.Source.Infos = append(d.pb.Source.Infos, info)
	}
	return nil
}
