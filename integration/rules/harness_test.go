// Package rules_test shows the cache rules on a real daemon, those that hold
// without any directive and those that directives add: which steps a second build
// runs again after one change, and which it takes from the cache. The builds go through the frontend's image, and what
// ran is read from their status streams.
package rules_test

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

// rebuild is a build, a change, and the same build again.
type rebuild struct {
	name string
	// dockerfile is the file of the first build. $BASE is an image that no other
	// case has, so that the first build must run every step.
	dockerfile string
	files      map[string]string // more files of the context
	links      map[string]string // its symbolic links: name to target
	options    sandbox.Build     // of the first build, without Context
	prepare    func(*project)    // what else has to be there, nil if nothing
	change     func(*project)    // nil if the second build is the same
	// ran are the steps that the second build must run, by their text without the
	// number in front. It must take every other step from the cache.
	ran []string
	// more are further changes, each on top of those before, with a build after each.
	more []change
}

// change is a change of a project and the steps that the next build must run.
type change struct {
	name string
	make func(*project)
	ran  []string
}

// project is a build context that a case may change, with its build's options.
type project struct {
	t  *testing.T
	sb *sandbox.Sandbox
	sandbox.Build
}

// TestRules runs all tables on one daemon.
func TestRules(t *testing.T) {
	sb := start(t)
	for table, cases := range map[string][]rebuild{
		"R1 base": base(), "R2 R4 definition": definition(), "R3 content": content(), "R3 selection": selection(),
		"R5 chain": chain(), "R6 no-cache": noCache(), "R7 arguments": arguments(), "R8 secrets": secrets(),
		"R9 never in the key": neverInTheKey(),
		"off":                 off(), "ttl": ttl(), "stage default": stageDefaults(),
		"export": exportNo(), "key text and arg": keyTexts(), "key image": keyImages(), "key file": keyFiles(),
		"key http": keyHTTP(newWeb(t)), "key git": keyGit(newWeb(t)),
		"base=content": contentBases(), "modes=ignore": modesIgnored(), "args": withheldArgs(),
		"selectors": selectors(), "directive forms": directiveForms(),
	} {
		for _, c := range cases {
			t.Run(table+"/"+c.name, func(t *testing.T) {
				t.Parallel()
				c.run(newProject(t, sb, c))
			})
		}
	}
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
	p := &project{t: t, sb: sb, Build: c.options}
	p.Frontend = sandbox.FrontendRef
	p.Context = sandbox.Files(t, c.files)
	p.Args, p.Attrs, p.Secrets = maps.Clone(p.Args), maps.Clone(p.Attrs), maps.Clone(p.Secrets)
	for name, target := range c.links {
		p.must(os.Symlink(target, p.path(name)))
	}
	p.write("Dockerfile", "ARG BASE\n"+c.dockerfile)
	p.arg("CACHEWRIGHT_EXPLAIN", "off") // reasons would be part of the steps' names
	p.arg("BASE", p.pushBase(p.newRepository()+":1", p.newBase()))
	if c.prepare != nil {
		c.prepare(p)
	}
	return p
}

// run builds, changes and builds again.
func (c rebuild) run(p *project) {
	p.t.Helper()
	first := p.build()
	p.expect("first build", first, first.texts())
	if c.change != nil {
		c.change(p)
	}
	p.expect("second build", p.build(), c.ran)
	for _, m := range c.more {
		m.make(p)
		p.expect(m.name, p.build(), m.ran)
	}
}

// states are the states of a build's steps, by their text without the number.
type states map[string]string

func (s states) texts() []string { return slices.Collect(maps.Keys(s)) }

// build builds the project and returns the states of the instructions' steps,
// those of FROM excepted.
func (p *project) build() states {
	p.t.Helper()
	return p.states(p.solve())
}

// solve builds the project and returns all that the build said.
func (p *project) solve() *sandbox.Result {
	p.t.Helper()
	r, err := p.sb.Solve(p.t.Context(), p.Build)
	if err != nil {
		p.t.Fatalf("%v\n%s", err, r)
	}
	return r
}

func (p *project) states(r *sandbox.Result) states {
	p.t.Helper()
	found := states{}
	for _, step := range r.Steps {
		number, text, ok := strings.Cut(step.Name, "] ")
		if !ok || strings.HasPrefix(number, "[internal") || strings.HasPrefix(text, "FROM ") {
			continue
		}
		if _, again := found[text]; again {
			p.t.Fatalf("two steps are named %q in\n%s", text, r)
		}
		found[text] = step.State()
	}
	if len(found) == 0 {
		p.t.Fatalf("no step in\n%s", r)
	}
	return found
}

// expect checks that exactly the steps in ran ran and that the others came from
// the cache.
func (p *project) expect(build string, got states, ran []string) {
	p.t.Helper()
	for _, text := range ran {
		if _, ok := got[text]; !ok {
			p.t.Errorf("%s: no step %q", build, text)
		}
	}
	for _, text := range slices.Sorted(maps.Keys(got)) {
		want := "cached"
		if slices.Contains(ran, text) {
			want = "ran"
		}
		if got[text] != want {
			p.t.Errorf("%s: %q: %s, want %s", build, text, got[text], want)
		}
	}
}

// newRepository returns the name of a repository that nothing else uses.
func (p *project) newRepository() string {
	return "rules/" + strings.ToLower(rand.Text())
}

// newBase returns busybox with one more file, different every time.
func (p *project) newBase() v1.Image {
	p.t.Helper()
	image, err := sandbox.Busybox.Native(p.t.Context())
	if err != nil {
		p.t.Fatal(err)
	}
	layer, err := sandbox.NewLayer(sandbox.File{Path: "etc/unique", Body: rand.Text()})
	if err != nil {
		p.t.Fatal(err)
	}
	image, err = mutate.AppendLayers(image, layer)
	if err != nil {
		p.t.Fatal(err)
	}
	return image
}

// pushBase puts an image into the registry and returns ref.
func (p *project) pushBase(ref string, image v1.Image) string {
	p.t.Helper()
	if err := p.sb.PushImage(p.t.Context(), ref, image); err != nil {
		p.t.Fatal(err)
	}
	return ref
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

// replaced puts a text into the place of another.
func replaced(in, old, text string) string {
	return strings.ReplaceAll(in, old, text)
}

// edited, written, given and asked are changes for the tables.

// edited replaces text in the Dockerfile.
func edited(old, text string) func(*project) {
	return func(p *project) { p.edit(old, text) }
}

// written writes a file of the context.
func written(name, text string) func(*project) {
	return func(p *project) { p.write(name, text) }
}

// given sets a build argument.
func given(name, value string) func(*project) {
	return func(p *project) { p.arg(name, value) }
}

// asked sets another option of the frontend.
func asked(name, value string) func(*project) {
	return func(p *project) { p.attr(name, value) }
}

// logOf returns what the step with the text in its name wrote.
func logOf(t *testing.T, r *sandbox.Result, text string) string {
	t.Helper()
	for _, s := range r.Steps {
		if strings.Contains(s.Name, text) {
			return s.Logs
		}
	}
	t.Fatalf("no step has %q in its name:\n%s", text, r)
	return ""
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
