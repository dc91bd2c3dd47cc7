package honesty

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// reasons judges the causes that are named for a step. All of them must hold against
// one earlier build: one of the same arguments and so on where there is one, or else
// any of the directory.
func (j *judge) reasons(what string, e *event, s streamed, all []reason, steps map[string]streamed) {
	var causes []reason
	for _, r := range all {
		switch r.Kind {
		case "follows":
			if on := steps[r.on]; r.Change != "" {
				if s.Step != nil && on.Step != nil && !j.changed(e, s.Step, on.Step) {
					j.wrong("follows what was the same: "+what, s, "%s", describe(all))
				}
			} else if on, ok := steps[r.on]; ok && on.State == "cached" && !on.From && e.beside == nil && !j.forgotten(e, on) {
				j.wrong("follows what was cached: "+what, s, "%s", describe(all))
			}
		case "may-follow", "new-combination", "no-record", "may-have-moved", "unresolved":
		case "no-cache":
			if s.Step != nil && !s.NoCache {
				j.wrong("no-cache without one: "+what, s, "%s", describe(all))
			}
		case "always":
			if s.Step != nil && !strings.Contains(s.Rule, "off") {
				j.wrong("always without a rule: "+what, s, "%s", describe(all))
			}
		default:
			causes = append(causes, r)
		}
	}
	if len(causes) == 0 || s.Step == nil {
		return
	}
	near, far := j.candidates(e, s.Step)
	if holds(causes, s.Step, near) {
		return
	}
	if causes[0].Kind == "new-step" && !slices.ContainsFunc(j.recorded(e), func(p *event) bool { return p.view.step(s.Stage, s.ID) != nil }) {
		return // to the record, it is
	}
	if holds(causes, s.Step, far) {
		j.wrong("stale cause: "+what+": "+kinds(causes), s, "%s", describe(causes))
		return
	}
	j.wrong("false cause: "+what+": "+kinds(causes), s, "%s", describe(causes))
}

// changed reports whether there was an earlier build of one step in which another step
// was not there, or was another.
func (j *judge) changed(e *event, step, other *Step) bool {
	return slices.ContainsFunc(j.past, func(p *event) bool {
		if p.Project != e.Project || p.view.step(step.Stage, step.ID) == nil {
			return false
		}
		old := p.view.step(other.Stage, other.ID)
		return old == nil || old.Print != other.Print
	})
}

// candidates returns what the step may have been compared with: near in builds of the
// same combination, far in all of the directory. A step that was never built is compared
// with those that are like it.
func (j *judge) candidates(e *event, now *Step) (near, far []*Step) {
	for _, p := range j.past {
		if p.Project != e.Project {
			continue
		}
		old := p.view.step(now.Stage, now.ID)
		if old == nil {
			continue
		}
		far = append(far, old)
		if state := p.states[old.key()]; e.sees(p) && p.alike(e, old, now) && (state != "skipped" || p.err != nil) {
			near = append(near, old)
		}
	}
	if len(far) == 0 {
		for _, p := range j.past {
			for _, old := range p.view.Steps {
				if p.Project == e.Project && old.Word == now.Word {
					far = append(far, old)
				}
			}
		}
	}
	if len(near) == 0 {
		near = far
	}
	return near, far
}

// alike reports whether a step in an earlier build and now are of one combination, as
// far as the step can see it: arguments that it does not see make no other one.
func (p *event) alike(e *event, old, now *Step) bool {
	seen := !maps.Equal(old.Env, now.Env) || strings.Contains(old.Rule+now.Rule, "key=arg")
	return p.combination(seen) == e.combination(seen)
}

// combination is the options' one, with or without the arguments, for a platform.
func (e *event) combination(args bool) string {
	o := e.Options
	o.Platform = cmp.Or(o.Platform, native)
	if !args {
		o.Args = nil
	}
	return o.Combination()
}

// native is the platform that worlds are built for if they ask for none, or for it.
const native = "linux/amd64"

// holds reports whether all causes are differences to one of the old steps.
func holds(causes []reason, now *Step, olds []*Step) bool {
	if causes[0].Kind == "new-step" {
		return !slices.ContainsFunc(olds, func(old *Step) bool { return old.Text == now.Text && old.key() == now.key() })
	}
	return slices.ContainsFunc(olds, func(old *Step) bool {
		return !slices.ContainsFunc(causes, func(r reason) bool { return !r.holds(old, now) })
	})
}

// holds reports whether what a reason says differs between the steps.
func (r reason) holds(old, now *Step) bool {
	switch r.Kind {
	case "file-changed", "file-added", "file-removed", "file-mode":
		return r.fileHolds(old, now)
	case "more-files", "files-changed":
		return len(diffFiles(old.Files, now.Files)) > 0
	case "arg-changed", "env-changed":
		return r.variableHolds(old, now)
	case "command-changed":
		return old.Text != now.Text
	case "base-moved":
		return old.Image != now.Image
	case "source-moved":
		return old.Page != now.Page
	case "rule-changed":
		return old.Rule != now.Rule
	case "setting-changed":
		return old.Setup != now.Setup || old.Text != now.Text || old.Rule != now.Rule || r.Name == "order of the environment"
	case "secret-changed":
		return old.Text != now.Text
	case "order-changed":
		return before(old) != before(now)
	case "unfinished":
		return true // whether it did is not in the model
	}
	return false
}

// before lists what a step comes after.
func before(s *Step) string {
	out := s.Image
	for p := s.Prev; p != nil; p = p.Prev {
		out += "\n" + p.Text
	}
	return out
}

// fileHolds judges a file by its path, or a directory by whether it has files.
func (r reason) fileHolds(old, now *Step) bool {
	r.Name = strings.TrimSuffix(r.Name, "/")
	was, had := old.Files[r.Name]
	is, has := now.Files[r.Name]
	if !had && !has {
		had, has = hasBelow(old.Files, r.Name), hasBelow(now.Files, r.Name)
	}
	switch r.Kind {
	case "file-added":
		return !had && has
	case "file-removed":
		return had && !has
	case "file-mode":
		return had && has && was.Content == is.Content && was.Mode != is.Mode
	}
	return had && has && was.Content != is.Content
}

func hasBelow(files map[string]File, dir string) bool {
	for name := range files {
		if strings.HasPrefix(name, dir+"/") {
			return true
		}
	}
	return false
}

// variableHolds judges a variable by what the step sees, or, for a rule's key, by the
// build's arguments.
func (r reason) variableHolds(old, now *Step) bool {
	was, had := old.Env[r.Name]
	is, has := now.Env[r.Name]
	if strings.Contains(old.Rule+now.Rule, "key=arg:"+r.Name) && was == is {
		was, had = old.Args[r.Name]
		is, has = now.Args[r.Name]
	}
	same := func(said, value string, there bool) bool {
		return said == "" || said == value || said == strconv.Quote(value) || said == "not given" && !there
	}
	if !same(r.Old, was, had) || !same(r.New, is, has) {
		return false
	}
	switch r.Change {
	case "added":
		return !had && has
	case "removed":
		return had && !has
	}
	return was != is
}
