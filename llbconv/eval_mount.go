package llbconv

import (
	"os"
	"path"
	"path/filepath"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/system"
	"github.com/pkg/errors"
)

// cacheDir is the directory that a cache mount with an owner or mode starts from.
const cacheDir = "/cache"

// mounts evaluates the --mount flags of a RUN.
func (e *stageEval) mounts(cmd command, c *instructions.RunCommand, op *runOp) error {
	for i, m := range instructions.GetMounts(c) {
		var err error
		switch m.Type {
		case instructions.MountTypeSecret:
			err = e.secretMount(c, m, op)
		case instructions.MountTypeSSH:
			err = e.sshMount(c, m, op)
		case instructions.MountTypeBind, instructions.MountTypeCache, instructions.MountTypeTmpfs:
			err = e.fileMount(m, cmd.sources[i], op)
		default:
			err = errors.Errorf("unsupported mount type %q", m.Type)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// fileMount evaluates a bind, cache or tmpfs mount.
func (e *stageEval) fileMount(m *instructions.Mount, src *stage, op *runOp) error {
	isCache, isTmpfs := m.Type == instructions.MountTypeCache, m.Type == instructions.MountTypeTmpfs
	named := m.From != "" || isCache // otherwise the build context
	if named && src != nil && e.all.evaluated[src] == nil {
		from := m.From
		if from == "" {
			from = scratchName // there can be a stage of that name
		}
		return errors.Errorf("cannot mount from stage %q to %q, stage needs to be defined before current command", from, m.Target)
	}
	target, err := e.mountTarget(m.Target)
	if err != nil {
		return err
	}
	out := runMount{target: target, readonly: m.ReadOnly}
	if !m.ReadOnly && m.Type == instructions.MountTypeBind {
		out.noOutput = e.c.supports(pb.CapExecMountBindReadWriteNoOutput)
	}
	switch {
	case isTmpfs:
		out.tmpfs, out.size = true, m.SizeLimit
	case named:
		out.source.stage = src
	default:
		out.source.context = true
	}
	if isCache {
		out.cacheID, out.sharing = e.cacheID(m), cacheSharing(m.CacheSharing)
	}
	if p := path.Join("/", m.Source); p != "/" {
		out.selector = p
	} else if m.UID != nil || m.GID != nil || m.Mode != nil {
		out.source.owner = newCacheOwner(m)
		out.selector = cacheDir
	}
	if !named { // also for tmpfs, as docker/dockerfile does: it is part of the context's vertex
		e.s.context.Add(m.Source)
	} else if src != nil {
		src.used.Add(m.Source)
	}
	op.mounts = append(op.mounts, out)
	return nil
}

// mountTarget makes a mount's target absolute.
func (e *stageEval) mountTarget(target string) (string, error) {
	if !system.IsAbsolutePath(filepath.Clean(target)) {
		target = filepath.Join("/", e.dir, target)
	}
	if target == "/" {
		return "", errors.Errorf("invalid mount target %q", target)
	}
	return target, nil
}

// cacheID is the identity of a cache mount on the builder: what the build calls
// its namespace, and the id, by default the target as written.
func (e *stageEval) cacheID(m *instructions.Mount) string {
	id := m.CacheID
	if id == "" {
		id = path.Clean(m.Target)
	}
	return e.c.opt.Config.CacheIDNamespace + "/" + id
}

func cacheSharing(mode instructions.ShareMode) pb.CacheSharingOpt {
	switch mode {
	case instructions.MountSharingPrivate:
		return pb.CacheSharingOpt_PRIVATE
	case instructions.MountSharingLocked:
		return pb.CacheSharingOpt_LOCKED
	case instructions.MountSharingShared:
	}
	return pb.CacheSharingOpt_SHARED // the parser lets nothing else through
}

func newCacheOwner(m *instructions.Mount) *cacheOwner {
	o := &cacheOwner{mode: 0o755}
	if m.UID != nil {
		o.uid = int(*m.UID)
	}
	if m.GID != nil {
		o.gid = int(*m.GID)
	}
	if m.Mode != nil {
		o.mode = os.FileMode(*m.Mode)
	}
	return o
}

// secretMount evaluates a secret: a file, a variable or both.
func (e *stageEval) secretMount(c *instructions.RunCommand, m *instructions.Mount, op *runOp) error {
	windows := e.s.platform.OS == "windows"
	target := m.Target
	if windows {
		target = system.ToSlash(target, "windows")
	}
	id := m.CacheID
	if m.Source != "" {
		id = m.Source
	}
	if id == "" {
		if target == "" {
			return errors.New("one of source, target required")
		}
		id = path.Base(target)
	}
	if windows && target != "" && !system.IsAbs(target, "windows") {
		return errors.Errorf("secret target %q must be an absolute path with forward slashes on Windows, e.g. --mount=type=secret,id=%s,target=C:/path/to/secret", target, id)
	}
	out := runSecret{id: id, env: m.Env, optional: !m.Required}
	if target == "" && m.Env == nil {
		if windows {
			return errors.Errorf("secret target is required on Windows, e.g. --mount=type=secret,id=%s,target=C:/path/to/secret", id)
		}
		target = "/run/secrets/" + path.Base(id)
	}
	if target != "" {
		out.target = &target
	}
	out.uid, out.gid, out.mode = ownership(m, 0o400)
	op.secrets = append(op.secrets, out)
	e.s.secrets = append(e.s.secrets, outlineRef{name: id, required: m.Required, location: c.Location()})
	return nil
}

// sshMount evaluates a forwarded agent.
func (e *stageEval) sshMount(c *instructions.RunCommand, m *instructions.Mount, op *runOp) error {
	if m.Source != "" {
		return errors.New("ssh does not support source")
	}
	out := runSSH{id: m.CacheID, target: m.Target, optional: !m.Required}
	out.uid, out.gid, out.mode = ownership(m, 0o600)
	op.ssh = append(op.ssh, out)
	name := m.CacheID
	if name == "" {
		name = "default"
	}
	e.s.ssh = append(e.s.ssh, outlineRef{name: name, required: m.Required, location: c.Location()})
	return nil
}

// ownership returns what a mount says of its file's owner and mode.
func ownership(m *instructions.Mount, defaultMode uint32) (uid, gid, mode uint32) {
	mode = defaultMode
	if m.UID != nil {
		uid = uint32(*m.UID)
	}
	if m.GID != nil {
		gid = uint32(*m.GID)
	}
	if m.Mode != nil {
		mode = uint32(*m.Mode)
	}
	return uid, gid, mode
}
