package explain

import (
	"cmp"
	"slices"
	"strings"

	"github.com/cachewright/cachewright/cachepolicy"
	"github.com/cachewright/cachewright/cachepolicy/cacheplan"
	"github.com/cachewright/cachewright/cachepolicy/internal/phrase"
	"github.com/cachewright/cachewright/cachepolicy/record"
)

// Compare says why the steps of the plan to run again after a build of the plan
// from: one or more reasons for each step whose key differs, in the order of the
// steps. Steps whose key is the same have none, and neither have those of which
// the plans do not tell. File sets must be known in both plans to be compared.
func Compare(from, to *cacheplan.Plan) []Reason {
	var out []Reason
	for _, p := range Predict(to, []record.PastBuild{{Plan: from}}) {
		if p.State == StateReRun {
			out = append(out, p.Reasons...)
		}
	}
	return out
}

// differ compares one step with what it was before.
type differ struct {
	oldSets, newSets cacheplan.KnownSets
	old, new         *cacheplan.Step
	step             int    // index of new
	since            string // the revision of old, if that is another one
}

// reasons returns what differs in the step's own inputs and in what it takes from
// elsewhere, the weightiest first.
func (d *differ) reasons() []Reason {
	var out []Reason
	oldRule, oldText := keyRule(d.old)
	newRule, newText := keyRule(d.new)
	if oldRule != newRule {
		out = append(out, Reason{Kind: ReasonRule, Change: Changed, Old: oldText, New: newText, keyless: sameInputs(d.old, d.new)})
	}
	var files []inputPair
	var fields fieldChanges
	for _, p := range pairInputs(d.old.Inputs, d.new.Inputs) {
		switch {
		case p.reason() == ReasonTTL && d.old.Text() != d.new.Text(): // the text shifts the windows
		case oldRule != newRule && p.byRule():
		case p.reason() == ReasonFiles:
			files = append(files, p)
		case p.reason() == ReasonField:
			fields.compare(p)
		default:
			out = append(out, d.input(p)...)
		}
	}
	out = append(out, d.allFiles(files, len(out) > 0)...)
	out = append(out, fields.reasons()...)
	out = append(out, d.sources()...)
	if len(out) == 0 && variables(d.old) != variables(d.new) {
		out = append(out, Reason{Kind: ReasonSetting, Change: Changed, Name: "order of the environment"})
	}
	slices.SortStableFunc(out, func(a, b Reason) int { return cmp.Compare(reasonRows[a.Kind].weight, reasonRows[b.Kind].weight) })
	for i := range out {
		out[i].Step, out[i].Since = d.step, d.since
	}
	return out
}

// unnamed returns the reason of a step whose operation differs in something that the
// plan has no input for.
func (d *differ) unnamed() []Reason {
	if d.old.Key == d.new.Key || d.old.Key == "" || d.new.Key == "" {
		return nil
	}
	return []Reason{{Step: d.step, Kind: ReasonSetting, Change: Changed, Name: "an option of the build"}}
}

// allFiles returns the reasons in the inputs that are files: what two of them share,
// once. Where something else has changed which files are meant, that is the reason.
func (d *differ) allFiles(pairs []inputPair, explained bool) []Reason {
	var out []Reason
	for _, p := range pairs {
		if explained && (p.old == nil || p.new == nil) {
			continue
		}
		for _, r := range d.files(p) {
			if !slices.Contains(out, r) {
				out = append(out, r)
			}
		}
	}
	return limitFiles(out)
}

// limitFiles keeps the first files that are named, and counts the others.
func limitFiles(reasons []Reason) []Reason {
	var out []Reason
	named, more := 0, 0
	for _, r := range reasons {
		switch {
		case r.Kind == ReasonMoreFiles:
			more += r.Count
		case r.Kind != ReasonFiles && named == maxNamedFiles:
			more++
		default:
			if r.Kind != ReasonFiles {
				named++
			}
			out = append(out, r)
		}
	}
	if more > 0 {
		out = append(out, Reason{Kind: ReasonMoreFiles, Change: Changed, Count: more})
	}
	return out
}

// sources returns the reasons in what the step fetches: what has another digest than
// before under the same name.
func (d *differ) sources() []Reason {
	before := map[string]string{}
	for _, f := range d.old.Follows {
		if f.Step < 0 {
			before[f.Via+" "+f.Source] = f.Digest
		}
	}
	var out []Reason
	for _, f := range d.new.Follows {
		if old := before[f.Via+" "+f.Source]; f.Step < 0 && old != "" && f.Digest != "" && old != f.Digest {
			out = append(out, Reason{Kind: ReasonSource, Change: Changed, Name: f.Source, Old: old, New: f.Digest})
		}
	}
	return out
}

// keyRule returns the rule as far as it is about the key: in a form that is equal
// for rules that mean the same, and as written.
func keyRule(s *cacheplan.Step) (canonical, written string) {
	var texts []string
	for _, r := range s.Rule {
		if r.Option.Effect() != cachepolicy.EffectNone {
			texts = append(texts, phrase.Join(string(r.Option), r.Value, "="))
		}
	}
	return ruleForm(s, cachepolicy.EffectInputs, cachepolicy.EffectComparison), strings.Join(texts, ";")
}

// ruleForm returns the options of a step's rule that have one of some effects, in a
// form that is equal where they mean the same.
func ruleForm(s *cacheplan.Step, effects ...cachepolicy.Effect) string {
	var out []string
	for _, r := range s.Rule {
		if !slices.Contains(effects, r.Option.Effect()) {
			continue
		}
		value := r.Value
		if ttl, err := cachepolicy.ParseTTL(value); err == nil && r.Option == cachepolicy.OptionTTL {
			value = ttl.String()
		}
		out = append(out, string(r.Option)+"="+value)
	}
	return strings.Join(out, ";")
}

