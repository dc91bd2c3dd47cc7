package vertex

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"sync"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/apicaps"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/pkg/errors"
	"google.golang.org/protobuf/proto"

	"github.com/cachewright/cachewright/llbconv/internal/position"
)

// KeyName is the description that the daemon shows as a vertex's name.
const KeyName = "llb.customname"

// Vertex is an LLB operation of the converter's own. llb.State could build the
// same ones, but it looks every value up through the whole chain of states that
// led to it, which makes long files quadratic.
type Vertex struct {
	Op Operation
	// Platform is that of an exec or image; nil is the build's default.
	Platform *ocispecs.Platform
	Meta     pb.OpMetadata
	// SourceMap is the Dockerfile and Location the place there; nil without one.
	SourceMap *llb.SourceMap
	Location  []parser.Range
	// CheckText: the Dockerfile has text that is not UTF-8, look for it here.
	CheckText bool

	sharedCaps bool // Meta.Caps is fileCaps

	// The encoded form, for the constraints it was made with.
	mu          sync.Mutex
	constraints *llb.Constraints
	digest      digest.Digest
	bytes       []byte
}

// Operation is what a vertex does: *Exec, *File, *Merge or *Source.
type Operation interface {
	// AppendInputs appends the filesystems it takes to a list; nil is an empty one.
	AppendInputs(to []llb.Output) []llb.Output
	// validate fails if the operation cannot be executed.
	validate() error
	// marshal fills in the operation of a message that has its inputs already.
	marshal(m *message)
}

// message is the memory that it takes to encode a vertex. None of it is part of the
// result, so that one vertex after the other uses the same.
type message struct {
	op          pb.Op
	constraints pb.WorkerConstraints
	inputs      []llb.Output // of the operation
	index       []int64      // for each of inputs its place among op.Inputs, or -1

	fileOp  pb.Op_File // of file operations
	file    pb.FileOp
	actions []*pb.FileAction
}

var messages = sync.Pool{New: func() any { return new(message) }}

var _ llb.Vertex = (*Vertex)(nil)

// New makes a vertex with a progress name and the capabilities it needs.
func New(op Operation, name string, caps ...apicaps.CapID) *Vertex {
	v := &Vertex{Op: op, Meta: pb.OpMetadata{
		Description: map[string]string{KeyName: name},
		Caps:        make(map[string]bool, len(caps)),
	}}
	v.Needs(caps...)
	return v
}

// Needs records capabilities that a vertex depends on.
func (v *Vertex) Needs(ids ...apicaps.CapID) {
	if v.sharedCaps {
		v.Meta.Caps, v.sharedCaps = maps.Clone(v.Meta.Caps), false
	}
	for _, id := range ids {
		v.Meta.Caps[string(id)] = true
	}
}

// fileCaps is what file operations need. They share the set until one needs more.
var fileCaps = map[string]bool{string(pb.CapFileBase): true}

// NewFile is New for a file operation.
func NewFile(op *File, name string) *Vertex {
	return &Vertex{Op: op, sharedCaps: true, Meta: pb.OpMetadata{Description: map[string]string{KeyName: name}, Caps: fileCaps}}
}

// Of returns the converter's own vertex behind an output, and whether it is one.
func Of(out llb.Output) (*Vertex, bool) {
	o, ok := out.(output)
	return o.v, ok
}

// Validate implements llb.Vertex. An error has the vertex's position in the
// Dockerfile as *parser.LocationError.
func (v *Vertex) Validate(context.Context, *llb.Constraints) error {
	return v.located(v.Op.validate())
}

// located attaches the vertex's position in the Dockerfile to an error that has
// none.
func (v *Vertex) located(err error) error {
	if v.SourceMap == nil {
		return err
	}
	return position.With(err, v.Location)
}

// Output implements llb.Vertex.
func (v *Vertex) Output() llb.Output { return output{v} }

// Inputs implements llb.Vertex: the non-empty inputs, in the order in which llb puts
// them into a definition: sources of file operations last first.
func (v *Vertex) Inputs() []llb.Output {
	ins := v.Op.AppendInputs(nil)
	if _, isFile := v.Op.(*File); isFile {
		slices.Reverse(ins[1:])
	}
	return slices.DeleteFunc(ins, func(in llb.Output) bool { return in == nil })
}

