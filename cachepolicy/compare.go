package cachepolicy

import (
	"cmp"
	"slices"
	"strings"
)

// Compare says why the steps of the plan to run again after a build of the plan
// from: one or more reasons for each step whose key differs, in the order of the
// steps. Steps whose key is the same have none, and neither have those of which
// the plans do not tell. File sets must be known in both plans to be compared.
func Compare(from, to *Plan) []Reason {
	var out []Reason
	for _, p := range Predict(to, []PastBuild{{Plan: from}}) {
		if p.State == StateReRun {
			out = append(out, p.Reasons...)
		}
	}
	return out
}

// differ compares one step with what it was before.
type differ struct {
	oldSets, newSets fileSets
	old, new         *Step
	step             int // index of new
}

// reasons returns what differs in the step's own inputs, the weightiest first.
func (d *differ) reasons() []Reason {
	var out []Reason
	oldRule, oldText := d.old.keyRule()
	newRule, newText := d.new.keyRule()
	if oldRule != newRule {
		out = append(out, Reason{Kind: ReasonRule, Change: Changed, Old: oldText, New: newText})
	}
	for _, p := range pairInputs(d.old.Inputs, d.new.Inputs) {
		if oldRule == newRule || !p.byRule() {
			out = append(out, d.input(p)...)
		}
	}
	if len(out) == 0 && d.old.variables() != d.new.variables() {
		out = append(out, Reason{Kind: ReasonSetting, Change: Changed, Name: "order of the environment"})
	}
	if len(out) == 0 && d.old.Key != d.new.Key && d.old.Key != "" && d.new.Key != "" {
		out = append(out, Reason{Kind: ReasonSetting, Change: Changed, Name: "an option of the build"})
	}
	slices.SortStableFunc(out, func(a, b Reason) int { return cmp.Compare(weight(a.Kind), weight(b.Kind)) })
	for i := range out {
		out[i].Step = d.step
	}
	return out
}

// weight orders reasons: what a person changed by hand comes first.
func weight(k ReasonKind) int {
	switch k {
	case ReasonCommand:
		return 0
	case ReasonRule:
		return 1
	case ReasonBase:
		return 2
	case ReasonFileChanged, ReasonFileAdded, ReasonFileRemoved, ReasonFileMode, ReasonMoreFiles, ReasonFiles:
		return 3
	case ReasonArg, ReasonEnv:
		return 4
	case ReasonTTL, ReasonSource, ReasonSecret, ReasonSetting, ReasonOrder, ReasonNewStep, ReasonCombination, ReasonNoRecord, ReasonFollows,
		ReasonUnfinished, ReasonMayFollow, ReasonUnresolved, ReasonAlways, ReasonNoCache, ReasonMayHaveMoved:
		return 5
	}
	return 6
}

// keyRule returns the rule as far as it is about the key: in a form that is equal
// for rules that mean the same, and as written.
func (s *Step) keyRule() (canonical, written string) {
	var forms, texts []string
	for _, r := range s.Rule {
		form := r.Value
		switch r.Option {
		case OptionDefault:
			continue
		case OptionTTL:
			if ttl, err := ParseTTL(r.Value); err == nil {
				form = ttl.String()
			}
		case OptionOff, OptionKey, OptionArgs, OptionBase, OptionModes, OptionExport:
		}
		forms = append(forms, string(r.Option)+"="+form)
		texts = append(texts, joinValue(string(r.Option), r.Value, "="))
	}
	return strings.Join(forms, ";"), strings.Join(texts, ";")
}

// variables lists the names of the step's variables in order.
func (s *Step) variables() string {
	var names []string
	for _, in := range s.Inputs {
		if isVariable(in.Kind) {
			names = append(names, in.Name)
		}
	}
	return strings.Join(names, "\n")
}

// inputPair is an input that differs; one side may be missing.
type inputPair struct {
	old, new *Input
}

// byRule reports whether the difference comes with a change of the rule: inputs
// that rules add, and ARGs, which rules withhold.
func (p inputPair) byRule() bool {
	in := cmp.Or(p.new, p.old)
	switch in.Origin.Kind {
	case OriginRule, OriginStageRule, OriginOverride:
		return true
	case OriginLine, OriginDefault, OriginBuildArg, OriginBaseImage, OriginBuiltin, OriginContext:
	}
	return in.Kind == InputArg && (p.old == nil || p.new == nil)
}