// sameInputs reports whether two rules differ at most in options that say how a key is
// compared, not what is in it: a result is found either way where nothing else has
// changed.
func sameInputs(a, b *cacheplan.Step) bool {
	return ruleForm(a, cachepolicy.EffectInputs) == ruleForm(b, cachepolicy.EffectInputs)
}

// variables lists the names of the step's variables in order.
func variables(s *cacheplan.Step) string {
	var names []string
	for _, in := range s.Inputs {
		if in.Kind.IsVariable() {
			names = append(names, in.Name)
		}
	}
	return strings.Join(names, "\n")
}

// inputPair is an input that differs; one side may be missing.
type inputPair struct {
	old, new *cachepolicy.Input
}

// byRule reports whether the difference comes with a change of the rule: inputs
// that rules add, ARGs, which rules withhold, and files, of which rules let only
// fields count.
func (p inputPair) byRule() bool {
	in := p.input()
	switch in.Origin.Kind {
	case cachepolicy.OriginRule, cachepolicy.OriginStageRule, cachepolicy.OriginOverride:
		return true
	case cachepolicy.OriginLine, cachepolicy.OriginDefault, cachepolicy.OriginBuildArg, cachepolicy.OriginBaseImage, cachepolicy.OriginBuiltin, cachepolicy.OriginContext, cachepolicy.OriginOption:
	}
	return in.Kind.MayBeWithheld() && (p.old == nil || p.new == nil)
}

// input returns the new side, or the old one where that is all there is.
func (p inputPair) input() *cachepolicy.Input { return cmp.Or(p.new, p.old) }

// reason returns the kind of reason that the difference is.
func (p inputPair) reason() ReasonKind { return ReasonKind(p.input().Kind.Reason()) }

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
	kind cachepolicy.InputKind
	name string
	nth  int
}

func nameInputs(inputs []cachepolicy.Input) map[inputName]*cachepolicy.Input {
	out := make(map[inputName]*cachepolicy.Input, len(inputs))
	for i := range inputs {
		n := inputName{kind: inputs[i].Kind.Group()}
		if !inputs[i].Kind.IsOnce() {
			n.name = inputs[i].Name
		}
		for out[n] != nil {
			n.nth++
		}
		out[n] = &inputs[i]
	}
	return out
}

// pairInputs returns the inputs that may differ: those of the new step in its
// order, then those that are gone.
func pairInputs(old, new []cachepolicy.Input) []inputPair {
	olds, news := nameInputs(old), nameInputs(new)
	oldOf, newNames := map[*cachepolicy.Input]*cachepolicy.Input{}, map[*cachepolicy.Input]inputName{}
	for n, in := range news {
		oldOf[in], newNames[in] = olds[n], n
	}
	var out []inputPair
	for i := range new {
		out = append(out, inputPair{old: oldOf[&new[i]], new: &new[i]})
		delete(olds, newNames[&new[i]])
	}
	gone := map[*cachepolicy.Input]bool{}
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
	if p.old != nil && p.new != nil && p.same() {
		return nil
	}
	r := Reason{Kind: p.reason(), Change: p.change(), Name: inputTitle(p.input())}
	if p.new != nil {
		r.Line = p.new.Origin.Line
	}
	if p.old != nil && p.new != nil && !p.old.Secret && !p.new.Secret {
		if r.Old, r.New = cmp.Or(p.old.Digest, p.old.Value), cmp.Or(p.new.Digest, p.new.Value); !p.input().Kind.NamedElsewhere() && !p.shown() {
			r.Old, r.New = "", ""
		}
	}
	if fill := reasonRows[r.Kind].fill; fill != nil {
		fill(&r, d, p)
	}
	return []Reason{r}
}

// fillBase tells an image that is named instead of another one from one that moved.
func fillBase(r *Reason, _ *differ, p inputPair) {
	if p.old != nil && p.new != nil && p.old.Name != p.new.Name {
		r.Change, r.Old, r.New = Added, p.old.Name, p.new.Name
	}
}

// fillTTL names the duration as the rule has it.
func fillTTL(r *Reason, d *differ, _ inputPair) {
	r.Name = cmp.Or(d.new.Setting(cachepolicy.OptionTTL).Value, r.Name)
}

// same reports whether both sides mean the same in a key.
func (p inputPair) same() bool {
	if p.new.Kind.NamedElsewhere() && p.old.Digest != "" && p.old.Digest == p.new.Digest {
		return true
	}
	if p.old.Secret && p.old.Unresolved || p.new.Secret && p.new.Unresolved {
		return p.old.Value == "" || p.new.Value == "" || p.old.Value == p.new.Value // from another builder: nothing else is known of it
	}
	if p.old.Name != p.new.Name {
		return false
	}
	if p.old.Value == "" || p.new.Value == "" { // one may be from another builder
		return p.old.ValueDigest() == p.new.ValueDigest()
	}
	return p.old.Value == p.new.Value && p.old.Digest == p.new.Digest
}

// shown reports whether both sides are known in the same form. A value that came from
// another builder may be there as a digest alone.
func (p inputPair) shown() bool { return (p.old.Digest == "") == (p.new.Digest == "") }

// inputTitle returns what a person calls the input: its name, after its kind where
// that belongs to it and says more.
func inputTitle(in *cachepolicy.Input) string {
	kind := string(in.Kind)
	switch {
	case !in.Kind.CalledByKind():
		return in.Name
	case in.Name == "" || in.Name == kind:
		return kind
	}
	return kind + " " + phrase.Name(in.Name)
}
