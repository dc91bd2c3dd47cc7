package llbconv

import (
	"cmp"
	"fmt"
	"path"
	"strconv"
	"strings"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/solver/pb"

	"github.com/cachewright/cachewright/cachepolicy"
	"github.com/cachewright/cachewright/cachepolicy/cacheplan"
	"github.com/cachewright/cachewright/cachepolicy/secret"
	"github.com/cachewright/cachewright/llbconv/internal/vertex"
)

// stepKey collects what one step is keyed by.
type stepKey struct {
	definedStep
	w       *planner
	at      cachepolicy.Origin // the instruction
	inputs  []cachepolicy.Input
	follows []cacheplan.Follow
	linked  bool // the step does not depend on those before it
}

func (k *stepKey) add(in cachepolicy.Input) { k.inputs = append(k.inputs, in) }

// input adds an input. What is secret in its name and value is not shown.
func (k *stepKey) input(kind cachepolicy.InputKind, name, value string, origin cachepolicy.Origin) {
	shownName, hidesName := k.shown(name)
	shownValue, hidesValue := k.shown(value)
	if !hidesName && !hidesValue {
		k.add(cachepolicy.NewInput(kind, name, value, origin))
		return
	}
	k.add(cachepolicy.NewWithheld(kind, shownName, shownValue, name+"="+value, origin, k.w.key()))
}

// shown returns a text without what is secret in it, and whether there was something.
func (k *stepKey) shown(text string) (string, bool) { return withoutSecrets(text, k.step.secrets) }

// withoutSecrets returns a text without the given secrets and without what has the
// form of one, and reports whether there was something.
func withoutSecrets(text string, secrets []string) (string, bool) {
	out := text
	for _, s := range secrets {
		out = strings.ReplaceAll(out, s, secret.Hidden)
	}
	out, found := secret.Mask(out)
	return out, found || out != text
}

// setting adds what the instruction says, unless that is nothing.
func (k *stepKey) setting(kind cachepolicy.InputKind, name, value string) {
	if value != "" {
		k.input(kind, name, value, k.at)
	}
}

// option adds an option of the build, unless it is not given.
func (k *stepKey) option(name, value string) { k.optionOf(name, name, value) }

// optionOf adds what an option of the build, which can be given several times, says
// under a name of its own.
func (k *stepKey) optionOf(option, name, value string) {
	if value != "" {
		k.input(cachepolicy.InputOption, name, value, cachepolicy.Origin{Kind: cachepolicy.OriginOption, Name: option})
	}
}

// command adds the instruction as written, inline documents that are not part of
// that text, and the variables that its words are expanded with.
func (k *stepKey) command(documents []string, vars []envVar) {
	text := sourceTitle(k.step.cmd)
	keyword, _, _ := strings.Cut(text, " ")
	for _, doc := range documents {
		if !strings.Contains(text, doc) {
			text += "\n" + doc
		}
	}
	k.setting(cachepolicy.InputCommand, keyword, text)
	k.variables(vars)
}

func (k *stepKey) variables(vars []envVar) {
	for _, v := range vars {
		kind := cachepolicy.InputEnv
		if v.arg {
			kind = cachepolicy.InputArg
		}
		if k.w.isSecret(v) {
			k.add(cachepolicy.NewWithheld(kind, v.name, "", v.name+"="+v.value, v.from.origin(), k.w.key()))
		} else {
			k.add(cachepolicy.NewInput(kind, v.name, v.value, v.from.origin()))
		}
	}
}

// place adds a setting that an earlier instruction made. Of one that is made of a
// secret nothing is shown.
func (k *stepKey) place(kind cachepolicy.InputKind, value string, from envSource) {
	name := string(kind)
	if from.secret {
		k.add(cachepolicy.NewWithheld(kind, name, "", name+"="+value, from.origin(), k.w.key()))
	} else {
		k.input(kind, name, value, from.origin())
	}
}

