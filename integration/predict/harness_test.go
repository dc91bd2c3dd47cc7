// Package predict_test builds on a real daemon what --call=cache predicts: after a
// change, every step predicted as a hit comes from the cache, and every one
// predicted to run again runs. The builds go through the frontend's image.
package predict_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	gateway "github.com/moby/buildkit/frontend/gateway/client"

	"github.com/cachewright/cachewright/cachepolicy"
	"github.com/cachewright/cachewright/integration/sandbox"
)

// combination is a build, a change, the prediction, and the build that shows
// whether it was right.
type combination struct {
	name string
	// dockerfile is the file of the first build. $BASE is an image that no other
	// case has, $ID a text that no other has.
	dockerfile string
	files      map[string]string // more files of the context, with $ID
	options    sandbox.Build     // of the first build, without Context
	prepare    func(*project)    // what else has to be there, nil if nothing
	change     func(*project)    // nil if the second build is the same
	// unknown are the steps of which nothing can be said, by their number as in
	// "app 2/3". All others have to be predicted.
	unknown []string
}

// project is a build context that a case may change, with its build's options.
type project struct {
	t  *testing.T
	sb *sandbox.Sandbox
	id string
	sandbox.Build
}

// tally counts predictions by what they say.
type tally struct {
	sync.Mutex
	combinations int
	states       map[cachepolicy.State]int
}

