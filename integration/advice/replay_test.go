package advice

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"
	"text/tabwriter"

	"github.com/cachewright/cachewright/cachepolicy/advice"
	"github.com/cachewright/cachewright/cachepolicy/report"
	"github.com/cachewright/cachewright/integration/sandbox"
	"github.com/cachewright/cachewright/integration/scenario"
)

// outcome is what was promised, and how often commands ran without and with it.
type outcome struct {
	suggestions   []advice.Suggestion
	before, after int
}

// TestReplay prints what was promised beside what happened. It fails if another number of
// runs is saved than the advice says, and if a command runs more often.
func TestReplay(t *testing.T) {
	var table strings.Builder
	w := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "project\tbuilds\tadvice\truns before\tafter\tpromised\thappened")
	for _, s := range shapes() {
		t.Run(s.name, func(t *testing.T) {
			o := s.replay(t)
			var kinds []string
			low, high := 0, 0
			for _, a := range o.suggestions {
				kinds = append(kinds, string(a.Kind))
				low += a.Saves
				high += max(a.Saves, a.UpTo)
			}
			if strings.Join(kinds, " ") != strings.Join(s.want, " ") {
				t.Errorf("advice is %q, want %q", kinds, s.want)
			}
			happened := o.before - o.after
			if happened < low || happened > high {
				t.Errorf("promised %d to %d, happened %d", low, high, happened)
			}
			promised := fmt.Sprint(low)
			if high > low {
				promised += fmt.Sprintf(" to %d", high)
			}
			fmt.Fprintf(w, "%s\t%d\t%s\t%d\t%d\t%s\t%d\n", s.name, len(s.edits)+1, strings.Join(kinds, ", "), o.before, o.after, promised, happened)
		})
	}
	w.Flush()
	t.Log("\n" + table.String())
}

// replay records the project's history, asks for advice, gives all that is printed to
// git, and repeats the history.
func (s *shape) replay(t *testing.T) outcome {
	base := scenario.NewRepository() + ":latest"
	recorded := s.start(t, base)
	before := s.build(recorded)
	text, suggestions := ask(recorded)
	t.Log("\n" + text)
	if len(suggestions) == 0 {
		return outcome{nil, before, before}
	}
	p := s.start(t, base)
	git(p, text, "apply")
	return outcome{suggestions, before, s.build(p)}
}

// start makes the project anew, on a base image that no builder has seen.
func (s *shape) start(t *testing.T, base string) *scenario.Project {
	sb := scenario.Start(t, sandbox.Busybox)
	p := &scenario.Project{T: t, Sandbox: sb, ID: scenario.NewID()}
	p.Context, p.Frontend = t.TempDir(), sandbox.FrontendRef
	for name, text := range s.files {
		p.Write(name, text)
	}
	p.Attr("vcs:source", p.ID) // no other project's builds count
	p.PushImage(base, p.NewBase(sandbox.File{Path: "usr/bin/npm", Mode: 0o755, Body: npm}))
	p.Write("Dockerfile", strings.ReplaceAll(s.dockerfile, "$BASE", base))
	return p
}

// build builds the project before the first edit and after each, and returns how often a
// RUN ran.
func (s *shape) build(p *scenario.Project) int {
	p.T.Helper()
	p.Args = maps.Clone(p.Args)
	n := 0
	count := func() {
		for _, step := range scenario.Steps(p.Solve()) {
			if strings.HasPrefix(step.Text, "RUN ") && step.State() == "ran" {
				n++
			}
		}
	}
	count()
	for _, edit := range s.edits {
		edit(p)
		count()
	}
	return n
}

// ask asks for advice.
func ask(p *scenario.Project) (string, []advice.Suggestion) {
	p.T.Helper()
	answer := p.Ask("cache-advice")
	var d report.Document
	p.Must(json.Unmarshal(answer["result.json"], &d))
	return string(answer["result.txt"]), d.Advice.Suggestions
}
