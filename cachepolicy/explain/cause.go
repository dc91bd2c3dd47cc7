package explain

import (
	"cmp"
	"slices"

	"github.com/cachewright/cachewright/cachepolicy/cacheplan"
)

// following returns the reasons of a step whose parent runs again: the nearest
// step before it that has a cause of its own, and its own causes. A base image
// that moved is the cause of the steps right after it, since FROM runs nothing.
func (e *predictor) following(i, parent int) []Reason {
	s := &e.plan.Steps[i]
	var out []Reason
	if p := &e.plan.Steps[parent]; p.ID.Instruction == "FROM" {
		for _, r := range e.out[parent].Reasons {
			r.Step = i
			out = append(out, r)
		}
	} else {
		cause := parent
		if r := e.out[parent].Reasons; len(r) == 1 && r[0].Kind == ReasonFollows && r[0].Change == "" {
			cause = *r[0].On
		}
		out = append(out, Reason{Step: i, Kind: ReasonFollows, On: &cause, OnName: e.plan.StepName(cause, s)})
	}
	return append(out, e.ownCauses(i)...)
}

// ownCauses returns what differs in the step itself since the nearest build that had it.
func (e *predictor) ownCauses(i int) []Reason {
	if b, old := e.before(i); b != nil && e.keys[i].Own != b.keys[old].Own {
		return e.differ(b, old, i).reasons()
	}
	return nil
}

// before returns the nearest earlier build that had the step, and which step it was
// there; nil if none had. It need not be the nearest build of all: builds of other
// targets and arguments take turns, and one of them may be newer.
func (e *predictor) before(i int) (*pastKeys, int) {
	for _, b := range e.past {
		if old := e.match(b)[i]; old >= 0 {
			return b, old
		}
	}
	return nil, -1
}

// unresolved names the inputs because of which nothing can be said, or the step
// before that has them.
func (e *predictor) unresolved(i int) []Reason {
	s := &e.plan.Steps[i]
	for _, in := range s.Inputs {
		if e.sets.Lacks(&in) {
			return []Reason{{Step: i, Kind: ReasonUnresolved, Name: cmp.Or(in.Name, string(in.Kind)), Line: in.Origin.Line}}
		}
	}
	return e.mayFollow(i)
}

// withheld names the withheld input of which it is not known what it was before.
func (e *predictor) withheld(i int) []Reason {
	for _, in := range e.plan.Steps[i].Inputs {
		if in.Secret {
			return []Reason{{Step: i, Kind: ReasonUnresolved, Name: cmp.Or(in.Name, string(in.Kind)), Line: in.Origin.Line}}
		}
	}
	return nil
}

// mayFollow names what the step follows and nothing certain is known of: what is most
// certain to have changed.
func (e *predictor) mayFollow(i int) []Reason {
	s := &e.plan.Steps[i]
	follows := func(on int) []Reason {
		return []Reason{{Step: i, Kind: ReasonMayFollow, On: &on, OnName: e.plan.StepName(on, s)}}
	}
	for _, f := range s.Follows {
		if f.Step >= 0 && e.out[f.Step].State == StateReRun {
			return follows(f.Step)
		}
	}
	if moved := e.moved(i); len(moved) > 0 {
		return moved
	}
	for _, f := range s.Follows {
		switch {
		case f.Step < 0 && f.Digest == "":
			return []Reason{{Step: i, Kind: ReasonUnresolved, Name: f.Source}}
		case f.Step >= 0 && e.out[f.Step].State != StateHit:
			return follows(f.Step)
		}
	}
	for _, f := range s.Follows {
		if f.Step < 0 {
			return []Reason{{Step: i, Kind: ReasonMayHaveMoved, Name: f.Source}}
		}
	}
	return []Reason{{Step: i, Kind: ReasonCombination}}
}

// moved names what the step takes from elsewhere that has another digest than in the
// nearest build. What is taken of it may still be the same.
func (e *predictor) moved(i int) []Reason {
	b, old := e.before(i)
	if b == nil {
		return nil
	}
	out := e.differ(b, old, i).sources()
	for n := range out {
		out[n].Step, out[n].Kind = i, ReasonMayHaveMoved
	}
	return out
}

