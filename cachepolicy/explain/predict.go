package explain

import (
	"cmp"
	"slices"

	"github.com/cachewright/cachewright/cachepolicy"
	"github.com/cachewright/cachewright/cachepolicy/cacheplan"
	"github.com/cachewright/cachewright/cachepolicy/record"
)

// State is what is predicted of a step.
type State string

// What can be predicted of a step.
const (
	StateHit     State = "hit"     // a recorded build has a step with the same key
	StateReRun   State = "re-run"  // none has
	StateUnknown State = "unknown" // the record does not tell
)

// Prediction says what a build will do with one step, going by earlier builds. It
// knows nothing of what else the builder or a remote cache holds.
type Prediction struct {
	// Step is the index in Plan.Steps.
	Step  int   `json:"step"`
	State State `json:"state"`
	// Reasons say why the step runs again or why nothing can be said.
	Reasons []Reason `json:"reasons,omitempty"`
	// Seconds is how long the step took when it last ran, or 0 if that is not
	// recorded.
	Seconds float64 `json:"seconds,omitempty"`
}

// Predict says for each step of a plan what a build will do with it, going by
// earlier builds of the same Dockerfile, target and platform, the latest first.
//
// A step is a hit when any of the earlier builds had one with the same key, so a
// return to an earlier state is no change. A step that follows one that runs again
// runs again too, unless it is keyed by content alone; then it is unknown. So is
// one that follows a step whose key is the same and that runs only because no cache
// was asked for: BuildKit may still find its old result. The reasons compare with
// the earlier build that shares most.
func Predict(p *cacheplan.Plan, past []record.PastBuild) []Prediction {
	e := &predictor{plan: p, sets: p.KnownSets(), out: make([]Prediction, len(p.Steps)), forced: make([]bool, len(p.Steps))}
	e.keys = p.Keys(e.sets)
	for _, b := range past {
		if b.Plan != nil {
			e.recent = append(e.recent, newPastKeys(b))
		}
	}
	e.rank()
	for i := range p.Steps {
		state, reasons := e.step(i)
		e.out[i] = Prediction{Step: i, State: state, Reasons: reasons, Seconds: e.seconds(i)}
	}
	return e.out
}

// pastKeys is an earlier build, ready to be compared with.
type pastKeys struct {
	plan    *cacheplan.Plan
	sets    cacheplan.KnownSets
	keys    []cacheplan.StepKeys
	results []record.Result
	// strong and weak hold the keys of the steps that have a result, failed the
	// strong ones of those that have not.
	strong, weak, failed map[cacheplan.Sum]bool
	own                  map[cacheplan.Sum]int
	// matched is made when first used: the old step of each new one.
	matched []int
}

func newPastKeys(b record.PastBuild) *pastKeys {
	k := &pastKeys{plan: b.Plan, sets: b.Plan.KnownSets(), strong: map[cacheplan.Sum]bool{}, weak: map[cacheplan.Sum]bool{}, failed: map[cacheplan.Sum]bool{}, own: map[cacheplan.Sum]int{}}
	k.keys = b.Plan.Keys(k.sets)
	if len(b.Results) == len(b.Plan.Steps) {
		k.results = b.Results
	}
	for i, s := range k.keys {
		k.own[s.Own]++
		if k.results != nil && k.results[i].Outcome == record.OutcomeFailed {
			if s.StrongOK {
				k.failed[s.Strong] = true
			}
			continue
		}
		if s.StrongOK {
			k.strong[s.Strong] = true
		}
		if s.WeakOK {
			k.weak[s.Weak] = true
		}
	}
	return k
}

// predictor works on one plan.
type predictor struct {
	plan   *cacheplan.Plan
	sets   cacheplan.KnownSets
	keys   []cacheplan.StepKeys
	recent []*pastKeys // the latest first
	past   []*pastKeys // the one that shares most with the plan first
	out    []Prediction
	forced []bool // steps that run, or may run, although their key is known
}

