// Package explain_test shows on a real daemon what a build says about the steps
// that it runs again: after exactly one change, the exact words behind each step's
// name, read from the status stream. The builds go through the frontend's image.
package explain_test

import (
	"maps"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/cachewright/cachewright/integration/sandbox"
	"github.com/cachewright/cachewright/integration/scenario"
)

type (
	rebuild = scenario.Rebuild[expected]
	project = scenario.Project
)

// expected is what the second build does and says.
type expected struct {
	// notes are the steps that the second build says something about, by their text
	// without the number in front: all that run again, and FROM where its image
	// moved. The project's words are put in.
	notes map[string]string
	// silent are steps that run again without a word.
	silent []string
	// kept are steps that come from the cache although something is said: that they
	// run if another one gives something else, which it does not.
	kept map[string]string
}

// run builds, which says nothing, changes and builds again.
func run(p *project, c rebuild) {
	p.T.Helper()
	quiet(p, "first build", solve(p))
	if c.Change != nil {
		c.Change(p)
	}
	expect(p, "second build", solve(p), c.Want)
}

// solve builds the project, in which no step may fail.
func solve(p *project) *sandbox.Result {
	p.T.Helper()
	r := p.Solve()
	for _, s := range r.Steps {
		if s.Error != "" {
			p.T.Errorf("step with an error in\n%s", r)
		}
	}
	return r
}

// said is what a build said about its steps, by their text without the number.
type said struct {
	notes map[string]string
	ran   map[string]bool // the instructions' steps, FROM excepted
}

func whatWasSaid(p *project, r *sandbox.Result) said {
	p.T.Helper()
	out := said{notes: map[string]string{}, ran: map[string]bool{}}
	for _, step := range scenario.Steps(r) {
		if _, again := out.ran[step.Text]; again {
			p.T.Fatalf("two steps are named %q in\n%s", step.Text, r)
		}
		if step.Note != "" {
			out.notes[step.Text] = step.Note
		}
		if !strings.HasPrefix(step.Text, "FROM ") {
			out.ran[step.Text] = step.Ran()
		}
	}
	for _, step := range r.Steps {
		if number, _, note := sandbox.ParseName(step.Name); note != "" && (strings.Contains(number, "internal") || strings.HasPrefix(number, "context ")) {
			p.T.Errorf("a note in %q", step.Name)
		}
	}
	return out
}

// quiet checks that a build says nothing about its steps.
func quiet(p *project, build string, r *sandbox.Result) {
	p.T.Helper()
	for text, note := range whatWasSaid(p, r).notes {
		p.T.Errorf("%s: %q: %s", build, text, note)
	}
	if closing := closingNotes(r); len(closing) > 0 {
		p.T.Errorf("%s: %q", build, closing)
	}
}

// expect checks that exactly the steps in notes and silent run again and that
// exactly this is said.
func expect(p *project, build string, r *sandbox.Result, c expected) {
	p.T.Helper()
	got, want := whatWasSaid(p, r), filled(p, c.notes)
	for _, text := range slices.Sorted(maps.Keys(got.ran)) {
		_, noted := want[text]
		if should := noted || slices.Contains(c.silent, text); got.ran[text] != should {
			p.T.Errorf("%s: %q ran: %v, want %v", build, text, got.ran[text], should)
		}
	}
	maps.Copy(want, filled(p, c.kept))
	for _, text := range slices.Sorted(maps.Keys(want)) {
		if got.notes[text] != want[text] {
			p.T.Errorf("%s: %q:\n got %s\nwant %s", build, text, got.notes[text], want[text])
		}
		delete(got.notes, text)
	}
	for text, note := range got.notes {
		p.T.Errorf("%s: %q: unexpected %s", build, text, note)
	}
	if closing := closingNotes(r); len(closing) > 0 {
		p.T.Errorf("%s: %q", build, closing)
	}
	if p.T.Failed() {
		p.T.Logf("%s:\n%s", build, r)
	}
}

// filled returns notes with the project's words put in.
func filled(p *project, notes map[string]string) map[string]string {
	out := map[string]string{}
	for text, note := range notes {
		out[p.Fill(text)] = p.Fill(note)
	}
	return out
}

// digest returns an image's digest.
func digest(p *project, image v1.Image) string {
	p.T.Helper()
	d, err := image.Digest()
	p.Must(err)
	return d.String()
}

// short returns the digits of an image's digest that are shown.
func short(p *project, image v1.Image) string {
	p.T.Helper()
	return strings.TrimPrefix(digest(p, image), "sha256:")[:12]
}