// cause returns why a step runs again although no step before it does. It compares
// with an earlier build in which what the step follows was the same, if there is
// one of the same choices as the nearest build.
func (e *predictor) cause(i int) []Reason {
	nearest, old := e.before(i)
	if nearest == nil {
		return []Reason{{Step: i, Kind: ReasonNewStep}}
	}
	for _, b := range e.past {
		if old := e.match(b)[i]; b.kinship == nearest.kinship && old >= 0 && e.sameParents(b, old, i) {
			if r := e.differ(b, old, i).reasons(); len(r) > 0 {
				return r
			}
		}
	}
	if e.keys[i].Own != nearest.keys[old].Own {
		if r := e.differ(nearest, old, i).reasons(); len(r) > 0 {
			return r
		}
	}
	if r, ok := e.order(nearest, old, i); ok {
		return []Reason{r}
	}
	if r := e.changedParent(nearest, old, i); len(r) > 0 {
		return r
	}
	if r := e.differ(nearest, old, i).unnamed(); len(r) > 0 {
		return r
	}
	if r, ok := e.keptBack(nearest, old, i); ok {
		return []Reason{r}
	}
	return []Reason{{Step: i, Kind: ReasonCombination}}
}

// keptBack returns the reason of a step with an input of which another builder has kept
// to itself what it was.
func (e *predictor) keptBack(b *pastKeys, old, i int) (Reason, bool) {
	for _, in := range b.plan.Steps[old].Inputs {
		if in.Secret && in.Unresolved {
			return Reason{Step: i, Kind: ReasonUnresolved, Name: in.Name, Line: in.Origin.Line, keyless: true}, true
		}
	}
	return Reason{}, false
}

// changedParent returns the reasons of a step that is as it was in an earlier build, and
// follows one that is not: the cache has that as it is now from another build.
func (e *predictor) changedParent(b *pastKeys, old, i int) []Reason {
	s, before := &e.plan.Steps[i], &b.plan.Steps[old]
	for n, f := range s.Follows {
		if f.Step < 0 || f.By == cacheplan.ByContent || n >= len(before.Follows) {
			continue
		}
		was := before.Follows[n].Step
		if was < 0 || e.keys[f.Step].Weak == b.keys[was].Weak {
			continue
		}
		var out []Reason
		switch {
		case e.plan.Steps[f.Step].ID.Instruction == "FROM":
			out = e.differ(b, was, f.Step).reasons()
		case e.keys[f.Step].Own == b.keys[was].Own:
			out = e.changedParent(b, was, f.Step)
		}
		if len(out) == 0 {
			out = []Reason{{Kind: ReasonFollows, Change: Changed, On: &f.Step}}
		}
		for n := range out {
			if out[n].Step = i; out[n].On != nil {
				out[n].OnName = e.plan.StepName(*out[n].On, s)
			}
		}
		return out
	}
	return nil
}

// sameParents reports whether the old step followed the same by definition.
func (e *predictor) sameParents(b *pastKeys, old, i int) bool {
	parents := func(p *cacheplan.Plan, keys []cacheplan.StepKeys, s *cacheplan.Step) []cacheplan.Sum {
		var out []cacheplan.Sum
		for _, f := range s.Follows {
			if f.Step >= 0 && f.By != cacheplan.ByContent {
				out = append(out, keys[f.Step].Weak)
			}
		}
		return out
	}
	return slices.Equal(parents(b.plan, b.keys, &b.plan.Steps[old]), parents(e.plan, e.keys, &e.plan.Steps[i]))
}

// order returns the reason of a step that comes after another one than before.
func (e *predictor) order(b *pastKeys, old, i int) (Reason, bool) {
	matched := e.match(b)
	for n, f := range b.plan.Steps[old].Follows {
		if f.Step < 0 || f.By == cacheplan.ByContent {
			continue
		}
		now := e.plan.Steps[i].Follows
		if n >= len(now) || now[n].Step < 0 || matched[now[n].Step] != f.Step {
			return Reason{Step: i, Kind: ReasonOrder, Change: Changed, Old: b.plan.Steps[f.Step].Title(), Since: e.since(b)}, true
		}
	}
	return Reason{}, false
}