// origin is the place in the form of the plan.
func (s envSource) origin() cachepolicy.Origin {
	switch s.place {
	case fromImage:
		return cachepolicy.Origin{Kind: cachepolicy.OriginBaseImage}
	case fromLine:
		return cachepolicy.Origin{Kind: cachepolicy.OriginLine, Line: s.line}
	case fromDefault:
		return cachepolicy.Origin{Kind: cachepolicy.OriginDefault, Line: s.line}
	case fromBuildArg:
		return cachepolicy.Origin{Kind: cachepolicy.OriginBuildArg, Line: s.line}
	case fromBuilder:
		return cachepolicy.Origin{Kind: cachepolicy.OriginBuiltin}
	}
	return cachepolicy.Origin{Kind: cachepolicy.OriginBuiltin}
}

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

// argHostname is the build argument that sets the host name of RUN.
const argHostname = "BUILDKIT_SANDBOX_HOSTNAME"

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

// copy collects what a COPY or ADD is keyed by.
func (k *stepKey) copy(op *copyOp) {
	var docs []string
	relative := !strings.HasPrefix(destination(k.step.cmd), "/")
	k.linked = k.w.c.links(op)
	ignoreModes := k.decision != nil && k.decision.IgnoreModes
	var local []string
	var from *stage
	var taken []string
	for _, f := range op.files {
		switch {
		case f.source.context:
			local = append(local, f.patterns()...)
		case f.source.stage != nil:
			from, taken = f.source.stage, append(taken, f.patterns()...)
		case f.source.inline != nil:
			docs = append(docs, f.source.inline.data)
		}
	}
	k.command(docs, k.step.vars)
	if relative {
		k.place(cachepolicy.InputWorkdir, k.step.dir, k.step.dirFrom)
	}
	switch {
	case k.decision != nil && k.decision.reduced != nil: // rule adds them
	case len(local) > 0:
		k.files("", local, op.exclude, ignoreModes)
	}
	if from != nil {
		k.taken(from, taken, op.exclude, cacheplan.ByContent, "--from")
	}
	for _, f := range op.files {
		switch {
		case f.source.http != nil:
			name, _ := k.shown(f.source.http.URL)
			k.follows = append(k.follows, cacheplan.FollowFetched(name, k.w.def.found[f.source], "ADD"))
		case f.source.git != nil:
			name, _ := k.shown(f.source.git.Ref.Remote)
			k.follows = append(k.follows, cacheplan.FollowSource(name, f.source.git.Version(k.w.def.found[f.source]), "ADD"))
		}
	}
}

// workdir collects what a WORKDIR is keyed by. The directory that it makes has the
// time that the build asks for.
func (k *stepKey) workdir(op *workdirOp) {
	k.command(nil, k.step.vars)
	from := envSource{place: fromLine, line: k.at.Line, secret: k.step.dirFrom.secret}
	if k.step.onBuild {
		from.place = fromImage
	}
	k.place(cachepolicy.InputWorkdir, op.path, from)
	if op.owner != nil {
		k.place(cachepolicy.InputUser, op.user, k.step.userFrom)
	}
	if c := k.w.c; c.epoch != nil {
		k.input(cachepolicy.InputOption, argEpoch, strconv.FormatInt(c.epoch.Unix(), 10), c.epochFrom.origin())
	}
}

// patterns are the paths that a source selects, as in cacheplan.FileSet.
func (f copyFile) patterns() []string {
	dir := contextPath(f.path)
	if len(f.include) == 0 {
		return []string{dir}
	}
	out := make([]string, len(f.include))
	for i, p := range f.include {
		out[i] = strings.TrimPrefix(dir+"/./"+p, "./")
	}
	return out
}

// contextPath returns a path relative to the build context.
func contextPath(p string) string {
	return cmp.Or(strings.TrimPrefix(path.Clean("/"+p), "/"), ".")
}