func (p inputPair) change() Change {
	switch {
	case p.old == nil:
		return Added
	case p.new == nil:
		return Removed
	}
	return Changed
}

// inputName tells the inputs of a step apart. Those of a kind that a step has once
// have no name.
type inputName struct {
	kind InputKind
	name string
	nth  int
}

func nameInputs(inputs []Input) map[inputName]*Input {
	out := make(map[inputName]*Input, len(inputs))
	for i := range inputs {
		n := inputName{kind: inputGroup(inputs[i].Kind), name: inputs[i].Name}
		if n.kind == InputCommand || n.kind == InputBase || n.kind == InputTTL {
			n.name = ""
		}
		for out[n] != nil {
			n.nth++
		}
		out[n] = &inputs[i]
	}
	return out
}

// inputGroup maps kinds that reach the step alike to one.
func inputGroup(k InputKind) InputKind {
	if isVariable(k) {
		return InputEnv
	}
	return k
}

// pairInputs returns the inputs that may differ: those of the new step in its
// order, then those that are gone.
func pairInputs(old, new []Input) []inputPair {
	olds, news := nameInputs(old), nameInputs(new)
	oldOf, newNames := map[*Input]*Input{}, map[*Input]inputName{}
	for n, in := range news {
		oldOf[in], newNames[in] = olds[n], n
	}
	var out []inputPair
	for i := range new {
		out = append(out, inputPair{old: oldOf[&new[i]], new: &new[i]})
		delete(olds, newNames[&new[i]])
	}
	gone := map[*Input]bool{}
	for _, in := range olds {
		gone[in] = true
	}
	for i := range old {
		if gone[&old[i]] {
			out = append(out, inputPair{old: &old[i]})
		}
	}
	return out
}

// input returns the reasons that lie in one input.
func (d *differ) input(p inputPair) []Reason {
	kind := cmp.Or(p.new, p.old).Kind
	if kind == InputFiles || kind == InputFile {
		return d.files(p)
	}
	if p.old != nil && p.new != nil && p.same() {
		return nil
	}
	in := *cmp.Or(p.new, p.old)
	r := Reason{Kind: reasonKind(kind), Change: p.change(), Name: in.Name}
	if p.new != nil {
		r.Line = p.new.Origin.Line
	}
	if p.old != nil && p.new != nil && !p.old.Secret && !p.new.Secret {
		r.Old, r.New = cmp.Or(p.old.Digest, p.old.Value), cmp.Or(p.new.Digest, p.new.Value)
	}
	switch kind {
	case InputBase:
		if p.old != nil && p.new != nil && p.old.Name != p.new.Name {
			r.Change, r.Old, r.New = Added, p.old.Name, p.new.Name
		}
	case InputTTL:
		r.Name = cmp.Or(d.new.setting(OptionTTL).Value, r.Name)
	case InputSecret, InputSSH, InputUser, InputWorkdir, InputShell, InputPlatform, InputMount, InputOption, InputText, InputOff:
		r.Name = settingName(in)
	case InputCommand, InputArg, InputEnv, InputFiles, InputKeyArg, InputHTTP, InputGit, InputImage, InputFile:
	}
	return []Reason{r}
}

// same reports whether both sides mean the same in a key.
func (p inputPair) same() bool {
	if namedElsewhere(p.new.Kind) && p.old.Digest != "" && p.old.Digest == p.new.Digest {
		return true
	}
	return p.old.Name == p.new.Name && p.old.Value == p.new.Value && p.old.Digest == p.new.Digest
}

func reasonKind(k InputKind) ReasonKind {
	switch k {
	case InputCommand:
		return ReasonCommand
	case InputBase:
		return ReasonBase
	case InputArg, InputKeyArg:
		return ReasonArg
	case InputEnv:
		return ReasonEnv
	case InputSecret:
		return ReasonSecret
	case InputTTL:
		return ReasonTTL
	case InputHTTP, InputGit, InputImage:
		return ReasonSource
	case InputFiles, InputFile:
		return ReasonFiles
	case InputUser, InputWorkdir, InputShell, InputPlatform, InputSSH, InputMount, InputOption, InputOff, InputText:
		return ReasonSetting
	}
	return ReasonSetting
}

// settingName returns what a person calls the input: its kind, and its name where
// there are several.
func settingName(in Input) string {
	if in.Name == "" || in.Name == string(in.Kind) || in.Kind == InputOption {
		return cmp.Or(in.Name, string(in.Kind))
	}
	return string(in.Kind) + " " + in.Name
}
