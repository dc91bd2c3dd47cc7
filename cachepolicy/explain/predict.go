package explain

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

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
	// Ran is when a build first asked for what is a hit now. The result is younger if
	// the step ran with the same key again, and older if it came from a remote cache.
	// Zero: that is not known.
	Ran time.Time `json:"ran,omitzero"`
}

// Predict is PredictKnown for a builder that had these builds, and no others.
func Predict(p *cacheplan.Plan, past []record.PastBuild) []Prediction {
	return PredictKnown(p, record.LedgerOf(past), past)
}

// PredictKnown says for each step of a plan what a build will do with it, going by
// the keys of the steps that the builder was asked for. The reasons compare with
// earlier builds of the same project, the latest first.
//
// A step is a hit when the ledger has its key as done, whatever build that was, so a
// return to an earlier state is no change. A step that follows one that runs again
// runs again too, unless it is keyed by content alone; then it is unknown. So is
// one that follows a step whose key is the same and that runs only because no cache
// was asked for: BuildKit may still find its old result. The reasons compare with
// the earlier build of the same arguments, target and platform that shares most, and
// with one of others if there is none.
func PredictKnown(p *cacheplan.Plan, ledger *record.Ledger, past []record.PastBuild) []Prediction {
	e := &predictor{
		plan: p, sets: p.KnownSets(), ledger: ledger,
		out: make([]Prediction, len(p.Steps)), forced: make([]bool, len(p.Steps)), unsure: make([]bool, len(p.Steps)),
	}
	e.keys = p.Keys(e.sets)
	for _, b := range past {
		if b.Plan != nil {
			e.rekeyed = e.rekeyed || p.OtherKey(b.Plan)
			e.recent = append(e.recent, newPastKeys(b))
		}
	}
	e.rank()
	for i := range p.Steps {
		state, reasons := e.step(i)
		e.out[i] = Prediction{Step: i, State: state, Reasons: reasons}
		if known, ok := ledger.Entry(e.keys[i]); ok && state == StateHit {
			e.out[i].Ran = known.First
		}
	}
	return e.out
}

// pastKeys is an earlier build, ready to be compared with.
type pastKeys struct {
	plan   *cacheplan.Plan
	sets   cacheplan.KnownSets
	keys   []cacheplan.StepKeys
	strong map[cacheplan.Sum]bool
	own    map[cacheplan.Sum]int
	// kinship is how much of what is chosen with a build is the same as now.
	kinship int
	// matched is made when first used: the old step of each new one.
	matched []int
}

func newPastKeys(b record.PastBuild) *pastKeys {
	k := &pastKeys{plan: b.Plan, sets: b.Plan.KnownSets(), strong: map[cacheplan.Sum]bool{}, own: map[cacheplan.Sum]int{}}
	k.keys = b.Plan.Keys(k.sets)
	for _, s := range k.keys {
		k.own[s.Own]++
		if s.StrongOK {
			k.strong[s.Strong] = true
		}
	}
	return k
}

// predictor works on one plan.
type predictor struct {
	plan   *cacheplan.Plan
	sets   cacheplan.KnownSets
	keys   []cacheplan.StepKeys
	ledger *record.Ledger
	recent []*pastKeys // the latest first
	past   []*pastKeys // the one that shares most with the plan first
	out    []Prediction
	forced []bool // steps that run, or may run, although their key is known
	// rekeyed: the builder has lost the key of withheld values, and made another.
	rekeyed bool
	unsure  []bool // steps whose key is another only as far as the plan tells
}

// The kinship of two builds, which rises with what they share of what is chosen when
// a build is started.
const (
	strangers = iota
	sameTarget
	sameChoices // and the same build arguments
)

// kinship compares what was chosen for a build with what is now.
func (e *predictor) kinship(b *pastKeys) int {
	switch p, q := e.plan, b.plan; {
	case !p.SameTarget(q):
		return strangers
	case !maps.EqualFunc(buildArgs(p), buildArgs(q), sameArg):
		return sameTarget
	}
	return sameChoices
}

// buildArgs returns the build arguments that were given and reach a step.
func buildArgs(p *cacheplan.Plan) map[string]*cachepolicy.Input {
	out := map[string]*cachepolicy.Input{}
	for i := range p.Steps {
		for j := range p.Steps[i].Inputs {
			if in := &p.Steps[i].Inputs[j]; in.Origin.Kind == cachepolicy.OriginBuildArg {
				out[in.Name] = in
			}
		}
	}
	return out
}

// sameArg reports whether two builds may have been given the same.
func sameArg(a, b *cachepolicy.Input) bool { return inputPair{old: a, new: b}.same() }

// rank sorts the earlier builds by their kinship, and then by how much they share
// with the plan: equal keys, then steps whose own inputs are all equal, then single
// inputs. Among equals the later build wins.
func (e *predictor) rank() {
	type score struct{ strong, own, inputs int }
	inputs := e.plan.InputCounts(e.sets)
	e.past = slices.Clone(e.recent)
	scores := map[*pastKeys]score{}
	for _, b := range e.past {
		b.kinship = e.kinship(b)
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
		return cmp.Or(cmp.Compare(b.kinship, a.kinship), cmp.Compare(x.strong, y.strong), cmp.Compare(x.own, y.own), cmp.Compare(x.inputs, y.inputs))
	})
}

