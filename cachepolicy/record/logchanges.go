package record

import (
	"slices"

	"github.com/cachewright/cachewright/cachepolicy/cacheplan"
)

// changes returns what differs between two plans of the same shape, and how much more
// does that cannot be named.
func changes(old, now *cacheplan.Plan) (out []LogChange, more int) {
	before, after := facts(old), facts(now)
	for f, state := range after {
		if before[f] != state {
			out = append(out, LogChange{Fact: f, Old: before[f], New: state})
		}
	}
	for f, state := range before {
		if _, ok := after[f]; !ok {
			out = append(out, LogChange{Fact: f, Old: state})
		}
	}
	out = append(out, operations(old, now, out)...)
	files, more := fileChanges(old, now)
	out = append(out, files...)
	slices.SortFunc(out, func(a, b LogChange) int {
		return slices.Compare([]string{string(a.Kind), a.Context, a.Stage, a.Step, a.Name}, []string{string(b.Kind), b.Context, b.Stage, b.Step, b.Name})
	})
	return out, more
}

// operations returns the steps whose operation differs although none of their inputs
// does, as far as these are facts.
func operations(old, now *cacheplan.Plan, changed []LogChange) []LogChange {
	var out []LogChange
	for i := range now.Steps {
		a, b := &old.Steps[i], &now.Steps[i]
		explained := slices.ContainsFunc(changed, func(c LogChange) bool {
			return c.Stage == b.ID.Stage && (c.Step == "" || c.Step == StepDigest(b))
		})
		if a.Key != b.Key && !explained && !b.AlwaysRuns() {
			out = append(out, LogChange{Fact: OperationFact(b), Old: shortText(a.Key), New: shortText(b.Key)})
		}
	}
	return out
}

func shortText(text string) string {
	h := cacheplan.NewHasher()
	h.Add(text)
	return short(h)
}

// fileChanges compares the sets that two plans of the same shape have. more counts those
// of which there is no list.
func fileChanges(old, now *cacheplan.Plan) (out []LogChange, more int) {
	seen := map[Fact]bool{}
	for i := range now.Files {
		b := &now.Files[i]
		a := old.FileSet(b.ID)
		if a == nil || !slices.Equal(a.Patterns, b.Patterns) || !a.Known || !b.Known || a.Digest != "" || b.Digest != "" {
			if a == nil || !a.Known || !b.Known || a.Sum() != b.Sum() {
				more++
			}
			continue
		}
		if a.Sum() == b.Sum() {
			continue
		}
		compareStates(a.Files, b.Files, func(path, was, is string) {
			f := Fact{Kind: ChangeFile, Context: b.Context, Name: path}
			if !seen[f] {
				seen[f] = true
				out = append(out, LogChange{Fact: f, Old: was, New: is})
			}
		})
	}
	return out, more
}

// compareStates walks over two sorted lists of files.
func compareStates(old, now []cacheplan.File, differs func(path, was, is string)) {
	for len(old) > 0 || len(now) > 0 {
		switch {
		case len(old) == 0 || len(now) > 0 && now[0].Path < old[0].Path:
			differs(now[0].Path, "", FileState(&now[0]))
			now = now[1:]
		case len(now) == 0 || old[0].Path < now[0].Path:
			differs(old[0].Path, FileState(&old[0]), "")
			old = old[1:]
		default:
			if was, is := FileState(&old[0]), FileState(&now[0]); was != is {
				differs(now[0].Path, was, is)
			}
			old, now = old[1:], now[1:]
		}
	}
}

// facts returns the state of all facts but files. Where one name has several values in
// a stage, they are one state together.
func facts(p *cacheplan.Plan) map[Fact]string {
	values := map[Fact][]string{}
	add := func(f Fact, value string) {
		if !slices.Contains(values[f], value) {
			values[f] = append(values[f], value)
		}
	}
	for i := range p.Steps {
		s := &p.Steps[i]
		for j := range s.Inputs {
			in := &s.Inputs[j]
			if f, ok := InputFact(s, in); ok {
				add(f, in.Name+" "+in.ValueDigest()) // a record that travels has no values
			}
		}
		for j := range s.Follows {
			if f := &s.Follows[j]; f.Step < 0 {
				add(SourceFact(s, f), f.Source+" "+f.Digest)
			}
		}
	}
	out := map[Fact]string{}
	for f, all := range values {
		h := cacheplan.NewHasher()
		for _, v := range all {
			h.Add(v)
		}
		out[f] = short(h)
	}
	return out
}
