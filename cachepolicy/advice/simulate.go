package advice

import (
	"cmp"
	"slices"
	"strings"

	"github.com/cachewright/cachewright/cachepolicy"
	"github.com/cachewright/cachewright/cachepolicy/cacheplan"
	"github.com/cachewright/cachewright/cachepolicy/record"
)

// stepName tells a step from others, also after it was moved.
type stepName struct{ stage, text string }

func nameOf(s *cacheplan.Step) stepName { return stepName{s.ID.Stage, s.Title()} }

// tally is how often each step ran in all builds. Several equal ones of a stage count
// together.
type tally map[stepName]runs

// runs is how often a step ran: for certain, and at most, if all that it takes files of
// gave other ones whenever it ran.
type runs struct{ certain, perhaps int }

// commands returns how often a RUN ran.
func (t tally) commands() runs {
	var n runs
	for name, r := range t {
		if name.isCommand() {
			n.certain += r.certain
			n.perhaps += r.perhaps
		}
	}
	return n
}

func (n stepName) isCommand() bool { return strings.HasPrefix(n.text, "RUN ") }

// compare returns the commands that run less often in another simulation, and whether
// one runs more often.
func (t tally) compare(other tally) (saved []Saving, harms bool) {
	for name, after := range other {
		before := t[name]
		switch {
		case !name.isCommand():
		case after.certain > before.certain || after.perhaps > before.perhaps:
			harms = true
		case after.certain < before.certain:
			saved = append(saved, Saving{Step: name.text, Before: before.certain, After: after.certain})
		}
	}
	slices.SortFunc(saved, func(a, b Saving) int {
		return cmp.Or(cmp.Compare(b.Before-b.After, a.Before-a.After), strings.Compare(a.Step, b.Step))
	})
	return saved, harms
}

// simulate returns how often each step of a plan would have run in the recorded builds,
// on a builder that had nothing before them. ignored are patterns of files that no build
// sees.
func simulate(p *cacheplan.Plan, h *history, ignored []string) tally {
	m := newModel(p, h, ignored)
	out, strong, weak := tally{}, map[cacheplan.Sum]bool{}, map[cacheplan.Sum]bool{}
	for _, s := range h.states {
		keys := m.in(s)
		for i, k := range keys {
			name := nameOf(&p.Steps[i])
			n := out[name]
			if !k.WeakOK || !weak[k.Weak] {
				n.certain++
			}
			if !k.StrongOK || !strong[k.Strong] {
				n.perhaps++
			}
			out[name] = n
		}
		for _, k := range keys {
			strong[k.Strong], weak[k.Weak] = true, true
		}
	}
	return out
}

// model is a plan that can be put into the states of recorded builds.
type model struct {
	history *history
	plan    cacheplan.Plan
	selects [][]record.Fact // of each file set, the files that ever changed
	inputs  []binding       // and the inputs and sources that did
	sources []binding
}

// binding is an input or a source of a step, by its index, and the fact that it is.
type binding struct {
	step, index int
	fact        record.Fact
}

// newModel makes the inputs of all steps stand for their operations, and finds those
// that ever changed.
func newModel(p *cacheplan.Plan, h *history, ignored []string) *model {
	m := &model{history: h, plan: *p}
	m.plan.Steps = slices.Clone(p.Steps)
	for i := range m.plan.Steps {
		s := &m.plan.Steps[i]
		s.Key, s.NoCache = "", false
		s.Inputs = append(slices.Clone(s.Inputs), cachepolicy.Input{Kind: cachepolicy.InputOption, Name: "operation"})
		m.bind(i, s)
	}
	for i := range p.Files {
		var of []record.Fact
		for _, f := range h.changing {
			if f.Context == p.Files[i].Context && !(f.Context == "" && matchesAny(ignored, f.Name)) && selects(&p.Files[i], f.Name) {
				of = append(of, f)
			}
		}
		m.selects = append(m.selects, of)
	}
	return m
}

func (m *model) bind(i int, s *cacheplan.Step) {
	changed := func(f record.Fact) bool {
		_, ok := m.history.first[f]
		return ok
	}
	for j := range s.Inputs {
		f, ok := record.InputFact(s, &s.Inputs[j])
		if j == len(s.Inputs)-1 {
			f, ok = record.OperationFact(s), true
		}
		if ok && changed(f) {
			m.inputs = append(m.inputs, binding{i, j, f})
		}
	}
	for j := range s.Follows {
		if f := record.SourceFact(s, &s.Follows[j]); s.Follows[j].Step < 0 && changed(f) {
			m.sources = append(m.sources, binding{i, j, f})
		}
	}
}

// in returns the keys of the plan's steps in a state.
func (m *model) in(s state) []cacheplan.StepKeys {
	p := m.plan
	p.Steps = slices.Clone(p.Steps)
	for _, b := range m.inputs {
		step := &p.Steps[b.step]
		step.Inputs = slices.Clone(step.Inputs)
		in := &step.Inputs[b.index]
		in.Value, in.Digest, in.Unresolved = "", m.history.is(s, b.fact), false
	}
	for _, b := range m.sources {
		step := &p.Steps[b.step]
		step.Follows = slices.Clone(step.Follows)
		step.Follows[b.index].Digest = m.history.is(s, b.fact)
	}
	p.Files = slices.Clone(p.Files)
	for i := range p.Files {
		p.Files[i].SetFiles(m.files(i, s))
	}
	return p.Keys(p.KnownSets())
}

// files returns the files of a set in a state, as far as they ever changed.
func (m *model) files(set int, s state) []cacheplan.File {
	var out []cacheplan.File
	if s.unlike != "" {
		var f cacheplan.File
		copy(f.Digest[:], s.unlike)
		out = append(out, f)
	}
	for _, fact := range m.selects[set] {
		if f, ok := record.ParseFileState(fact.Name, m.history.is(s, fact)); ok {
			out = append(out, f)
		}
	}
	return out
}