// destination is the destination of a COPY or ADD.
func destination(cmd instructions.Command) string {
	switch c := cmd.(type) {
	case *instructions.CopyCommand:
		return c.DestPath
	case *instructions.AddCommand:
		return c.DestPath
	}
	return "/"
}

// files adds files of a build context. Which ones is not asked for if that would tell
// a secret.
func (k *stepKey) files(context string, patterns, exclude []string, ignoreModes bool) {
	origin := cachepolicy.Origin{Kind: cachepolicy.OriginContext, Name: context}
	all := strings.Join(patterns, " ")
	shown, hidden := k.shown(all + "\n" + strings.Join(exclude, " "))
	if hidden {
		name, _, _ := strings.Cut(shown, "\n")
		in := cachepolicy.NewWithheld(cachepolicy.InputFiles, name, "", all, origin, k.w.key())
		in.Unresolved = true
		k.add(in)
		return
	}
	id := k.w.fileSet(cacheplan.FileSet{Context: context, Patterns: patterns, Exclude: exclude, IgnoreModes: ignoreModes})
	k.add(cachepolicy.Input{Kind: cachepolicy.InputFiles, Name: all, Files: id, Origin: origin})
}

// taken adds what is taken from a stage, image or named context.
func (k *stepKey) taken(src *stage, patterns, exclude []string, by cacheplan.By, via string) {
	ends := k.w.endsOf(src)
	from := k.w.def.res.evaluated[src]
	if name, ok := k.w.localContext(src); ok && len(from.steps) == 0 {
		k.files(name, patterns, exclude, false)
		return
	}
	if len(ends) > 0 {
		for _, i := range ends {
			k.follows = append(k.follows, cacheplan.FollowStep(i, by, via))
		}
		return
	}
	if from.root.out == nil {
		return // an empty filesystem
	}
	b := k.w.def.res.bases[src]
	name, digest := b.name(src)
	if name, _ = withoutSecrets(name, nil); src.secret {
		name = secret.Hidden
	}
	k.follows = append(k.follows, cacheplan.FollowSource(name, digest, via))
}

// rule adds the inputs of the step's rule.
func (k *stepKey) rule(d *decision) {
	for _, in := range d.Inputs() {
		switch {
		case in.Secret && in.Kind == cachepolicy.InputKeyArg:
			value := k.w.c.rules.build.Args[in.Name]
			in = cachepolicy.NewWithheld(in.Kind, in.Name, "", in.Name+"="+value, in.Origin, k.w.key())
		case in.Kind == cachepolicy.InputText || in.Kind == cachepolicy.InputHTTP || in.Kind == cachepolicy.InputGit:
			name, hidesName := k.shown(in.Name)
			value, hidesValue := k.shown(in.Value)
			if hidesName || hidesValue {
				whole := in.Name + "=" + in.Value + in.Digest
				unresolved := in.Unresolved
				in = cachepolicy.NewWithheld(in.Kind, name, value, whole, in.Origin, k.w.key())
				in.Unresolved = unresolved
			}
		case in.Kind == cachepolicy.InputFile:
			in.Unresolved = false
			in.Files = k.w.fileSet(cacheplan.FileSet{Patterns: []string{in.Name}})
		}
		k.add(in)
	}
	if d.reduced != nil {
		set, _ := d.rule.Get(cachepolicy.OptionFields)
		for _, in := range d.reduced.inputs(set, k.w.key) {
			k.add(in)
		}
	}
}

// sourceTitle is an instruction as written, with the keyword in upper case.
func sourceTitle(cmd instructions.Command) string {
	text := cmd.Name()
	if s, ok := cmd.(fmt.Stringer); ok {
		text = s.String()
	}
	keyword, rest, found := strings.Cut(text, " ")
	if !found {
		return strings.ToUpper(keyword)
	}
	return strings.ToUpper(keyword) + " " + rest
}
