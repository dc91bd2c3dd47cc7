package honesty

import (
	"fmt"
	"slices"
	"strings"
)

// Finding is one statement that is wrong, or one that is missing.
type Finding struct {
	Kind   string // the same for findings of one sort
	Action int    // index of the build in the world's actions
	Text   string
}

// judge compares what is said about the builds of a world with what they do.
type judge struct {
	tally    *Tally
	action   int
	past     []*event
	seen     map[string]int // fingerprints of steps that have a result: how often results were pruned then
	asked    map[string]int // likewise, how often records were pruned
	findings []Finding
}

func newJudge(tally *Tally) *judge {
	return &judge{tally: tally, seen: map[string]int{}, asked: map[string]int{}}
}

// build judges one build and, where there is one, the one at the same time, and
// remembers them.
func (j *judge) build(e *event) {
	j.one(e)
	if e.also != nil {
		j.one(e.also)
		j.remember(e.also)
	}
	j.remember(e)
}

// one judges one build by those that are remembered.
func (j *judge) one(e *event) {
	steps := e.stream()
	e.states = map[stepID]string{}
	for _, s := range steps {
		if s.Step != nil {
			e.states[s.key()] = s.State
		}
	}
	j.tally.build(e)
	for _, number := range sortedNames(steps) {
		s := steps[number]
		if s.Step == nil && e.beside != nil {
			continue // the daemon names a step that two builds share after either
		}
		if s.Step == nil && !s.From {
			j.find("harness: unknown step", s, "no step of the model is numbered so")
			continue
		}
		if e.also != nil || e.beside == nil { // predictions are for the first of two builds
			j.prediction(e, s, number, steps)
		}
		j.note(e, s, number, steps)
	}
}

// remember adds a build to what later ones are judged by.
func (j *judge) remember(e *event) {
	e.number = len(j.past)
	answered := j.answered(e)
	for _, s := range e.view.Steps {
		if state := e.states[s.key()]; state == "ran" || state == "cached" {
			j.seen[s.Print] = e.results
			for _, name := range s.names() {
				if _, ok := j.asked[name]; !ok || !answered {
					j.asked[name] = e.records
				}
			}
		}
	}
	j.past = append(j.past, e)
}

// find adds a finding.
func (j *judge) find(kind string, s streamed, format string, args ...any) {
	f := Finding{Kind: kind, Action: j.action, Text: fmt.Sprintf("%s: %s", s.Name, fmt.Sprintf(format, args...))}
	j.findings = append(j.findings, f)
}

// wrong adds a finding that counts as a wrong statement.
func (j *judge) wrong(kind string, s streamed, format string, args ...any) {
	j.find("wrong: "+kind, s, format, args...)
	j.tally.wrong(kind)
}

// lost reports whether the builder may have lost the step's result.
func (j *judge) lost(e *event, s streamed) bool {
	pruned, ok := j.seen[s.Print]
	return e.results > 0 && (!ok || pruned < e.results)
}

// recorded returns the earlier builds of the same Dockerfile that the record must
// have. Clients name directories in ways of their own, so that a builder need not know
// what another client built for a build of the same directory.
func (j *judge) recorded(e *event) []*event {
	var out []*event
	for _, p := range j.past {
		if p.File == e.File && e.sees(p) && !j.answered(p) {
			out = append(out, p)
		}
	}
	return out
}

// sees reports whether a build's record is the one that an earlier build wrote into.
func (e *event) sees(p *event) bool {
	return p.Project == e.Project && p.Client == e.Client && p.records == e.records
}

// answered reports whether the builder had the record's answer to a build in its cache,
// from an equal build that wrote into another record: that the same build was asked for
// again is then in none.
func (j *judge) answered(e *event) bool {
	return slices.ContainsFunc(j.past, func(p *event) bool {
		return p.number < e.number && !e.sees(p) && p.Target == e.Target && p.view.print() == e.view.print() && p.combination(false) == e.combination(false)
	})
}

// forgotten reports whether the builder may have a step's result from a build of which
// all records were removed since, so that nobody can know of it. A step that takes
// files has that result also where they are made in another way now.
func (j *judge) forgotten(e *event, s streamed) bool {
	if s.Step == nil {
		return false
	}
	for _, name := range s.names() {
		if before, ok := j.asked[name]; ok && before < e.records {
			return true
		}
	}
	return false
}

// names are what results are remembered by that only records knew.
func (s *Step) names() []string {
	if s.From == nil && len(s.Files) == 0 {
		return []string{s.Print}
	}
	return []string{s.Print, s.Stage + " " + s.Text}
}

