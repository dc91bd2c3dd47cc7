package advice

import (
	"maps"
	"slices"

	"github.com/cachewright/cachewright/cachepolicy/record"
)

// history has the states that the recorded builds were in.
type history struct {
	states []state // the oldest first
	// first is the state of each fact that changed, before it did.
	first map[record.Fact]string
	// changing are the facts that are files, sorted by their context and path.
	changing []record.Fact
	entries  []record.LogEntry
	// ran is how often each instruction ran, by the log; doubtful are those of which the
	// simulation says otherwise.
	ran      map[stepName]int
	doubtful map[stepName]bool
}

// state is what steps are keyed by in one build, as far as it ever changed.
type state struct {
	facts map[record.Fact]string
	// unlike is not empty where more changed than is known: then no step with files is as
	// in an earlier build.
	unlike string
}

// newHistory follows the changes from build to build.
func newHistory(log []record.LogEntry) *history {
	h := &history{first: map[record.Fact]string{}, entries: log}
	byID := map[string]state{}
	for n, e := range log {
		before, known := byID[e.Base]
		now := state{facts: maps.Clone(before.facts), unlike: before.unlike}
		if now.facts == nil {
			now.facts = map[record.Fact]string{}
		}
		if e.More > 0 || !known && n > 0 && e.Base == "" {
			now.unlike = e.ID
		}
		for _, c := range e.Changes {
			now.facts[c.Fact] = c.New
			if _, seen := h.first[c.Fact]; !seen {
				h.first[c.Fact] = c.Old
			}
		}
		byID[e.ID] = now
		h.states = append(h.states, now)
	}
	for f := range h.first {
		if f.Kind == record.ChangeFile {
			h.changing = append(h.changing, f)
		}
	}
	slices.SortFunc(h.changing, func(a, b record.Fact) int {
		return slices.Compare([]string{a.Context, a.Name}, []string{b.Context, b.Name})
	})
	return h
}

// is returns the state of a fact that changed at some time.
func (h *history) is(s state, f record.Fact) string {
	if value, ok := s.facts[f]; ok {
		return value
	}
	return h.first[f]
}

// check compares what the simulation of the file as it is says with what is recorded. It
// cannot know of builds that failed, of --no-cache, and of results that were removed.
func (h *history) check(p *Project, t tally) {
	h.ran, h.doubtful = map[stepName]int{}, map[stepName]bool{}
	for _, e := range h.entries {
		for _, i := range e.Ran {
			if i < len(p.Plan.Steps) {
				h.ran[nameOf(&p.Plan.Steps[i])]++
			}
		}
	}
	const tolerance = 10 // a tenth, and at least 1
	for name, r := range t {
		if off := r.perhaps - h.ran[name]; max(off, -off) > max(1, r.perhaps/tolerance) {
			h.doubtful[name] = true
		}
	}
}

// explains reports whether the simulation was right about some steps until now.
func (h *history) explains(steps []Saving) bool {
	return !slices.ContainsFunc(steps, func(s Saving) bool {
		for name := range h.doubtful {
			if name.text == s.Step {
				return true
			}
		}
		return false
	})
}