// step predicts one step. Those before it are done.
func (e *predictor) step(i int) (State, []Reason) {
	s, k := &e.plan.Steps[i], e.keys[i]
	noRecord := len(e.past) == 0
	known := k.WeakOK && e.ledger.Weak(k) != record.Unseen
	switch {
	case s.NoCache:
		e.forced[i] = noRecord || !k.WeakOK || known
		return StateReRun, []Reason{{Step: i, Kind: ReasonNoCache}}
	case s.AlwaysRuns():
		return StateReRun, []Reason{{Step: i, Kind: ReasonAlways, Line: s.Setting(cachepolicy.OptionOff).Origin.Line}}
	case e.ledger.Strong(k) == record.Done && e.followsHits(s):
		return StateHit, nil
	}
	if f := e.reRunParent(s); f >= 0 {
		return StateReRun, e.following(i, f)
	}
	if e.followsMarked(s, e.forced) && (noRecord || known) {
		e.forced[i] = true
		return StateUnknown, e.mayFollow(i)
	}
	if e.followsMarked(s, e.unsure) {
		e.unsure[i] = true
		return StateUnknown, append(e.mayFollow(i), e.ownCauses(i)...)
	}
	if noRecord {
		return StateUnknown, []Reason{{Step: i, Kind: ReasonNoRecord}}
	}
	return e.changed(i)
}

// changed predicts a step that follows none that runs again for certain, and of which
// no result is known.
func (e *predictor) changed(i int) (State, []Reason) {
	k := e.keys[i]
	if !k.WeakOK {
		return StateUnknown, e.unresolved(i)
	}
	strong, weak := e.ledger.Strong(k), e.ledger.Weak(k)
	switch {
	case strong == record.Pending:
		return StateUnknown, []Reason{{Step: i, Kind: ReasonUnfinished}} // or another build came through
	case strong == record.Forgotten || weak == record.Forgotten:
		return StateUnknown, []Reason{{Step: i, Kind: ReasonForgotten}}
	case weak == record.Done:
		return StateUnknown, e.mayFollow(i)
	}
	if e.rekeyed && e.plan.Steps[i].Withholds() {
		e.unsure[i] = true
		return StateUnknown, e.withheld(i)
	}
	reasons := e.cause(i)
	if slices.ContainsFunc(reasons, func(r Reason) bool { return !r.keyless }) {
		return StateReRun, reasons
	}
	e.unsure[i] = true
	return StateUnknown, reasons
}

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

// followsMarked reports whether s follows a marked step by definition.
func (e *predictor) followsMarked(s *cacheplan.Step, marked []bool) bool {
	return slices.ContainsFunc(s.Follows, func(f cacheplan.Follow) bool {
		return f.Step >= 0 && f.By != cacheplan.ByContent && marked[f.Step]
	})
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
	return &differ{oldSets: b.sets, newSets: e.sets, old: &b.plan.Steps[old], new: &e.plan.Steps[i], step: i, since: e.since(b)}
}

// since returns the revision that an earlier build was of, if it is known not to be
// the plan's own. That there were changes besides makes no other one.
func (e *predictor) since(b *pastKeys) string {
	commit := func(p *cacheplan.Plan) string { return strings.TrimSuffix(p.Revision, "-dirty") }
	if e.plan.Revision == "" || commit(b.plan) == commit(e.plan) {
		return ""
	}
	return b.plan.Revision
}

// MayBeImported returns what becomes of a prediction if the imported cache may hold the
// step's result.
func (p Prediction) MayBeImported() Prediction {
	if p.State == StateReRun && !slices.ContainsFunc(p.Reasons, func(r Reason) bool { return r.Kind.Asked() }) {
		p.State = StateUnknown
		p.Reasons = slices.Insert(slices.Clone(p.Reasons), 0, Reason{Step: p.Step, Kind: ReasonNotExported})
	}
	return p
}

// NotExported returns what becomes of predictions if results are missing that another
// builder has, those of the steps in missing. A step needs what it follows only if it
// runs: so these are unknown where another step that may run needs them, and hits else.
// It also returns which are needed.
func NotExported(p *cacheplan.Plan, predictions []Prediction, missing []int) (out []Prediction, needed []int) {
	out = slices.Clone(predictions)
	for i := len(out) - 1; i >= 0; i-- {
		if out[i].State == StateHit {
			continue
		}
		for _, f := range p.Steps[i].Follows {
			if f.Step < 0 || out[f.Step].State != StateHit || !slices.Contains(missing, f.Step) || p.Steps[f.Step].ID.Instruction == "FROM" {
				continue
			}
			out[f.Step] = Prediction{Step: f.Step, State: StateUnknown, Reasons: []Reason{{Step: f.Step, Kind: ReasonNotExported}}}
			needed = append(needed, f.Step)
		}
	}
	slices.Sort(needed)
	return out, needed
}
