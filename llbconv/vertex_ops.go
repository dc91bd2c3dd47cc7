package llbconv

import (
	"slices"
	"strings"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"
	"github.com/pkg/errors"
)

// execOp runs a command in a filesystem. Its mounts are in order of target, with
// the root among them.
type execOp struct {
	exec   *pb.ExecOp // complete but for its mounts
	mounts []execMount
	extra  []*pb.Mount  // secrets and sockets, which have no input
	keys   []llb.Output // more inputs, which are in the key and not in the container
}

// execMount is a mount with a filesystem, as opposed to a secret or socket.
type execMount struct {
	mount *pb.Mount
	input llb.Output
}

// sortMounts brings file mounts into the order that llb gives them.
func (o *execOp) sortMounts() {
	slices.SortStableFunc(o.mounts, func(a, b execMount) int {
		return strings.Compare(a.mount.Dest, b.mount.Dest)
	})
}

func (o *execOp) appendInputs(to []llb.Output) []llb.Output {
	to = slices.Grow(to, len(o.mounts)+len(o.keys))
	for _, m := range o.mounts {
		to = append(to, m.input)
	}
	return append(to, o.keys...)
}

func (o *execOp) validate() error {
	if len(o.exec.Meta.Args) == 0 {
		return errors.New("arguments are required")
	}
	return nil
}

func (o *execOp) marshal(msg *message) {
	mounts := make([]*pb.Mount, 0, len(o.mounts)+len(o.extra))
	outputs := int64(0)
	for i, m := range o.mounts {
		m.mount.Input = msg.index[i]
		if m.mount.Output != int64(pb.SkipOutput) {
			m.mount.Output = outputs
			outputs++
		}
		mounts = append(mounts, m.mount)
	}
	o.exec.Mounts = append(mounts, o.extra...)
	msg.op.Op = &pb.Op_Exec{Exec: o.exec}
}

// fileOp is a chain of file actions, each on top of the one before.
type fileOp struct {
	base    llb.Output
	actions []fileAction
	keys    []llb.Output // more inputs, which are in the key and not in the files
}

// fileAction is one action; source is what a copy reads from.
type fileAction struct {
	action pb.IsFileAction
	owner  *pb.ChownOpt
	source llb.Output
	copies bool
}

func (o *fileOp) appendInputs(to []llb.Output) []llb.Output {
	to = append(slices.Grow(to, 1+len(o.actions)+len(o.keys)), o.base)
	for _, a := range o.actions {
		if a.copies {
			to = append(to, a.source)
		}
	}
	return append(to, o.keys...)
}

func (o *fileOp) validate() error { return nil }

func (o *fileOp) marshal(m *message) {
	base, next := m.index[0], 1
	for len(m.actions) < len(o.actions) {
		m.actions = append(m.actions, &pb.FileAction{})
	}
	for i, a := range o.actions {
		fa := m.actions[i]
		fa.Input, fa.SecondaryInput, fa.Output, fa.Action = base, int64(pb.Empty), int64(pb.SkipOutput), a.action
		if i > 0 {
			fa.Input = int64(len(m.op.Inputs) + i - 1) // the result of the action before
		}
		if a.copies {
			fa.SecondaryInput = m.index[next]
			next++
		}
		if i == len(o.actions)-1 {
			fa.Output = 0
		}
		setOwnerInput(a.owner, base)
	}
	m.file.Actions = m.actions[:len(o.actions)]
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

// mergeOp puts filesystems on top of each other.
type mergeOp struct {
	layers []llb.Output
}

func (o *mergeOp) appendInputs(to []llb.Output) []llb.Output { return append(to, o.layers...) }

func (o *mergeOp) validate() error { return nil }

func (o *mergeOp) marshal(m *message) {
	merge := &pb.MergeOp{Inputs: make([]*pb.MergeInput, len(m.index))}
	inputs := make([]*pb.Input, len(m.index)) // one for each layer, also where two are the same
	for i, at := range m.index {
		merge.Inputs[i] = &pb.MergeInput{Input: int64(i)}
		inputs[i] = m.op.Inputs[at]
	}
	m.op.Inputs = inputs
	m.op.Op = &pb.Op_Merge{Merge: merge}
}
