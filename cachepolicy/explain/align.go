package explain

import (
	"slices"

	"github.com/cachewright/cachewright/cachepolicy/cacheplan"
)

// align finds, for each step of the plan to, the step of the plan from that it was
// before: the index in from, or -1. Stages are matched by name, then in order; in
// a stage, steps are matched where the instruction is the same, then in order
// where the keyword is. It takes time linear in the number of steps.
func align(from, to *cacheplan.Plan) []int {
	out := make([]int, len(to.Steps))
	for i := range out {
		out[i] = -1
	}
	oldStages, newStages := stagesOf(from), stagesOf(to)
	for n, o := range matchStages(oldStages, newStages, from.Target == to.Target) {
		if o >= 0 {
			alignStage(from, to, oldStages[o].steps, newStages[n].steps, out)
		}
	}
	return out
}

// stageSteps are the indexes of one stage's steps.
type stageSteps struct {
	name  string
	steps []int
}

// stagesOf returns the stages that a plan has steps of, in order.
func stagesOf(p *cacheplan.Plan) []stageSteps {
	var out []stageSteps
	index := map[int]int{}
	for i := range p.Steps {
		id := &p.Steps[i].ID
		n, ok := index[id.StageIndex]
		if !ok {
			n = len(out)
			index[id.StageIndex] = n
			out = append(out, stageSteps{name: id.Stage})
		}
		out[n].steps = append(out[n].steps, i)
	}
	return out
}

// matchStages returns for each new stage the old one, or -1. Stages that were renamed
// are matched in order, unless other stages are built altogether.
func matchStages(from, to []stageSteps, renamed bool) []int {
	byName := map[string][]int{}
	for i, s := range from {
		byName[s.name] = append(byName[s.name], i)
	}
	out := make([]int, len(to))
	used := make([]bool, len(from))
	for i, s := range to {
		out[i] = -1
		if olds := byName[s.name]; len(olds) > 0 {
			out[i], byName[s.name] = olds[0], olds[1:]
			used[olds[0]] = true
		}
	}
	if !renamed {
		return out
	}
	next := 0
	for i := range to {
		for next < len(from) && used[next] {
			next++
		}
		if out[i] < 0 && next < len(from) {
			out[i] = next
			used[next] = true
		}
	}
	return out
}

// alignStage matches the steps of one stage: the equal ones at both ends, then
// equal ones anywhere, then those with the same keyword in order.
func alignStage(from, to *cacheplan.Plan, olds, news []int, out []int) {
	same := func(o, n int) bool { return from.Steps[o].Text() == to.Steps[n].Text() }
	for len(olds) > 0 && len(news) > 0 && same(olds[0], news[0]) {
		out[news[0]] = olds[0]
		olds, news = olds[1:], news[1:]
	}
	for len(olds) > 0 && len(news) > 0 && same(olds[len(olds)-1], news[len(news)-1]) {
		out[news[len(news)-1]] = olds[len(olds)-1]
		olds, news = olds[:len(olds)-1], news[:len(news)-1]
	}
	olds, news = pair(olds, news, out, func(o int) string { return from.Steps[o].Text() }, func(n int) string { return to.Steps[n].Text() })
	pair(olds, news, out, func(o int) string { return from.Steps[o].ID.Instruction }, func(n int) string { return to.Steps[n].ID.Instruction })
}

// pair matches steps with the same name, first to first, and returns the rest.
func pair(olds, news, out []int, oldName, newName func(int) string) (restOld, restNew []int) {
	byName := map[string][]int{}
	for _, o := range olds {
		byName[oldName(o)] = append(byName[oldName(o)], o)
	}
	for _, n := range news {
		name := newName(n)
		if candidates := byName[name]; len(candidates) > 0 {
			out[n], byName[name] = candidates[0], candidates[1:]
		} else {
			restNew = append(restNew, n)
		}
	}
	for _, rest := range byName {
		restOld = append(restOld, rest...)
	}
	slices.Sort(restOld)
	return restOld, restNew
}