// Marshal implements llb.Vertex.
func (v *Vertex) Marshal(ctx context.Context, c *llb.Constraints) (digest.Digest, []byte, *pb.OpMetadata, []*llb.SourceLocation, error) {
	dgst, dt, err := v.encode(ctx, c)
	if err != nil {
		return "", nil, nil, nil, err
	}
	var locations []*llb.SourceLocation
	if v.SourceMap != nil {
		locations = []*llb.SourceLocation{{SourceMap: v.SourceMap, Ranges: position.PB(v.Location)}}
	}
	return dgst, dt, &v.Meta, locations, nil
}

// encode returns the encoded operation and its digest. Every vertex that takes this
// one for an input asks for them, so they are kept until the constraints change.
func (v *Vertex) encode(ctx context.Context, c *llb.Constraints) (digest.Digest, []byte, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.bytes != nil && v.constraints == c {
		return v.digest, v.bytes, nil
	}
	if err := v.Validate(ctx, c); err != nil {
		return "", nil, err
	}
	m := messages.Get().(*message)
	defer messages.Put(m)
	op := &m.op
	m.constraints.Filter = c.WorkerConstraints
	op.Constraints, op.Platform = &m.constraints, nil
	err := v.resolveInputs(ctx, c, m)
	if err != nil {
		return "", nil, v.located(err)
	}
	v.Op.marshal(m)
	switch op.Op.(type) {
	case *pb.Op_Exec, *pb.Op_Source:
		op.Platform = v.opPlatform(c)
	}
	if v.CheckText && (!isText(op) || !isText(&v.Meta)) {
		return "", nil, v.located(ErrNotText)
	}
	if v.bytes, err = op.MarshalVT(); err != nil {
		return "", nil, err
	}
	v.constraints, v.digest = c, Digest(v.bytes)
	return v.digest, v.bytes, nil
}

// Digest is digest.FromBytes with one allocation in place of eight.
func Digest(dt []byte) digest.Digest {
	sum := sha256.Sum256(dt)
	const prefix = "sha256:"
	var text [len(prefix) + 2*sha256.Size]byte
	copy(text[:], prefix)
	hex.Encode(text[len(prefix):], sum[:])
	return digest.Digest(text[:])
}

// ErrNotText is the error about text of the Dockerfile that cannot be encoded.
var ErrNotText = errors.New("text is not valid UTF-8, save the Dockerfile as UTF-8")

// isText reports whether all strings of a message are UTF-8, as they have to be.
// MarshalVT does not look.
func isText(m proto.Message) bool {
	_, err := proto.Marshal(m)
	return err == nil
}

// resolveInputs sets a message's inputs: those of the operation, of which op.Inputs
// has the distinct ones.
func (v *Vertex) resolveInputs(ctx context.Context, c *llb.Constraints, m *message) error {
	type key struct {
		digest string
		index  int64
	}
	m.inputs = v.Op.AppendInputs(m.inputs[:0])
	m.index, m.op.Inputs = m.index[:0], m.op.Inputs[:0]
	known := map[key]int{}
	for _, out := range m.inputs {
		if out == nil {
			m.index = append(m.index, int64(pb.Empty))
			continue
		}
		in, err := out.ToInput(ctx, c)
		if err != nil {
			return err
		}
		k := key{in.Digest, in.Index}
		at, ok := known[k]
		if !ok {
			at = len(m.op.Inputs)
			known[k] = at
			m.op.Inputs = append(m.op.Inputs, in)
		}
		m.index = append(m.index, int64(at))
	}
	return nil
}

func (v *Vertex) opPlatform(c *llb.Constraints) *pb.Platform {
	p := v.Platform
	if p == nil {
		p = c.Platform
	}
	return &pb.Platform{
		OS:           p.OS,
		Architecture: p.Architecture,
		Variant:      p.Variant,
		OSVersion:    p.OSVersion,
		OSFeatures:   p.OSFeatures,
	}
}

// output is the filesystem that a vertex makes.
type output struct {
	v *Vertex
}

// ToInput implements llb.Output.
func (o output) ToInput(ctx context.Context, c *llb.Constraints) (*pb.Input, error) {
	dgst, _, err := o.v.encode(ctx, c)
	if err != nil {
		return nil, err
	}
	return &pb.Input{Digest: string(dgst)}, nil
}

// Vertex implements llb.Output.
func (o output) Vertex(context.Context, *llb.Constraints) llb.Vertex { return o.v }