// rank sorts the earlier builds by how much they share with the plan: equal keys,
// then steps whose own inputs are all equal, then single inputs. Among equals the
// later build wins.
func (e *predictor) rank() {
	type score struct{ strong, own, inputs int }
	inputs := e.plan.InputCounts(e.sets)
	e.past = slices.Clone(e.recent)
	scores := map[*pastKeys]score{}
	for _, b := range e.past {
		var s score
		own := map[cacheplan.Sum]int{}
		for _, k := range e.keys {
			if k.StrongOK && b.strong[k.Strong] {
				s.strong++
			}
			if own[k.Own]++; own[k.Own] <= b.own[k.Own] {
				s.own++
			}
		}
		old := b.plan.InputCounts(b.sets)
		for in, n := range inputs {
			s.inputs += min(n, old[in])
		}
		scores[b] = s
	}
	slices.SortStableFunc(e.past, func(a, b *pastKeys) int {
		x, y := scores[b], scores[a]
		return cmp.Or(cmp.Compare(x.strong, y.strong), cmp.Compare(x.own, y.own), cmp.Compare(x.inputs, y.inputs))
	})
}

// step predicts one step. Those before it are done.
func (e *predictor) step(i int) (State, []Reason) {
	s, k := &e.plan.Steps[i], e.keys[i]
	known := func(b *pastKeys) bool { return k.WeakOK && b.weak[k.Weak] }
	if s.NoCache {
		e.forced[i] = len(e.past) == 0 || !k.WeakOK || e.anyPast(known)
		return StateReRun, []Reason{{Step: i, Kind: ReasonNoCache}}
	}
	if s.AlwaysRuns() {
		return StateReRun, []Reason{{Step: i, Kind: ReasonAlways, Line: s.Setting(cachepolicy.OptionOff).Origin.Line}}
	}
	if f := e.reRunParent(s); f >= 0 {
		return StateReRun, e.following(i, f)
	}
	if e.forcedParent(s) && (len(e.past) == 0 || e.anyPast(known)) {
		e.forced[i] = true
		return StateUnknown, e.mayFollow(i)
	}
	if len(e.past) == 0 {
		return StateUnknown, []Reason{{Step: i, Kind: ReasonNoRecord}}
	}
	if k.StrongOK && e.followsHits(s) && e.anyPast(func(b *pastKeys) bool { return b.strong[k.Strong] }) {
		return StateHit, nil
	}
	if !k.WeakOK {
		return StateUnknown, e.unresolved(i)
	}
	if k.StrongOK && e.anyPast(func(b *pastKeys) bool { return b.failed[k.Strong] }) {
		return StateUnknown, []Reason{{Step: i, Kind: ReasonUnfinished}} // the same build may have come through later
	}
	if e.anyPast(func(b *pastKeys) bool { return b.weak[k.Weak] }) {
		return StateUnknown, e.mayFollow(i)
	}
	return StateReRun, e.cause(i)
}

func (e *predictor) anyPast(has func(*pastKeys) bool) bool { return slices.ContainsFunc(e.past, has) }

// reRunParent returns the first step that s follows by definition and that runs
// again, or -1.
func (e *predictor) reRunParent(s *cacheplan.Step) int {
	for _, f := range s.Follows {
		if f.Step >= 0 && f.By != cacheplan.ByContent && e.out[f.Step].State == StateReRun && !e.forced[f.Step] {
			return f.Step
		}
	}
	return -1
}

// forcedParent reports whether s follows a forced step by definition.
func (e *predictor) forcedParent(s *cacheplan.Step) bool {
	return slices.ContainsFunc(s.Follows, func(f cacheplan.Follow) bool { return f.Step >= 0 && f.By != cacheplan.ByContent && e.forced[f.Step] })
}

// followsHits reports whether all steps that s follows are hits. One that runs
// because no cache was asked for may give other files, although its key is known.
func (e *predictor) followsHits(s *cacheplan.Step) bool {
	return !slices.ContainsFunc(s.Follows, func(f cacheplan.Follow) bool { return f.Step >= 0 && e.out[f.Step].State != StateHit })
}

func (e *predictor) match(b *pastKeys) []int {
	if b.matched == nil {
		b.matched = align(b.plan, e.plan)
	}
	return b.matched
}

func (e *predictor) differ(b *pastKeys, old, i int) *differ {
	return &differ{oldSets: b.sets, newSets: e.sets, old: &b.plan.Steps[old], new: &e.plan.Steps[i], step: i}
}

// seconds returns how long the step took when it last ran.
func (e *predictor) seconds(i int) float64 {
	for _, b := range e.recent {
		if b.results == nil {
			continue
		}
		if old := e.match(b)[i]; old >= 0 && b.results[old].Seconds > 0 {
			return b.results[old].Seconds
		}
	}
	return 0
}
