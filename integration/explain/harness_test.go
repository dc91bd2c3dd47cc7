// Package explain_test shows on a real daemon what a build says about the steps
// that it runs again: after exactly one change, the exact words behind each step's
// name, read from the status stream. The builds go through the frontend's image.
package explain_test

import (
	"crypto/rand"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"

	"github.com/cachewright/cachewright/integration/sandbox"
)

// arrow stands between a step's text and what is said about it.
const arrow = "  ← "

// rebuild is a build, a change, and the same build again.
type rebuild struct {
	name string
	// dockerfile is the file of the first build. $BASE is an image that no other
	// case has, so that the first build must run every step.
	dockerfile string
	files      map[string]string // more files of the context
	options    sandbox.Build     // of the first build, without Context
	prepare    func(*project)    // what else has to be there, nil if nothing
	change     func(*project)    // nil if the second build is the same
	// notes are the steps that the second build says something about, by their text
	// without the number in front: all that run again, and FROM where its image
	// moved. What is in digests is put in.
	notes map[string]string
	// silent are steps that run again without a word.
	silent []string
	// kept are steps that come from the cache although something is said: that they
	// run if another one gives something else, which it does not.
	kept map[string]string
}

// project is a build context that a case may change, with its build's options.
type project struct {
	t  *testing.T
	sb *sandbox.Sandbox
	sandbox.Build
	// digests are what the notes' words that start with $ stand for.
	digests map[string]string
}

// start returns the shared daemon with the frontend in its registry.
func start(t *testing.T) *sandbox.Sandbox {
	t.Helper()
	sb := sandbox.Shared(t)
	if err := sb.PushFrontend(t.Context(), sandbox.FrontendRef); err != nil {
		t.Fatal(err)
	}
	return sb
}

func newProject(t *testing.T, sb *sandbox.Sandbox, c rebuild) *project {
	t.Helper()
	p := &project{t: t, sb: sb, Build: c.options, digests: map[string]string{}}
	p.Frontend = sandbox.FrontendRef
	p.Context = sandbox.Files(t, c.files)
	p.SharedKey = p.Context
	p.Args, p.Attrs, p.Secrets = maps.Clone(p.Args), maps.Clone(p.Attrs), maps.Clone(p.Secrets)
	p.write("Dockerfile", "ARG BASE=none\n"+c.dockerfile)
	p.arg("BASE", p.pushBase(newRepository()+":1", p.newBase()))
	if c.prepare != nil {
		c.prepare(p)
	}
	return p
}

// run builds, which says nothing, changes and builds again.
func (c rebuild) run(p *project) {
	p.t.Helper()
	p.quiet("first build", p.solve())
	if c.change != nil {
		c.change(p)
	}
	p.expect("second build", p.solve(), c)
}

// solve builds the project and returns all that the build said.
func (p *project) solve() *sandbox.Result {
	p.t.Helper()
	r, err := p.sb.Solve(p.t.Context(), p.Build)
	if err != nil {
		p.t.Fatalf("%v\n%s", err, r)
	}
	for _, s := range r.Steps {
		if s.Error != "" {
			p.t.Errorf("step with an error in\n%s", r)
		}
	}
	return r
}

// said is what a build said about its steps, by their text without the number.
type said struct {
	notes map[string]string
	ran   map[string]bool // the instructions' steps, FROM excepted
}

func (p *project) said(r *sandbox.Result) said {
	p.t.Helper()
	out := said{notes: map[string]string{}, ran: map[string]bool{}}
	for _, step := range r.Steps {
		name, note, noted := strings.Cut(step.Name, arrow)
		number, text, ok := strings.Cut(name, "] ")
		if !ok || strings.Contains(number, "internal") || strings.HasPrefix(number, "[context ") {
			if noted {
				p.t.Errorf("a note behind %q", step.Name)
			}
			continue
		}
		if _, again := out.ran[text]; again {
			p.t.Fatalf("two steps are named %q in\n%s", text, r)
		}
		if noted {
			out.notes[text] = note
		}
		if !strings.HasPrefix(text, "FROM ") {
			out.ran[text] = step.Ran()
		}
	}
	return out
}

