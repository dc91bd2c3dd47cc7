package llbconv

import (
	"fmt"
	"slices"
	"strings"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"

	"github.com/cachewright/cachewright/llbconv/internal/vertex"
)

// run makes the vertex of a RUN.
func (e *emitter) run(s *step, d *decision, op *runOp, base llb.Output) stepVertices {
	exec := &vertex.Exec{Op: &pb.ExecOp{
		Meta: &pb.Meta{
			Args:                      op.args,
			Env:                       op.env,
			Cwd:                       op.dir,
			User:                      op.user,
			Hostname:                  e.c.opt.Config.Hostname,
			RemoveMountStubsRecursive: true,
		},
		Network:  op.network,
		Security: op.security,
	}}
	v := vertex.New(exec, s.name(), pb.CapExecMetaBase)
	v.Platform = s.stage.root.platform
	v.Meta.Description[keyCommand] = op.source
	v.Meta.IgnoreCache = s.stage.noCache
	e.locate(v, s.cmd.Location())
	if e.setsPath {
		v.Needs(pb.CapExecMetaSetsDefaultPath)
	}
	if op.network != pb.NetMode_UNSET {
		v.Needs(pb.CapExecMetaNetwork)
	}
	if op.security == pb.SecurityMode_INSECURE {
		v.Needs(pb.CapExecMetaSecurity)
	}
	e.applyRule(v, exec, s, d)
	e.fileMounts(v, exec, op, base)
	setContentBase(v, exec, d)
	secretMounts(v, exec, op)
	sshMounts(v, exec, op)
	e.setDefaultPath(exec.Op.Meta)
	e.buildSettings(v, exec, op)
	return stepVertices{op: v}
}

// setDefaultPath gives a command without PATH one, on a daemon that does not do so
// itself. As in llb, it is the build's target that decides which.
func (e *emitter) setDefaultPath(meta *pb.Meta) {
	os := e.c.targetPlatform.OS
	if !e.lacksPath || os == "windows" || hasPrefix(meta.Env, "PATH=") {
		return
	}
	meta.Env = append(slices.Clip(meta.Env), defaultPath(os))
}

// buildSettings applies what the build, not the Dockerfile, says about RUN steps.
// Settings that an old daemon does not know are left out, as docker/dockerfile does.
func (e *emitter) buildSettings(v *vertex.Vertex, exec *vertex.Exec, op *runOp) {
	cfg, meta := &e.c.opt.Config, exec.Op.Meta
	if p := e.c.proxy; p != nil {
		meta.ProxyEnv = &pb.ProxyEnv{
			HttpProxy: p.HTTPProxy, HttpsProxy: p.HTTPSProxy, FtpProxy: p.FTPProxy, NoProxy: p.NoProxy, AllProxy: p.AllProxy,
		}
		v.Needs(pb.CapExecMetaProxy)
	}
	for _, h := range cfg.ExtraHosts {
		meta.ExtraHosts = append(meta.ExtraHosts, &pb.HostIP{Host: h.Host, IP: h.IP.String()})
	}
	if len(cfg.Ulimits) > 0 && e.c.supports(pb.CapExecMetaUlimit) {
		meta.Ulimit = cfg.Ulimits
		v.Needs(pb.CapExecMetaUlimit)
	}
	if cfg.CgroupParent != "" && e.c.supports(pb.CapExecMetaCgroupParent) {
		meta.CgroupParent = cfg.CgroupParent
	}
	if cfg.LinuxResources != nil && e.c.supports(pb.CapExecMetaLinuxResources) {
		v.Meta.LinuxResources = cfg.LinuxResources
		v.Needs(pb.CapExecMetaLinuxResources)
	}
	if devices := append(cfg.Devices[:len(cfg.Devices):len(cfg.Devices)], op.devices...); len(devices) > 0 && e.c.supports(pb.CapExecMetaCDI) {
		exec.Op.CdiDevices = devices
		v.Needs(pb.CapExecMetaCDI)
	}
}

