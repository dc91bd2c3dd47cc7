package honesty

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/cachewright/cachewright/integration/sandbox"
	"github.com/cachewright/cachewright/integration/scenario"
)

// said is what a build said and did about the one RUN of a project.
type said struct {
	state string // of the step
	note  string
	prediction
}

// TestJudge gives the judge two builds of a project, and what is wrong with what the
// second one said.
func TestJudge(t *testing.T) {
	reRun := func(r reason) prediction { return prediction{State: "re-run", Reasons: []reason{r}} }
	text := reRun(reason{Kind: "command-changed"})
	for _, c := range []struct {
		name   string
		change func(*Project)
		prune  bool
		lose   bool // the records
		fail   bool
		second said
		want   []string
	}{
		{name: "hit", second: said{state: "cached", prediction: prediction{State: "hit"}}},
		{name: "hit that ran", second: said{state: "ran", note: "instruction changed", prediction: prediction{State: "hit"}}, want: []string{"wrong: hit ran"}},
		{name: "hit after a prune", prune: true, second: said{state: "ran", prediction: prediction{State: "hit"}}},
		{name: "re-run", change: edited("echo 2"), second: said{state: "ran", note: "instruction changed", prediction: text}},
		{name: "re-run that is cached", change: edited("echo 2"), second: said{state: "cached", prediction: text}, want: []string{"wrong: re-run cached: command-changed"}},
		{name: "note on cached", change: edited("echo 2"), second: said{state: "cached", note: "instruction changed", prediction: text},
			want: []string{"wrong: re-run cached: command-changed", "wrong: note on cached: command-changed"}},
		{name: "no note", change: edited("echo 2"), second: said{state: "ran", prediction: prediction{State: "unknown"}}, want: []string{"silent: text differs"}},
		{name: "false cause", change: edited("echo 2"), second: said{state: "ran", note: "ARG A 1 → 2", prediction: reRun(reason{Kind: "arg-changed", Change: "changed", Name: "A"})},
			want: []string{"wrong: false cause: prediction: arg-changed", "wrong: false cause: note: arg-changed"}},
		{name: "file of another step", change: func(p *Project) { p.Files["a"] = File{"2", 0o644} },
			second: said{state: "ran", note: "a changed", prediction: reRun(reason{Kind: "file-changed", Name: "a"})},
			want:   []string{"wrong: false cause: prediction: file-changed", "wrong: false cause: note: file-changed"}},
		{name: "new step that is old", second: said{state: "ran", note: "new step", prediction: reRun(reason{Kind: "new-step"})},
			want: []string{"wrong: false cause: prediction: new-step", "wrong: false cause: note: new-step"}},
		{name: "new step", change: func(p *Project) {
			p.Dockerfiles["Dockerfile"].Stages[0].Steps[0] = &Instruction{ID: 2, Word: "COPY", Text: "a /a", Source: "a"}
		}, second: said{state: "ran", note: "new step", prediction: reRun(reason{Kind: "new-step"})}},
		{name: "result older than the record", lose: true, second: said{state: "cached", note: "new step", prediction: reRun(reason{Kind: "new-step"})}},
		{name: "cached in a build that fails", fail: true, change: edited("echo 2"), second: said{state: "cached", note: "instruction changed", prediction: text}},
		{name: "no cache", second: said{state: "ran", note: "no cache was asked for", prediction: reRun(reason{Kind: "no-cache"})},
			want: []string{"wrong: no-cache without one: prediction", "wrong: no-cache without one: note"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &State{Images: map[string]int{"base0": 1}, Projects: []*Project{{
				Files:       map[string]File{"a": {"1", 0o644}},
				Dockerfiles: map[string]*Dockerfile{"Dockerfile": {Stages: []*Stage{{Name: "s", Base: "base0", Steps: []*Instruction{{ID: 1, Word: "RUN", Text: "echo 1"}}}}}},
			}}}
			j := newJudge(NewTally())
			j.build(newEvent(s, said{state: "ran"}, 0))
			if c.change != nil {
				c.change(s.Projects[0])
			}
			pruned := 0
			if c.prune {
				pruned = 1
			}
			second := newEvent(s, c.second, pruned)
			if c.lose {
				second.records = 1
			}
			if c.fail {
				second.err = errors.New("failed")
			}
			j.build(second)
			var got []string
			for _, f := range j.findings {
				got = append(got, f.Kind)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("found %q, want %q", got, c.want)
			}
		})
	}
}

