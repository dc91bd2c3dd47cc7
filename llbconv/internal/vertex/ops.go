package vertex

import (
	"slices"
	"strings"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"
	"github.com/pkg/errors"
)

// Exec runs a command in a filesystem. Its mounts are in order of target, with
// the root among them.
type Exec struct {
	Op     *pb.ExecOp // complete but for its mounts
	Mounts []Mount
	Extra  []*pb.Mount  // secrets and sockets, which have no input
	Keys   []llb.Output // more inputs, which are in the key and not in the container
}

// Mount is a mount with a filesystem, as opposed to a secret or socket.
type Mount struct {
	Mount *pb.Mount
	Input llb.Output // nil is an empty one
}

// SortMounts brings file mounts into the order that llb gives them.
func (o *Exec) SortMounts() {
	slices.SortStableFunc(o.Mounts, func(a, b Mount) int {
		return strings.Compare(a.Mount.Dest, b.Mount.Dest)
	})
}

// AppendInputs implements Operation.
func (o *Exec) AppendInputs(to []llb.Output) []llb.Output {
	to = slices.Grow(to, len(o.Mounts)+len(o.Keys))
	for _, m := range o.Mounts {
		to = append(to, m.Input)
	}
	return append(to, o.Keys...)
}

func (o *Exec) validate() error {
	if len(o.Op.Meta.Args) == 0 {
		return errors.New("arguments are required")
	}
	return nil
}

func (o *Exec) marshal(msg *message) {
	mounts := make([]*pb.Mount, 0, len(o.Mounts)+len(o.Extra))
	outputs := int64(0)
	for i, m := range o.Mounts {
		m.Mount.Input = msg.index[i]
		if m.Mount.Output != int64(pb.SkipOutput) {
			m.Mount.Output = outputs
			outputs++
		}
		mounts = append(mounts, m.Mount)
	}
	o.Op.Mounts = append(mounts, o.Extra...)
	msg.op.Op = &pb.Op_Exec{Exec: o.Op}
}

// File is a chain of file actions, each on top of the one before.
type File struct {
	Base    llb.Output // nil is an empty filesystem
	Actions []Action
	Keys    []llb.Output // more inputs, which are in the key and not in the files
}

// Action is one action of a File.
type Action struct {
	Action pb.IsFileAction
	Owner  *pb.ChownOpt // indexes of named owners are filled in
	Source llb.Output   // nil is an empty filesystem
	Copies bool         // it is a copy, from Source
}

// AppendInputs implements Operation.
func (o *File) AppendInputs(to []llb.Output) []llb.Output {
	to = append(slices.Grow(to, 1+len(o.Actions)+len(o.Keys)), o.Base)
	for _, a := range o.Actions {
		if a.Copies {
			to = append(to, a.Source)
		}
	}
	return append(to, o.Keys...)
}

func (o *File) validate() error { return nil }

func (o *File) marshal(m *message) {
	base, next := m.index[0], 1
	for len(m.actions) < len(o.Actions) {
		m.actions = append(m.actions, &pb.FileAction{})
	}
	for i, a := range o.Actions {
		fa := m.actions[i]
		fa.Input, fa.SecondaryInput, fa.Output, fa.Action = base, int64(pb.Empty), int64(pb.SkipOutput), a.Action
		if i > 0 {
			fa.Input = int64(len(m.op.Inputs) + i - 1) // the result of the action before
		}
		if a.Copies {
			fa.SecondaryInput = m.index[next]
			next++
		}
		if i == len(o.Actions)-1 {
			fa.Output = 0
		}
		setOwnerInput(a.Owner, base)
	}
	m.file.Actions = m.actions[:len(o.Actions)]
	m.fileOp.File = &m.file
	m.op.Op = &m.fileOp
}

// setOwnerInput says which input's user database named owners are looked up in.
func setOwnerInput(owner *pb.ChownOpt, base int64) {
	if owner == nil {
		return
	}
	for _, u := range []*pb.UserOpt{owner.User, owner.Group} {
		if name := u.GetByName(); name != nil {
			name.Input = base
		}
	}
}

// Merge puts filesystems on top of each other.
type Merge struct {
	Layers []llb.Output
}

// AppendInputs implements Operation.
func (o *Merge) AppendInputs(to []llb.Output) []llb.Output { return append(to, o.Layers...) }

func (o *Merge) validate() error { return nil }

func (o *Merge) marshal(m *message) {
	merge := &pb.MergeOp{Inputs: make([]*pb.MergeInput, len(m.index))}
	inputs := make([]*pb.Input, len(m.index)) // one for each layer, also where two are the same
	for i, at := range m.index {
		merge.Inputs[i] = &pb.MergeInput{Input: int64(i)}
		inputs[i] = m.op.Inputs[at]
	}
	m.op.Inputs = inputs
	m.op.Op = &pb.Op_Merge{Merge: merge}
}

// Source is something that is fetched.
type Source struct {
	Op *pb.SourceOp
}

// AppendInputs implements Operation.
func (o *Source) AppendInputs(to []llb.Output) []llb.Output { return to }

func (o *Source) validate() error { return nil }

func (o *Source) marshal(m *message) { m.op.Op = &pb.Op_Source{Source: o.Op} }