// fileMounts adds the root, the mounts with files, and the shared memory that
// the build asks for.
func (e *emitter) fileMounts(v *vertex.Vertex, exec *vertex.Exec, op *runOp, base llb.Output) {
	exec.Mounts = append(exec.Mounts, vertex.Mount{Mount: &pb.Mount{Dest: pb.RootMount}, Input: base})
	for _, m := range op.mounts {
		exec.Mounts = append(exec.Mounts, e.fileMount(m))
	}
	if size := e.c.opt.Config.ShmSize; size > 0 && e.c.supports(pb.CapExecMountTmpfsSize) {
		exec.Mounts = append(exec.Mounts, e.fileMount(runMount{target: "/dev/shm", tmpfs: true, size: size}))
	}
	exec.SortMounts()
	for _, m := range exec.Mounts {
		if m.Mount.Selector != "" {
			v.Needs(pb.CapExecMountSelector)
		}
		switch {
		case m.Mount.CacheOpt != nil:
			v.Needs(pb.CapExecMountCache, pb.CapExecMountCacheSharing)
		case m.Mount.TmpfsOpt != nil:
			v.Needs(pb.CapExecMountTmpfs)
			if m.Mount.TmpfsOpt.Size > 0 {
				v.Needs(pb.CapExecMountTmpfsSize)
			}
		case m.Input != nil:
			v.Needs(pb.CapExecMountBind)
		}
	}
}

func (e *emitter) fileMount(m runMount) vertex.Mount {
	out := vertex.Mount{
		Mount: &pb.Mount{Dest: m.target, Selector: m.selector, Readonly: m.readonly},
		Input: e.mountInput(m.source),
	}
	if m.noOutput || m.readonly || m.tmpfs || m.cacheID != "" {
		out.Mount.Output = int64(pb.SkipOutput)
	}
	if m.cacheID != "" {
		out.Mount.MountType = pb.MountType_CACHE
		out.Mount.CacheOpt = &pb.CacheOpt{ID: m.cacheID, Sharing: m.sharing}
	}
	if m.tmpfs {
		out.Mount.MountType = pb.MountType_TMPFS
		out.Mount.TmpfsOpt = &pb.TmpfsOpt{Size: m.size}
	}
	return out
}

// mountInput returns the filesystem that a mount starts from; nil is an empty one.
func (e *emitter) mountInput(src mountSource) llb.Output {
	var out llb.Output
	switch {
	case src.context:
		out = e.context
	case src.stage != nil:
		out = e.stages[src.stage].out
	case src.script != nil:
		out = inline(src.script)
	}
	if o := src.owner; o != nil {
		v := vertex.NewFile(&vertex.File{Base: out, Actions: []vertex.Action{{
			Action: &pb.FileAction_Mkdir{Mkdir: &pb.FileActionMkDir{
				Path:      cacheDir,
				Mode:      int32(o.mode & 0o777),
				Owner:     &pb.ChownOpt{User: userID(o.uid), Group: userID(o.gid)},
				Timestamp: -1,
			}},
		}}}, "[internal] setting cache mount permissions")
		out = v.Output()
	}
	return out
}

func userID(id int) *pb.UserOpt {
	return &pb.UserOpt{User: &pb.UserOpt_ByID{ByID: uint32(id)}}
}

func secretMounts(v *vertex.Vertex, exec *vertex.Exec, op *runOp) {
	for _, s := range op.secrets {
		v.Needs(pb.CapExecMountSecret)
		if s.env != nil {
			v.Needs(pb.CapExecSecretEnv)
			exec.Op.Secretenv = append(exec.Op.Secretenv, &pb.SecretEnv{ID: s.id, Name: *s.env, Optional: s.optional})
		}
		if s.target != nil {
			exec.Extra = append(exec.Extra, &pb.Mount{
				Input:     int64(pb.Empty),
				Dest:      *s.target,
				MountType: pb.MountType_SECRET,
				SecretOpt: &pb.SecretOpt{ID: s.id, Uid: s.uid, Gid: s.gid, Mode: s.mode, Optional: s.optional},
			})
		}
	}
}

// sshMounts adds agent sockets and, where the step has not set it, the variable
// that points programs at the first.
func sshMounts(v *vertex.Vertex, exec *vertex.Exec, op *runOp) {
	const socketVar = "SSH_AUTH_SOCK="
	for i, s := range op.ssh {
		v.Needs(pb.CapExecMountSSH)
		target := s.target
		if target == "" {
			target = fmt.Sprintf("/run/buildkit/ssh_agent.%d", i)
		}
		exec.Extra = append(exec.Extra, &pb.Mount{
			Input:     int64(pb.Empty),
			Dest:      target,
			MountType: pb.MountType_SSH,
			SSHOpt:    &pb.SSHOpt{ID: s.id, Uid: s.uid, Gid: s.gid, Mode: s.mode, Optional: s.optional},
		})
		if i == 0 && !hasPrefix(op.env, socketVar) {
			exec.Op.Meta.Env = append(exec.Op.Meta.Env, socketVar+target)
		}
	}
}

func hasPrefix(list []string, prefix string) bool {
	for _, s := range list {
		if strings.HasPrefix(s, prefix) {
			return true
		}
	}
	return false
}