// quiet checks that a build says nothing about its steps.
func (p *project) quiet(build string, r *sandbox.Result) {
	p.t.Helper()
	for text, note := range p.said(r).notes {
		p.t.Errorf("%s: %q: %s", build, text, note)
	}
	if closing := closingNotes(r); len(closing) > 0 {
		p.t.Errorf("%s: %q", build, closing)
	}
}

// expect checks that exactly the steps in notes and silent run again and that
// exactly this is said.
func (p *project) expect(build string, r *sandbox.Result, c rebuild) {
	p.t.Helper()
	got, want := p.said(r), p.filled(c.notes)
	for _, text := range slices.Sorted(maps.Keys(got.ran)) {
		_, noted := want[text]
		if should := noted || slices.Contains(c.silent, text); got.ran[text] != should {
			p.t.Errorf("%s: %q ran: %v, want %v", build, text, got.ran[text], should)
		}
	}
	maps.Copy(want, p.filled(c.kept))
	for _, text := range slices.Sorted(maps.Keys(want)) {
		if got.notes[text] != want[text] {
			p.t.Errorf("%s: %q:\n got %s\nwant %s", build, text, got.notes[text], want[text])
		}
		delete(got.notes, text)
	}
	for text, note := range got.notes {
		p.t.Errorf("%s: %q: unexpected %s", build, text, note)
	}
	if closing := closingNotes(r); len(closing) > 0 {
		p.t.Errorf("%s: %q", build, closing)
	}
	if p.t.Failed() {
		p.t.Logf("%s:\n%s", build, r)
	}
}

// filled returns notes with the case's digests and names put in.
func (p *project) filled(notes map[string]string) map[string]string {
	out := map[string]string{}
	pairs := []string{}
	for _, k := range slices.Sorted(maps.Keys(p.digests)) {
		pairs = append(pairs, k, p.digests[k])
	}
	r := strings.NewReplacer(pairs...)
	for text, note := range notes {
		out[r.Replace(text)] = r.Replace(note)
	}
	return out
}

// newRepository returns the name of a repository that nothing else uses.
func newRepository() string { return "explain/" + strings.ToLower(rand.Text()) }

// newBase returns busybox with one more file, different every time.
func (p *project) newBase() v1.Image {
	p.t.Helper()
	image, err := sandbox.Busybox.Native(p.t.Context())
	p.must(err)
	layer, err := sandbox.NewLayer(sandbox.File{Path: "etc/unique", Body: rand.Text()})
	p.must(err)
	image, err = mutate.AppendLayers(image, layer)
	p.must(err)
	return image
}

// pushBase puts an image into the registry and returns ref.
func (p *project) pushBase(ref string, image v1.Image) string {
	p.t.Helper()
	p.must(p.sb.PushImage(p.t.Context(), ref, image))
	return ref
}

// short returns the digits of an image's digest that are shown.
func (p *project) short(image v1.Image) string {
	p.t.Helper()
	d, err := image.Digest()
	p.must(err)
	return d.Hex[:12]
}

func (p *project) path(name string) string { return filepath.Join(p.Context, name) }

// must fails the test when a change could not be made.
func (p *project) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

func (p *project) write(name, text string) {
	p.t.Helper()
	p.must(os.MkdirAll(filepath.Dir(p.path(name)), 0o755))
	p.must(os.WriteFile(p.path(name), []byte(text), 0o644))
}

// edit replaces text in the Dockerfile, where it must occur.
func (p *project) edit(old, text string) {
	p.t.Helper()
	data, err := os.ReadFile(p.path("Dockerfile"))
	p.must(err)
	if !strings.Contains(string(data), old) {
		p.must(fmt.Errorf("the Dockerfile has no %q", old))
	}
	p.write("Dockerfile", strings.ReplaceAll(string(data), old, text))
}

func (p *project) arg(name, value string) {
	if p.Args == nil {
		p.Args = map[string]string{}
	}
	p.Args[name] = value
}

func (p *project) attr(name, value string) {
	if p.Attrs == nil {
		p.Attrs = map[string]string{}
	}
	p.Attrs[name] = value
}