func edited(text string) func(*Project) {
	return func(p *Project) { p.Dockerfiles["Dockerfile"].Stages[0].Steps[0].Text = text }
}

// newEvent returns a build of the project of which that was said.
func newEvent(s *State, what said, pruned int) *event {
	o := Options{File: "Dockerfile"}
	var a answer
	if what.State != "" {
		a.Plan.Steps = append(a.Plan.Steps, struct {
			Name string `json:"name"`
		}{"[2/2] RUN"})
		a.Predictions = append(a.Predictions, struct {
			Step    int      `json:"step"`
			State   string   `json:"state"`
			Reasons []reason `json:"reasons"`
		}{0, what.State, what.Reasons})
	}
	now := time.Now()
	step := scenario.Step{Step: &sandbox.Step{Name: "[2/2] RUN", Started: &now, Completed: &now, Cached: what.state == "cached"}, Number: "2/2", Text: "RUN", Note: what.note}
	return &event{Build: Build{Options: o}, view: NewView(s, o), predicted: &a, said: &a, steps: []scenario.Step{step}, results: pruned}
}

// TestGenerate makes the same world twice, and worlds in which an action does
// nothing when others are left out.
func TestGenerate(t *testing.T) {
	for seed := range uint64(50) {
		w, again := Generate(seed, 8), Generate(seed, 8)
		if w.Script(nil) != again.Script(nil) {
			t.Errorf("seed %d makes two worlds", seed)
		}
		for at := range w.Actions {
			s := w.Begin.Clone()
			for n, a := range w.Actions {
				if n != at {
					a.Edit(s)
				}
			}
		}
	}
}

// TestShrink finds the two actions of many that matter.
func TestShrink(t *testing.T) {
	w := Generate(3, 10)
	matter := []string{fmt.Sprint(w.Actions[2]), fmt.Sprint(w.Actions[len(w.Actions)-1])}
	small := Shrink(t.Context(), w, func(w *World) bool {
		return !slices.ContainsFunc(matter, func(text string) bool {
			return !slices.ContainsFunc(w.Actions, func(a Action) bool { return fmt.Sprint(a) == text })
		})
	})
	if len(small.Actions) != 2 {
		t.Errorf("%d actions are left:\n%s", len(small.Actions), small.Script(nil))
	}
}

// TestView numbers steps as progress output does and tells apart what they see.
func TestView(t *testing.T) {
	d := &Dockerfile{Stages: []*Stage{
		{Name: "c", Base: "base1", Steps: []*Instruction{{ID: 5, Word: "RUN", Text: "y"}}},
		{Name: "a", Base: "base0", Steps: []*Instruction{{ID: 1, Word: "ARG", Text: "V=1"}, {ID: 2, Word: "RUN", Text: "x"}}},
		{Name: "b", Base: "a", Steps: []*Instruction{{ID: 3, Word: "COPY", Text: "f /f", Source: "f"}, {ID: 4, Word: "COPY", Flags: "--from=c", From: "c", Text: "/r5 /"}}},
		{Name: "d", Base: "a", Steps: []*Instruction{{ID: 6, Word: "RUN", Text: "z"}}},
	}}
	s := &State{Images: map[string]int{}, Projects: []*Project{{Files: map[string]File{"f": {"1", 0o644}}, Dockerfiles: map[string]*Dockerfile{"D": d}}}}
	view := func(o Options) map[string]string {
		o.File = "D"
		out := map[string]string{}
		for _, step := range NewView(s, o).Steps {
			out[step.Number] = step.Print
		}
		return out
	}
	before := view(Options{Target: "b"})
	if got := sortedNames(before); !slices.Equal(got, []string{"a 2/2", "b 1/2", "b 2/2", "c 2/2"}) {
		t.Errorf("steps %q", got)
	}
	s.Projects[0].Files["f"] = File{"2", 0o644}
	file := view(Options{Target: "b"})
	arg := view(Options{Target: "b", Args: map[string]string{"V": "2"}})
	for number, changed := range map[string][2]bool{"a 2/2": {false, true}, "b 1/2": {true, true}, "b 2/2": {true, true}, "c 2/2": {false, false}} {
		if got := [2]bool{file[number] != before[number], arg[number] != file[number]}; got != changed {
			t.Errorf("%s changed with the file and the argument: %v, want %v", number, got, changed)
		}
	}
}
