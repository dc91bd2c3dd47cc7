package llbconv

import (
	"slices"
	"strconv"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"

	"github.com/cachewright/cachewright/llbconv/internal/vertex"
)

// SharedMount is a cache mount whose contents travel with the remote cache.
type SharedMount struct {
	// Name tells the mount from others, on every builder alike: its id, with the
	// namespace, and what its directory begins as.
	Name string
	// Steps are the steps that have it, by their index in the plan.
	Steps []int

	mount *pb.Mount
	input llb.Output
}

// RunOption mounts it, as the steps that have it do, at another place.
func (m *SharedMount) RunOption(target string) llb.RunOption {
	opts := []llb.MountOption{llb.AsPersistentCacheDir(m.mount.CacheOpt.ID, llbSharing(m.mount.CacheOpt.Sharing))}
	if m.mount.Selector != "" {
		opts = append(opts, llb.SourcePath(m.mount.Selector))
	}
	return llb.AddMount(target, llb.NewState(m.input), opts...)
}

func llbSharing(s pb.CacheSharingOpt) llb.CacheMountSharingMode {
	switch s {
	case pb.CacheSharingOpt_PRIVATE:
		return llb.CacheMountPrivate
	case pb.CacheSharingOpt_LOCKED:
		return llb.CacheMountLocked
	case pb.CacheSharingOpt_SHARED:
	}
	return llb.CacheMountShared
}

// shares reports whether what is in a mount can travel: whether it is a cache mount
// that begins empty. One that begins with files of an image or stage does not.
func (m *runMount) shares() bool {
	return m.cacheID != "" && m.source.stage == nil && !m.readonly && (m.selector == "" || m.source.owner != nil)
}

// sharesMount reports whether a step has such a mount.
func sharesMount(op stepOp) bool {
	run, ok := op.(*runOp)
	return ok && slices.ContainsFunc(run.mounts, func(m runMount) bool { return m.shares() })
}

// name is the mount's name in SharedMount.
func (m *runMount) name() string {
	out := m.cacheID
	if o := m.source.owner; o != nil {
		out += " " + strconv.Itoa(o.uid) + ":" + strconv.Itoa(o.gid) + " " + strconv.FormatUint(uint64(o.mode), 8)
	}
	return out
}

// SharedMounts returns the cache mounts of the definition's steps whose rule says that
// they travel, each once.
func (d *Definition) SharedMounts() []*SharedMount {
	var out []*SharedMount
	byName := map[string]*SharedMount{}
	for i, s := range d.steps {
		if s.decision == nil || !s.decision.ShareMounts {
			continue
		}
		exec := s.op.Op.(*vertex.Exec)
		for _, m := range s.step.op.(*runOp).mounts {
			if !m.shares() {
				continue
			}
			known := byName[m.name()]
			if known == nil {
				known = newSharedMount(&m, exec)
				byName[known.Name] = known
				out = append(out, known)
			}
			known.Steps = append(known.Steps, i)
		}
	}
	return out
}

// newSharedMount takes a mount of a step as it was emitted.
func newSharedMount(m *runMount, exec *vertex.Exec) *SharedMount {
	i := slices.IndexFunc(exec.Mounts, func(e vertex.Mount) bool { return e.Mount.Dest == m.target })
	return &SharedMount{Name: m.name(), mount: exec.Mounts[i].Mount, input: exec.Mounts[i].Input}
}

// MountsMax returns how many bytes the files of a shared mount have at most.
func (d *Definition) MountsMax() int64 { return d.res.c.rules.overrides.MountsMax }
