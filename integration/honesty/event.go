package honesty

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cachewright/cachewright/integration/scenario"
)

// event is one build with all that was said about it, and what it did.
type event struct {
	Build
	view      *View
	predicted *answer         // of --call=cache before; nil if it failed
	said      *answer         // the build's own, in its metadata
	steps     []scenario.Step // from the status stream
	warnings  int
	err       error
	cancelled bool
	also      *event // the build at the same time, done after this one in the history
	beside    *event // likewise, in both directions

	number int // among the remembered ones

	results, records int // how often results and records were pruned before

	states map[stepID]string // what became of steps: cached, ran, failed
}

// stepID tells a project's steps apart, through all edits.
type stepID struct {
	stage string
	id    int
}

func (s *Step) key() stepID { return stepID{s.Stage, s.ID} }

// streamed is a step of the status stream with the model's step.
type streamed struct {
	*Step
	State string // cached, ran, failed, or skipped where nothing is known
	Note  string
	From  bool // it is a FROM, which the model has no step for
	Name  string
}

// stream returns the steps of the build's first platform by their numbers. What ADD
// loads has a step with the number of the one that needs it, and is left out.
func (e *event) stream() map[string]streamed {
	out := map[string]streamed{}
	taken := map[string]scenario.Step{}
	platform, _, several := strings.Cut(e.Platform, ",")
	for _, s := range e.steps {
		if strings.HasPrefix(s.Text, "LINK ") || several && !strings.HasPrefix(s.Number, platform) {
			continue
		}
		number := plainNumber(s.Number)
		if before, ok := taken[number]; ok && slices.Contains(before.Inputs, s.Digest) {
			continue
		}
		taken[number] = s
		out[number] = streamed{Step: e.view.numbered(number), State: e.state(s), Note: s.Note, From: strings.HasPrefix(s.Text, "FROM "), Name: s.Name}
	}
	return out
}

// state says what became of a step, as far as it is certain.
func (e *event) state(s scenario.Step) string {
	switch {
	case strings.Contains(s.Error, "canceled"):
		return "skipped"
	case s.Error != "":
		return "failed"
	case s.Cached && e.err != nil:
		return "skipped" // the daemon says so, too, of a step whose key alone it has computed
	case s.Cached:
		return "cached"
	case s.Started != nil && s.Completed != nil:
		return "ran"
	}
	return "skipped"
}

// trace tells what a build did and what was said of it, for people.
func (e *event) trace() string {
	var b strings.Builder
	steps, predicted := e.stream(), map[string]prediction{}
	if e.predicted != nil {
		predicted = e.predicted.byNumber()
	}
	for _, number := range sortedNames(steps) {
		p := predicted[number]
		fmt.Fprintf(&b, "\n  %-8s predicted %s %s: %s", steps[number].State, p.State, describe(p.Reasons), steps[number].Name)
	}
	fmt.Fprintf(&b, "\n  %v", e.err)
	return b.String()
}
