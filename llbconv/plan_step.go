package llbconv

import (
	"cmp"
	"fmt"
	"path"
	"strconv"
	"strings"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/solver/pb"

	"github.com/cachewright/cachewright/cachepolicy"
	"github.com/cachewright/cachewright/cachepolicy/cacheplan"
	"github.com/cachewright/cachewright/llbconv/internal/source"
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

// option adds a setting of the build or the instruction, unless it is empty.
func (k *stepKey) option(kind cachepolicy.InputKind, name, value string) {
	if value != "" {
		k.add(cachepolicy.NewInput(kind, name, value, k.at))
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
	k.add(cachepolicy.NewInput(cachepolicy.InputCommand, keyword, text, k.at))
	k.variables(vars)
}

func (k *stepKey) variables(vars []envVar) {
	for _, v := range vars {
		kind := cachepolicy.InputEnv
		if v.arg {
			kind = cachepolicy.InputArg
		}
		k.add(cachepolicy.NewVariable(kind, v.name, v.value, v.from.origin(), k.w.key))
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
	if len(op.shell) > 0 && strings.Join(op.shell, " ") != "/bin/sh -c" {
		k.option(cachepolicy.InputShell, "shell", strings.Join(op.shell, " "))
	}
	k.add(cachepolicy.NewInput(cachepolicy.InputWorkdir, "workdir", op.dir, k.step.dirFrom.origin()))
	if op.user != "" {
		k.add(cachepolicy.NewInput(cachepolicy.InputUser, "user", op.user, k.step.userFrom.origin()))
	}
	k.variables(op.vars.vars())
	for _, m := range op.mounts {
		k.mount(m)
	}
	for _, s := range op.secrets {
		k.add(cachepolicy.NewInput(cachepolicy.InputSecret, s.id, secretText(s), k.at))
	}
	for _, s := range op.ssh {
		k.add(cachepolicy.NewInput(cachepolicy.InputSSH, cmp.Or(s.id, "default"), fmt.Sprintf("%s mode %04o", cmp.Or(s.target, "default socket"), s.mode), k.at))
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

// runOptions adds what differs from the usual way to run a command.
func (k *stepKey) runOptions(op *runOp) {
	cfg := &k.w.c.opt.Config
	if op.network != pb.NetMode_UNSET {
		k.option(cachepolicy.InputOption, "network", strings.ToLower(op.network.String()))
	}
	if op.security != pb.SecurityMode_SANDBOX {
		k.option(cachepolicy.InputOption, "security", strings.ToLower(op.security.String()))
	}
	for _, d := range op.devices {
		k.option(cachepolicy.InputOption, "device", d.Name)
	}
	for _, u := range cfg.Ulimits {
		k.option(cachepolicy.InputOption, "ulimit "+u.Name, fmt.Sprintf("%d:%d", u.Soft, u.Hard))
	}
	k.option(cachepolicy.InputOption, "cgroup-parent", cfg.CgroupParent)
	k.option(cachepolicy.InputOption, "hostname", cfg.Hostname)
	if cfg.ShmSize > 0 {
		k.option(cachepolicy.InputOption, "shm-size", strconv.FormatInt(cfg.ShmSize, 10))
	}
}

// mount adds a mount, and the files that count where it has some.
func (k *stepKey) mount(m runMount) {
	what := "bind"
	switch {
	case m.tmpfs:
		what = "tmpfs"
	case m.cacheID != "":
		what = "cache"
	case m.source.script != nil:
		what = "script"
	}
	if m.selector != "" && m.selector != "/" {
		what += " of " + m.selector
	}
	if m.readonly {
		what += ", read-only"
	}
	k.option(cachepolicy.InputMount, m.target, what)
	by := cacheplan.ByContent
	if !m.readonly && !m.noOutput && m.cacheID == "" {
		by = cacheplan.ByDefinition
	}
	switch {
	case m.source.context && !m.tmpfs:
		k.files("", []string{contextPath(m.selector)}, nil, false)
	case m.source.stage != nil:
		k.taken(m.source.stage, []string{contextPath(m.selector)}, nil, by, "--mount "+m.target)
	}
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
		k.add(cachepolicy.NewInput(cachepolicy.InputWorkdir, "workdir", k.step.dir, k.step.dirFrom.origin()))
	}
	if len(local) > 0 {
		k.files("", local, op.exclude, ignoreModes)
	}
	if from != nil {
		k.taken(from, taken, op.exclude, cacheplan.ByContent, "--from")
	}
	for _, f := range op.files {
		switch {
		case f.source.http != nil:
			k.follows = append(k.follows, cacheplan.FollowSource(f.source.http.URL, f.source.http.Checksum.String(), "ADD"))
		case f.source.git != nil:
			k.follows = append(k.follows, cacheplan.FollowSource(f.source.git.Ref.Remote, f.source.git.Version(f.source.git.Checksum), "ADD"))
		}
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

// files adds files of a build context.
func (k *stepKey) files(context string, patterns, exclude []string, ignoreModes bool) {
	id := k.w.fileSet(cacheplan.FileSet{Context: context, Patterns: patterns, Exclude: exclude, IgnoreModes: ignoreModes})
	k.add(cachepolicy.Input{
		Kind: cachepolicy.InputFiles, Name: strings.Join(patterns, " "), Files: id,
		Origin: cachepolicy.Origin{Kind: cachepolicy.OriginContext, Name: context},
	})
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
	name, digest := src.decl.BaseName, source.DigestIn(b.pinned)
	if b.pinned == "" {
		name, digest = sourceName(b.root.out)
	}
	k.follows = append(k.follows, cacheplan.FollowSource(name, digest, via))
}

// rule adds the inputs of the step's rule.
func (k *stepKey) rule(d *decision) {
	for _, in := range d.Inputs() {
		switch {
		case in.Secret && in.Kind == cachepolicy.InputKeyArg:
			value := strconv.Quote(k.w.c.rules.build.Args[in.Name])
			in = cachepolicy.NewVariable(in.Kind, in.Name, value, in.Origin, k.w.key)
		case in.Kind == cachepolicy.InputFile:
			in.Unresolved = false
			in.Files = k.w.fileSet(cacheplan.FileSet{Patterns: []string{in.Name}})
		}
		k.add(in)
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
