package llbconv

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
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
)

// vertex is an LLB operation of the converter's own. llb.State could build the
// same ones, but it looks every value up through the whole chain of states that
// led to it, which makes long files quadratic.
type vertex struct {
	op        operation
	platform  *ocispecs.Platform // of an exec or image; nil is the build's default
	meta      pb.OpMetadata
	source    *llb.SourceMap // nil if it has no position
	location  []parser.Range // in source
	checkText bool           // the Dockerfile has text that is not UTF-8, look for it here

	// The marshalled form, for the constraints it was made with.
	mu          sync.Mutex
	constraints *llb.Constraints
	digest      digest.Digest
	bytes       []byte
}

// operation is what a vertex does: *execOp, *fileOp, *mergeOp or *sourceOp.
type operation interface {
	// appendInputs appends the filesystems it takes to a list; nil is an empty one.
	appendInputs(to []llb.Output) []llb.Output
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

var _ llb.Vertex = (*vertex)(nil)

// newVertex makes a vertex with a progress name and the capabilities it needs.
func newVertex(op operation, name string, caps ...apicaps.CapID) *vertex {
	v := &vertex{op: op, meta: pb.OpMetadata{
		Description: map[string]string{keyCustomName: name},
		Caps:        make(map[string]bool, len(caps)),
	}}
	v.needs(caps...)
	return v
}

// needs records capabilities that a vertex depends on.
func (v *vertex) needs(ids ...apicaps.CapID) {
	for _, id := range ids {
		v.meta.Caps[string(id)] = true
	}
}

// fileCaps is what file operations need.
var fileCaps = map[string]bool{string(pb.CapFileBase): true}

// newFileVertex is newVertex for a file operation. All of them need the same, so
// they share the set, which must not be modified.
func newFileVertex(op *fileOp, name string) *vertex {
	return &vertex{op: op, meta: pb.OpMetadata{Description: map[string]string{keyCustomName: name}, Caps: fileCaps}}
}

// Validate implements llb.Vertex. An error has the vertex's position in the
// Dockerfile as *parser.LocationError.
func (v *vertex) Validate(context.Context, *llb.Constraints) error {
	return v.located(v.op.validate())
}

// located attaches the vertex's position in the Dockerfile to an error that has
// none.
func (v *vertex) located(err error) error {
	if v.source == nil {
		return err
	}
	return located(err, v.location)
}

// Output implements llb.Vertex.
func (v *vertex) Output() llb.Output { return vertexOutput{v} }

// Inputs implements llb.Vertex: the non-empty inputs, in the order in which llb puts
// them into a definition: sources of file operations last first.
func (v *vertex) Inputs() []llb.Output {
	ins := v.op.appendInputs(nil)
	if _, isFile := v.op.(*fileOp); isFile {
		slices.Reverse(ins[1:])
	}
	return slices.DeleteFunc(ins, func(in llb.Output) bool { return in == nil })
}

// Marshal implements llb.Vertex.
func (v *vertex) Marshal(ctx context.Context, c *llb.Constraints) (digest.Digest, []byte, *pb.OpMetadata, []*llb.SourceLocation, error) {
	dgst, dt, err := v.encode(ctx, c)
	if err != nil {
		return "", nil, nil, nil, err
	}
	var locations []*llb.SourceLocation
	if v.source != nil {
		locations = []*llb.SourceLocation{{SourceMap: v.source, Ranges: PBRanges(v.location)}}
	}
	return dgst, dt, &v.meta, locations, nil
}

// encode returns the marshalled operation and its digest.
func (v *vertex) encode(ctx context.Context, c *llb.Constraints) (digest.Digest, []byte, error) {
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
	v.op.marshal(m)
	switch op.Op.(type) {
	case *pb.Op_Exec, *pb.Op_Source:
		op.Platform = v.opPlatform(c)
	}
	if v.checkText && (!isText(op) || !isText(&v.meta)) {
		return "", nil, v.located(errNotText)
	}
	if v.bytes, err = op.MarshalVT(); err != nil {
		return "", nil, err
	}
	v.constraints, v.digest = c, digestOf(v.bytes)
	return v.digest, v.bytes, nil
}

// digestOf is digest.FromBytes with one allocation in place of eight.
func digestOf(dt []byte) digest.Digest {
	sum := sha256.Sum256(dt)
	const prefix = "sha256:"
	var text [len(prefix) + 2*sha256.Size]byte
	copy(text[:], prefix)
	hex.Encode(text[len(prefix):], sum[:])
	return digest.Digest(text[:])
}

var errNotText = errors.New("text is not valid UTF-8, save the Dockerfile as UTF-8")

// isText tells whether all strings of a message are UTF-8, as they have to be.
// MarshalVT does not look.
func isText(m proto.Message) bool {
	_, err := proto.Marshal(m)
	return err == nil
}

// resolveInputs sets a message's inputs: those of the operation, of which op.Inputs
// has the distinct ones.
func (v *vertex) resolveInputs(ctx context.Context, c *llb.Constraints, m *message) error {
	type key struct {
		digest string
		index  int64
	}
	m.inputs = v.op.appendInputs(m.inputs[:0])
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

func (v *vertex) opPlatform(c *llb.Constraints) *pb.Platform {
	p := v.platform
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

// vertexOutput is the filesystem that a vertex makes.
type vertexOutput struct {
	v *vertex
}

// ToInput implements llb.Output.
func (o vertexOutput) ToInput(ctx context.Context, c *llb.Constraints) (*pb.Input, error) {
	dgst, _, err := o.v.encode(ctx, c)
	if err != nil {
		return nil, err
	}
	return &pb.Input{Digest: string(dgst)}, nil
}

// Vertex implements llb.Output.
func (o vertexOutput) Vertex(context.Context, *llb.Constraints) llb.Vertex { return o.v }
