package llbconv

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"

	"github.com/cachewright/cachewright/cachepolicy"
	"github.com/cachewright/cachewright/cachepolicy/cacheplan"
	"github.com/cachewright/cachewright/cachepolicy/secret"
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

// argHostname is the build argument that sets the host name of RUN.
const argHostname = "BUILDKIT_SANDBOX_HOSTNAME"

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

// rule adds the inputs of the step's rule.
func (k *stepKey) rule(d *decision) {
	for _, in := range d.Inputs() {
		switch {
		case in.Secret && in.Kind == cachepolicy.InputKeyArg:
			value := k.w.c.rules.build.Args[in.Name]
			in = cachepolicy.NewWithheld(in.Kind, in.Name, "", in.Name+"="+value, in.Origin, k.w.key())
		case in.Kind.IsQuoted():
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
