// Package predict_test builds on a real daemon what --call=cache predicts: after a
// change, every step predicted as a hit comes from the cache, and every one
// predicted to run again runs. The builds go through the frontend's image.
package predict_test

import (
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/cachewright/cachewright/cachepolicy/cacheplan"
	"github.com/cachewright/cachewright/cachepolicy/explain"
	"github.com/cachewright/cachewright/cachepolicy/report"
	"github.com/cachewright/cachewright/integration/sandbox"
	"github.com/cachewright/cachewright/integration/scenario"
)

type (
	// combination is a build, a change, the prediction, and the build that shows
	// whether it was right. Wanted are the steps of which nothing can be said, by
	// their number as in "app 2/3": all others have to be predicted.
	combination = scenario.Rebuild[[]string]
	project     = scenario.Project
)

// tally counts predictions by what they say.
type tally struct {
	sync.Mutex
	combinations int
	states       map[explain.State]int
}

// TestPredictions runs all tables on one daemon.
func TestPredictions(t *testing.T) {
	sb := scenario.Start(t)
	w := scenario.NewWeb(t)
	total := tally{states: map[explain.State]int{}}
	scenario.Run(t, map[string][]combination{
		"edits": edits(), "stages": stages(), "mounts": mounts(), "copies": copies(), "variables": variables(),
		"options": options(), "contexts": contexts(), "remote": remote(w), "rules": rules(), "key": keys(w),
	}, func(t *testing.T, c combination) { run(scenario.New(t, sb, c), c, &total) })
	steps := 0
	for _, n := range total.states {
		steps += n
	}
	t.Logf("%d combinations, %d steps: %d hit, %d re-run, %d unknown", total.combinations, steps,
		total.states[explain.StateHit], total.states[explain.StateReRun], total.states[explain.StateUnknown])
}

// run builds, changes, predicts, builds again and compares.
func run(p *project, c combination, total *tally) {
	p.T.Helper()
	p.Solve()
	if c.Change != nil {
		c.Change(p)
	}
	predicted := predict(p)
	built := p.Solve()
	compare(p, predicted, states(built), c.Want)
	if p.T.Failed() {
		p.T.Logf("%s\n%s", built, report.Table(predicted.Plan, predicted.Predictions))
	}
	total.Lock()
	defer total.Unlock()
	total.combinations++
	for _, pr := range predicted.Predictions {
		total.states[pr.State]++
	}
}

// answer is the JSON form of --call=cache.
type answer struct {
	Plan        *cacheplan.Plan      `json:"plan"`
	Predictions []explain.Prediction `json:"predictions"`
}

// predict asks the frontend's image as --call=cache does.
func predict(p *project) *answer {
	p.T.Helper()
	var out answer
	p.Must(json.Unmarshal(p.Ask("cache")["result.json"], &out))
	return &out
}

// compare checks predictions by what the build did. FROM runs nothing.
func compare(p *project, a *answer, built map[string]string, unknown []string) {
	p.T.Helper()
	if len(a.Predictions) == 0 || len(a.Predictions) != len(a.Plan.Steps) {
		p.T.Fatalf("%d predictions for %d steps", len(a.Predictions), len(a.Plan.Steps))
	}
	var open []string
	for i, pr := range a.Predictions {
		s := &a.Plan.Steps[i]
		number, _, _ := strings.Cut(strings.TrimPrefix(s.Name, "["), "] ")
		if pr.State == explain.StateUnknown {
			open = append(open, number)
		}
		if s.ID.Instruction == "FROM" {
			continue
		}
		got, ok := built[number]
		if !ok {
			p.T.Errorf("%s: it was not built", s.Name)
		}
		want := map[explain.State]string{explain.StateHit: "cached", explain.StateReRun: "ran"}[pr.State]
		if want != "" && got != want {
			p.T.Errorf("%s: predicted %s (%s), but %s", s.Name, pr.State, explain.Text(pr.Reasons), got)
		}
	}
	if !slices.Equal(open, unknown) {
		p.T.Errorf("unknown are %q, want %q", open, unknown)
	}
}

// states are the states of a build's steps by their number, as in "2/3" or
// "app 2/3".
func states(r *sandbox.Result) map[string]string {
	out := map[string]string{}
	for _, step := range scenario.Steps(r) {
		if !strings.HasPrefix(step.Text, "FROM ") && !strings.HasPrefix(step.Text, "LINK ") {
			out[step.Number] = step.State()
		}
	}
	return out
}
