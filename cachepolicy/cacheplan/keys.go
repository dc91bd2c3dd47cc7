package cacheplan

import (
	"cmp"
	"slices"
	"strings"

	"github.com/cachewright/cachewright/cachepolicy"
)

// StepKeys are sums that two steps share when their cache keys are equal, as far
// as a plan can tell.
type StepKeys struct {
	Own Sum `json:"own"` // the step's own inputs
	// Strong also holds all that the step follows: equal strong sums, equal keys.
	Strong   Sum  `json:"strong"`
	StrongOK bool `json:"strongOK,omitempty"`
	// Weak holds what it follows by definition, but not what by content: where weak
	// sums differ, keys do.
	Weak   Sum  `json:"weak"`
	WeakOK bool `json:"weakOK,omitempty"`
}

// Keys returns the keys of all steps. A step with an input that is not resolved
// has none, and so have the steps that follow it by definition. A step that always
// runs has none either: no later build can reuse its result.
func (p *Plan) Keys(sets KnownSets) []StepKeys {
	out := make([]StepKeys, len(p.Steps))
	for i := range p.Steps {
		out[i] = p.Steps[i].keys(sets, out)
	}
	return out
}

// KnownSets are the known file sets of a plan by ID, each with its sum.
type KnownSets map[string]KnownSet

type KnownSet struct {
	*FileSet
	Sum string // of the files
}

func (p *Plan) KnownSets() KnownSets {
	sets := KnownSets{}
	for i := range p.Files {
		if s := &p.Files[i]; s.Known {
			sets[s.ID] = KnownSet{FileSet: s, Sum: s.Sum()}
		}
	}
	return sets
}

// Lacks reports whether what the input is cannot be told.
func (sets KnownSets) Lacks(in *cachepolicy.Input) bool {
	_, known := sets[in.Files]
	return in.Unresolved || in.Files != "" && !known
}

func (s *Step) keys(sets KnownSets, earlier []StepKeys) StepKeys {
	own, ok := s.ownSum(sets)
	k := StepKeys{Own: own, StrongOK: ok, WeakOK: ok}
	strong, weak := NewHasher(), NewHasher()
	strong.Add(string(own[:]))
	weak.Add(string(own[:]))
	for _, f := range s.Follows {
		weak.Add(string(f.By)) // not the strong one: the same result is found either way
		switch {
		case f.Step < 0: // a source, which counts by its content
			strong.Add(f.Digest)
			k.StrongOK = k.StrongOK && f.Digest != ""
			if f.By == ByDefinition {
				weak.Add(f.Digest)
				k.WeakOK = k.WeakOK && f.Digest != ""
			}
		case f.By == ByContent:
			e := earlier[f.Step]
			strong.Add(string(e.Strong[:]))
			k.StrongOK = k.StrongOK && e.StrongOK
		default:
			e := earlier[f.Step]
			strong.Add(string(e.Strong[:]))
			weak.Add(string(e.Weak[:]))
			k.StrongOK = k.StrongOK && e.StrongOK
			k.WeakOK = k.WeakOK && e.WeakOK
		}
	}
	k.Strong, k.Weak = strong.Sum(), weak.Sum()
	return k
}

// AlwaysRuns reports whether the step runs in every build by its rule.
func (s *Step) AlwaysRuns() bool {
	return slices.ContainsFunc(s.Inputs, func(in cachepolicy.Input) bool { return in.Kind == cachepolicy.InputOff })
}

// ownSum returns the sum of the step's own inputs, and whether it can stand for
// them.
func (s *Step) ownSum(sets KnownSets) (Sum, bool) {
	h, ok := NewHasher(), !s.AlwaysRuns()
	h.Add(s.ID.Instruction)
	h.Add(s.Key)
	for _, in := range keyOrder(s.Inputs) {
		if s.Key == "" {
			h.Add(string(in.Kind.Group()))
			if !in.Kind.NamedElsewhere() {
				h.Add(in.Name)
			}
			h.Add(in.Value)
			h.Add(in.Digest)
		}
		if in.Files != "" || s.Key == "" {
			h.Add(sets[in.Files].Sum)
		}
		ok = ok && !sets.Lacks(&in)
	}
	return h.Sum(), ok
}

// InputSum stands for an input with its value.
type InputSum struct {
	kind                       cachepolicy.InputKind
	name, value, digest, files string
}

// InputCounts counts the inputs of all steps.
func (p *Plan) InputCounts(sets KnownSets) map[InputSum]int {
	out := map[InputSum]int{}
	for i := range p.Steps {
		for _, in := range p.Steps[i].Inputs {
			out[InputSum{in.Kind, in.Name, in.Value, in.Digest, sets[in.Files].Sum}]++
		}
	}
	return out
}

// keyOrder returns inputs in an order in which that of the plan does not show,
// save among variables, whose order is in the key.
func keyOrder(inputs []cachepolicy.Input) []cachepolicy.Input {
	sorted := slices.Clone(inputs)
	slices.SortStableFunc(sorted, func(a, b cachepolicy.Input) int {
		if a.Kind.IsVariable() && b.Kind.IsVariable() {
			return 0
		}
		return cmp.Or(strings.Compare(string(a.Kind.Group()), string(b.Kind.Group())), strings.Compare(a.Name, b.Name))
	})
	return sorted
}