// prediction judges what --call=cache said of a step.
func (j *judge) prediction(e *event, s streamed, number string, steps map[string]streamed) {
	if e.predicted == nil || s.From {
		return
	}
	p, ok := e.predicted.byNumber()[number]
	if !ok {
		return
	}
	if len(j.recorded(e)) > 0 {
		j.tally.predicted(p)
	}
	switch {
	case s.State == "skipped":
		return
	case p.State == "hit" && s.State != "cached" && !j.lost(e, s):
		j.wrong("hit "+s.State, s, "predicted hit")
	case p.State == "re-run" && s.State == "cached" && e.beside == nil && j.forgotten(e, s):
		j.tally.forgotten()
	case p.State == "re-run" && s.State == "cached" && e.beside == nil:
		j.wrong("re-run cached: "+kinds(p.Reasons), s, "predicted re-run: %s", describe(p.Reasons))
	}
	if p.State == "re-run" {
		j.reasons("prediction", e, s, p.Reasons, steps)
	}
	if p.State == "unknown" && s.State == "ran" {
		j.hedge("prediction", e, s, p.Reasons, steps)
	}
}

// note judges what the build said behind a step's name, or did not say.
func (j *judge) note(e *event, s streamed, number string, steps map[string]streamed) {
	said, ok := e.said.byNumber()[number]
	if !ok && e.predicted != nil { // a failed build has no metadata
		said = e.predicted.byNumber()[number]
	}
	hedged := strings.HasSuffix(s.Note, "if that changed")
	switch {
	case s.Note == "":
		if s.State == "ran" && !s.From {
			j.silence(e, s)
		}
		return
	case s.State == "cached" && !s.From && !hedged && e.beside == nil && j.forgotten(e, s):
		j.tally.forgotten()
	case s.State == "cached" && !s.From && !hedged && e.beside == nil:
		j.wrong("note on cached: "+kinds(said.Reasons), s, "%s", s.Note)
	}
	j.tally.noted()
	switch said.State {
	case "re-run":
		j.reasons("note", e, s, said.Reasons, steps)
	case "unknown":
		if s.State == "ran" {
			j.hedge("note", e, s, said.Reasons, steps)
		}
	}
}

// hedge judges "follows X if that changed" on a step that ran: X must have run, unless
// there is another cause beside it.
func (j *judge) hedge(what string, e *event, s streamed, reasons []reason, steps map[string]streamed) {
	for _, r := range reasons {
		if on, ok := steps[r.on]; r.Kind == "may-follow" && len(reasons) == 1 && ok && on.State == "cached" && e.beside == nil && !j.lost(e, s) {
			j.wrong("hedge on what was cached: "+what, s, "%s", describe(reasons))
		}
	}
}

// silence judges a step that ran without a word.
func (j *judge) silence(e *event, s streamed) {
	past := j.recorded(e)
	if len(past) == 0 || j.lost(e, s) {
		return
	}
	had := slices.ContainsFunc(past, func(p *event) bool { return p.view.step(s.Stage, s.ID) != nil })
	same := slices.ContainsFunc(past, func(p *event) bool { return p.Target == e.Target && p.err == nil })
	if !had && !same {
		return // the first build of a stage
	}
	j.tally.spoken(1)
	kind := "silent: " + silentKind(j.nearest(past, s), s.Step)
	j.find(kind, s, "it ran without a note")
	j.tally.silent(kind)
}

// nearest returns the step as it was in the latest earlier build, or nil.
func (j *judge) nearest(past []*event, s streamed) *Step {
	for n := range slices.Backward(past) {
		if old := past[n].view.step(s.Stage, s.ID); old != nil {
			return old
		}
	}
	return nil
}

// silentKind says what differs in a step about which nothing was said.
func silentKind(old, now *Step) string {
	if old == nil {
		return "new step"
	}
	if old.Print == now.Print {
		return "nothing differs from the last build"
	}
	var out []string
	for _, d := range []struct {
		what   string
		differ bool
	}{
		{"text", old.Text != now.Text}, {"rule", old.Rule != now.Rule}, {"files", len(diffFiles(old.Files, now.Files)) > 0},
		{"setup", old.Setup != now.Setup}, {"image", old.Image != now.Image}, {"page", old.Page != now.Page},
		{"variables", fmt.Sprint(old.Env) != fmt.Sprint(now.Env)}, {"no cache", now.NoCache},
		{"before", print(old.Prev) != print(now.Prev)}, {"read from", print(old.From) != print(now.From)},
	} {
		if d.differ {
			out = append(out, d.what)
		}
	}
	return strings.Join(out, ", ") + " differs"
}

func print(s *Step) string {
	if s == nil {
		return ""
	}
	return s.Print
}

// kinds joins the kinds of reasons, each once.
func kinds(reasons []reason) string {
	var out []string
	for _, r := range reasons {
		if !slices.Contains(out, r.Kind) {
			out = append(out, r.Kind)
		}
	}
	return strings.Join(out, " ")
}

// describe prints reasons for a finding.
func describe(reasons []reason) string {
	var out []string
	for _, r := range reasons {
		out = append(out, strings.Join(strings.Fields(fmt.Sprint(r.Kind, r.Change, r.Name, r.Old, r.New, r.OnName)), " "))
	}
	return strings.Join(out, "; ")
}
