package llbconv

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/solver/pb"

	"github.com/cachewright/cachewright/cachepolicy"
	"github.com/cachewright/cachewright/cachepolicy/cacheplan"
	"github.com/cachewright/cachewright/llbconv/internal/vertex"
)

// run collects what a RUN is keyed by.
func (k *stepKey) run(op *runOp) {
	k.command(documents(k.step.cmd), nil)
	if p := k.stage.root.platform; p != nil {
		k.add(cachepolicy.NewInput(cachepolicy.InputPlatform, "platform", platforms.FormatAll(*p), k.w.platformOrigin(k.stage.stage)))
	}
	if shell := strings.Join(op.shell, " "); shell != "/bin/sh -c" {
		k.setting(cachepolicy.InputShell, "shell", shell)
	}
	k.place(cachepolicy.InputWorkdir, op.dir, k.step.dirFrom)
	if op.user != "" {
		k.place(cachepolicy.InputUser, op.user, k.step.userFrom)
	}
	k.variables(op.vars.vars())
	for _, m := range op.mounts {
		k.mount(m)
	}
	for _, s := range op.secrets {
		k.setting(cachepolicy.InputSecret, s.id, secretText(s))
	}
	for i, s := range op.ssh {
		k.setting(cachepolicy.InputSSH, cmp.Or(s.id, "default"), sshText(s, i))
	}
	k.runOptions(op)
}

// documents are the contents of a RUN's heredocs.
func documents(cmd instructions.Command) []string {
	c, ok := cmd.(*instructions.RunCommand)
	if !ok {
		return nil
	}
	var out []string
	for _, f := range c.Files {
		out = append(out, f.Data)
	}
	return out
}

func secretText(s runSecret) string {
	var parts []string
	if s.target != nil {
		parts = append(parts, fmt.Sprintf("%s mode %04o owner %d:%d", *s.target, s.mode, s.uid, s.gid))
	}
	if s.env != nil {
		parts = append(parts, "as $"+*s.env)
	}
	if s.optional {
		parts = append(parts, "optional")
	}
	return strings.Join(parts, ", ")
}

func sshText(s runSSH, number int) string {
	text := fmt.Sprintf("%s mode %04o owner %d:%d", cmp.Or(s.target, fmt.Sprintf("default socket %d", number)), s.mode, s.uid, s.gid)
	if s.optional {
		text += ", optional"
	}
	return text
}

// runOptions adds what differs from the usual way to run a command.
func (k *stepKey) runOptions(op *runOp) {
	cfg := &k.w.c.opt.Config
	switch network := strings.ToLower(op.network.String()); {
	case op.network == pb.NetMode_UNSET:
	case op.ownNetwork:
		k.setting(cachepolicy.InputOption, "network", network)
	default:
		k.option("network", network)
	}
	if op.security != pb.SecurityMode_SANDBOX {
		k.setting(cachepolicy.InputOption, "security", strings.ToLower(op.security.String()))
	}
	for _, d := range op.devices {
		k.setting(cachepolicy.InputOption, "device "+d.Name, deviceText(d))
	}
	for _, d := range cfg.Devices {
		k.optionOf("device", "device "+d.Name, deviceText(d))
	}
	for _, u := range cfg.Ulimits {
		k.optionOf("ulimit", "ulimit "+u.Name, fmt.Sprintf("%d:%d", u.Soft, u.Hard))
	}
	for _, h := range cfg.ExtraHosts { // the address is not in the key
		k.optionOf("add-host", "add-host "+h.Host, "given")
	}
	k.option("cgroup-parent", cfg.CgroupParent)
	if _, byArg := cfg.BuildArgs[argHostname]; byArg {
		k.input(cachepolicy.InputOption, "hostname", cfg.Hostname, cachepolicy.Origin{Kind: cachepolicy.OriginBuildArg})
	} else {
		k.option("hostname", cfg.Hostname)
	}
	if cfg.ShmSize > 0 {
		k.option("shm-size", strconv.FormatInt(cfg.ShmSize, 10))
	}
}

func deviceText(d *pb.CDIDevice) string {
	if d.Optional {
		return "optional"
	}
	return "required"
}

// mount adds a mount, and the files that count where it has some.
func (k *stepKey) mount(m runMount) {
	k.setting(cachepolicy.InputMount, m.target, mountText(m))
	switch {
	case m.source.context && !m.tmpfs:
		k.files("", []string{contextPath(m.selector)}, nil, false)
	case m.source.stage != nil:
		k.taken(m.source.stage, []string{contextPath(m.selector)}, nil, k.mountBy(m.target), "--mount "+m.target)
	}
}

// mountBy returns what of the filesystem behind a mount is in the step's key. The
// container's root is one of the mounts. Several mounts of one filesystem are one
// input, and the last of them decides for all (seen in BuildKit v0.34.2).
func (k *stepKey) mountBy(target string) cacheplan.By {
	exec, ok := k.op.Op.(*vertex.Exec)
	if !ok {
		return cacheplan.ByDefinition
	}
	var input llb.Output
	for _, m := range exec.Mounts {
		if m.Mount.Dest == target {
			input = m.Input
		}
	}
	by := cacheplan.ByDefinition
	for _, m := range exec.Mounts {
		if k.w.sameOutput(m.Input, input) {
			by = byOf(m.Mount)
		}
	}
	return by
}

// byOf returns what of its input a mount asks for. Content counts where nothing else
// of the input can get into a result, and for the root only if a rule says so.
func byOf(m *pb.Mount) cacheplan.By {
	selected := m.Selector != "" && m.Selector != "/"
	written := m.Output != int64(pb.SkipOutput) && !m.Readonly
	switch {
	case m.ContentCache == pb.MountContentCache_ON:
		return cacheplan.ByContent
	case m.Dest == pb.RootMount, written && selected:
		return cacheplan.ByDefinition
	default:
		return cacheplan.ByContent
	}
}

// sameOutput reports whether two filesystems are one in the definition.
func (w *planner) sameOutput(a, b llb.Output) bool {
	if a == nil || b == nil {
		return false
	}
	v, ok := vertex.Of(a)
	other, ok2 := vertex.Of(b)
	if ok && ok2 {
		return w.def.encoded.Digest(v) == w.def.encoded.Digest(other)
	}
	return a == b
}

// mountText says all of a mount that is in the key.
func mountText(m runMount) string {
	what := "bind"
	switch {
	case m.tmpfs:
		what = "tmpfs"
		if m.size > 0 {
			what += " of " + strconv.FormatInt(m.size, 10) + " bytes"
		}
	case m.cacheID != "":
		what = "cache"
		if !isDefaultCache(m.target, m.cacheID, m.sharing) {
			what += " with an id or sharing of its own" // which one is not in the key
		}
	case m.source.script != nil:
		what = "script"
	}
	if o := m.source.owner; o != nil {
		what += fmt.Sprintf(" with mode %04o owner %d:%d", o.mode, o.uid, o.gid)
	} else if m.selector != "" && m.selector != "/" {
		what += " of " + m.selector
	}
	switch {
	case m.readonly:
		what += ", read-only"
	case m.noOutput:
		what += ", writes are dropped"
	}
	return what
}