// TestPredictions runs all tables on one daemon.
func TestPredictions(t *testing.T) {
	sb := start(t)
	w := newWeb(t)
	total := tally{states: map[cachepolicy.State]int{}}
	t.Run("all", func(t *testing.T) {
		for table, cases := range map[string][]combination{
			"edits": edits(), "stages": stages(), "mounts": mounts(), "copies": copies(), "variables": variables(),
			"options": options(), "contexts": contexts(), "remote": remote(w), "rules": rules(), "key": keys(w),
		} {
			for _, c := range cases {
				t.Run(table+"/"+c.name, func(t *testing.T) {
					t.Parallel()
					c.run(newProject(t, sb, c), &total)
				})
			}
		}
	})
	steps := 0
	for _, n := range total.states {
		steps += n
	}
	t.Logf("%d combinations, %d steps: %d hit, %d re-run, %d unknown", total.combinations, steps,
		total.states[cachepolicy.StateHit], total.states[cachepolicy.StateReRun], total.states[cachepolicy.StateUnknown])
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

func newProject(t *testing.T, sb *sandbox.Sandbox, c combination) *project {
	t.Helper()
	p := &project{t: t, sb: sb, Build: c.options, id: strings.ToLower(rand.Text())}
	p.Frontend = sandbox.FrontendRef
	p.Context = t.TempDir()
	p.SharedKey = p.Context
	p.Args, p.Attrs, p.Secrets = maps.Clone(p.Args), maps.Clone(p.Attrs), maps.Clone(p.Secrets)
	for name, text := range c.files {
		p.write(name, text)
	}
	p.write("Dockerfile", "ARG BASE=none\n"+c.dockerfile)
	p.arg("BASE", p.pushBase("predict/"+p.id+":1", p.newBase()))
	if c.prepare != nil {
		c.prepare(p)
	}
	return p
}

// run builds, changes, predicts, builds again and compares.
func (c combination) run(p *project, total *tally) {
	p.t.Helper()
	p.solve()
	if c.change != nil {
		c.change(p)
	}
	predicted := p.predict()
	built := p.solve()
	p.compare(predicted, states(built), c.unknown)
	if p.t.Failed() {
		p.t.Logf("%s\n%s", built, cachepolicy.Table(predicted.Plan, predicted.Predictions))
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
	Plan        *cachepolicy.Plan        `json:"plan"`
	Predictions []cachepolicy.Prediction `json:"predictions"`
}

// compare checks predictions by what the build did. FROM runs nothing.
func (p *project) compare(a *answer, built map[string]string, unknown []string) {
	p.t.Helper()
	if len(a.Predictions) == 0 || len(a.Predictions) != len(a.Plan.Steps) {
		p.t.Fatalf("%d predictions for %d steps", len(a.Predictions), len(a.Plan.Steps))
	}
	var open []string
	for i, pr := range a.Predictions {
		s := &a.Plan.Steps[i]
		number, _, _ := strings.Cut(strings.TrimPrefix(s.Name, "["), "] ")
		if pr.State == cachepolicy.StateUnknown {
			open = append(open, number)
		}
		if s.ID.Instruction == "FROM" {
			continue
		}
		got, ok := built[number]
		if !ok {
			p.t.Errorf("%s: it was not built", s.Name)
		}
		want := map[cachepolicy.State]string{cachepolicy.StateHit: "cached", cachepolicy.StateReRun: "ran"}[pr.State]
		if want != "" && got != want {
			p.t.Errorf("%s: predicted %s (%s), but %s", s.Name, pr.State, cachepolicy.Text(pr.Reasons), got)
		}
	}
	if !slices.Equal(open, unknown) {
		p.t.Errorf("unknown are %q, want %q", open, unknown)
	}
}

// states are the states of a build's steps by their number, as in "2/3" or
// "app 2/3".
func states(r *sandbox.Result) map[string]string {
	found := map[string]*sandbox.Step{}
	for _, step := range r.Steps {
		number, text, ok := strings.Cut(strings.TrimPrefix(step.Name, "["), "] ")
		if !ok || strings.Contains(number, "internal") || strings.HasPrefix(text, "FROM ") || strings.HasPrefix(text, "LINK ") {
			continue
		}
		if other := found[number]; other == nil || !slices.Contains(other.Inputs, step.Digest) { // what an ADD loads has its name
			found[number] = step
		}
	}
	out := map[string]string{}
	for number, step := range found {
		out[number] = step.State()
	}
	return out
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

// predict asks the frontend's image as --call=cache does.
func (p *project) predict() *answer {
	p.t.Helper()
	var out answer
	b := p.Build
	b.Func = func(ctx context.Context, c gateway.Client) (*gateway.Result, error) {
		opts := maps.Clone(c.BuildOpts().Opts)
		opts["source"] = p.Frontend
		opts["requestid"] = "frontend.cache"
		opts["frontend.caps"] = "moby.buildkit.frontend.subrequests"
		r, err := c.Solve(ctx, gateway.SolveRequest{Frontend: "gateway.v0", FrontendOpt: opts})
		if err != nil {
			return nil, err
		}
		return gateway.NewResult(), json.Unmarshal(r.Metadata["result.json"], &out)
	}
	if r, err := p.sb.Solve(p.t.Context(), b); err != nil {
		p.t.Fatalf("predict: %v\n%s", err, r)
	}
	return &out
}

// newBase returns busybox with one more file, different every time.
func (p *project) newBase(more ...sandbox.File) v1.Image {
	p.t.Helper()
	image, err := sandbox.Busybox.Native(p.t.Context())
	p.must(err)
	layer, err := sandbox.NewLayer(append(more, sandbox.File{Path: "etc/unique", Body: rand.Text()})...)
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

func (p *project) path(name string) string { return filepath.Join(p.Context, name) }

// must fails the test when a change could not be made.
func (p *project) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

// write writes a file of the context, with the project's id for $ID.
func (p *project) write(name, text string) {
	p.t.Helper()
	p.must(os.MkdirAll(filepath.Dir(p.path(name)), 0o755))
	p.must(os.WriteFile(p.path(name), []byte(strings.ReplaceAll(text, "$ID", p.id)), 0o644))
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

// edited, written, moded, removed, given and asked are changes for the tables.

// edited replaces text in the Dockerfile.
func edited(old, text string) func(*project) {
	return func(p *project) { p.edit(old, text) }
}

// written writes a file of the context.
func written(name, text string) func(*project) {
	return func(p *project) { p.write(name, text) }
}

func moded(name string, mode os.FileMode) func(*project) {
	return func(p *project) { p.must(os.Chmod(p.path(name), mode)) }
}

func removed(name string) func(*project) {
	return func(p *project) { p.must(os.RemoveAll(p.path(name))) }
}

func linked(name, target string) func(*project) {
	return func(p *project) { p.must(os.Symlink(target, p.path(name))) }
}

// given sets a build argument.
func given(name, value string) func(*project) {
	return func(p *project) { p.arg(name, value) }
}

// asked sets another option of the frontend.
func asked(name, value string) func(*project) {
	return func(p *project) { p.attr(name, value) }
}

// all makes several changes.
func all(changes ...func(*project)) func(*project) {
	return func(p *project) {
		for _, c := range changes {
			c(p)
		}
	}
}

// between builds after each change but the last.
func between(changes ...func(*project)) func(*project) {
	return func(p *project) {
		for i, c := range changes {
			if i > 0 {
				p.solve()
			}
			c(p)
		}
	}
}
