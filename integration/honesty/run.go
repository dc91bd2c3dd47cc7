package honesty

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/moby/buildkit/client"

	"github.com/cachewright/cachewright/integration/sandbox"
	"github.com/cachewright/cachewright/integration/scenario"
)

// buildTimeout ends a build that hangs; most take less than two seconds.
const buildTimeout = 3 * time.Minute

// Runner carries out worlds on one daemon.
type Runner struct {
	Sandbox *sandbox.Sandbox
	Web     *Web
	Dir     string       // for the projects, one directory for each world
	Trace   func(string) // is told of every action, and what its build did and said; nil: not wanted

	base v1.Image
	// builder is held for reading by whoever builds, and for writing by who prunes.
	builder          sync.RWMutex
	results, records int // how often results and records were pruned
}

// NewRunner returns a runner on a daemon that has the frontend in its registry.
func NewRunner(ctx context.Context, sb *sandbox.Sandbox, web *Web, dir string) (*Runner, error) {
	base, err := sandbox.Busybox.Native(ctx)
	return &Runner{Sandbox: sb, Web: web, Dir: dir, base: base}, err
}

// run is one world on its way.
type run struct {
	*Runner
	id     string
	root   string
	image  string // what stands for $IMAGE
	web    string // what stands for $WEB
	state  *State
	onDisk map[string]File
	pushed map[string]int
	judge  *judge
	builds int
}

// Run carries out a world's actions and judges what is said about its builds. It
// adds to the tally, and returns what is wrong or silent. It fails when something that
// has nothing to do with explanations fails, and when ctx ends.
func (r *Runner) Run(ctx context.Context, w *World, tally *Tally) ([]Finding, error) {
	x := &run{Runner: r, id: scenario.NewID(), state: w.Begin.Clone(), pushed: map[string]int{}, judge: newJudge(tally)}
	x.root = filepath.Join(r.Dir, x.id)
	x.image, x.web = "honesty/"+x.id, r.Web.URL+"/"+x.id
	defer os.RemoveAll(x.root)
	for _, p := range x.state.Projects {
		p.Dir += "-" + x.id // folders of one name, but of this world alone
	}
	for n, a := range w.Actions {
		a.Edit(x.state)
		if r.Trace != nil {
			r.Trace(fmt.Sprintf("action %d: %s", n, a))
		}
		var err error
		switch a := a.(type) {
		case Build:
			x.judge.action = n
			err = x.build(ctx, a)
		case Prune:
			err = x.prune(ctx, a)
		}
		if err != nil {
			return x.judge.findings, fmt.Errorf("seed %d, action %d, %s: %w", w.Seed, n, a, err)
		}
	}
	return x.judge.findings, nil
}

// prepare brings disk, registry and web server up to the state, and the secret's file.
func (x *run) prepare(ctx context.Context, secret string) error {
	want := x.state.disk(x.image, x.web)
	if err := apply(x.root, diffFiles(x.onDisk, want)); err != nil {
		return err
	}
	x.onDisk = want
	if err := os.WriteFile(x.dir("secret"), []byte(secret), 0o600); err != nil {
		return err
	}
	x.Web.Set(x.id, x.state.Pages)
	for name, version := range x.state.Images {
		if x.pushed[name] == version {
			continue
		}
		text := fmt.Sprintf("%s %s %d", x.id, name, version)
		layer, err := sandbox.NewLayer(sandbox.File{Path: "etc/unique", Body: text})
		if err != nil {
			return err
		}
		image, err := mutate.AppendLayers(x.base, layer)
		if err != nil {
			return err
		}
		if err := x.Sandbox.PushImage(ctx, x.image+"/"+name+":latest", image); err != nil {
			return err
		}
		x.pushed[name] = version
	}
	return nil
}

// build takes the predictions of a build, does it, and has both judged.
func (x *run) build(ctx context.Context, b Build) error {
	x.builder.RLock()
	defer x.builder.RUnlock()
	x.builds++
	if err := x.prepare(ctx, b.Secret); err != nil {
		return err
	}
	if b.Cancel && b.Client == ClientBuildx {
		b.Client = ClientBuildctl // see solve
	}
	now := event{Build: b, view: NewView(x.state, b.Options), results: x.results, records: x.records}
	var err error
	if now.predicted, err = x.predict(ctx, b); err != nil {
		return err
	}
	if err := x.solveAll(ctx, b, &now); err != nil {
		return err
	}
	x.judge.build(&now)
	for _, e := range []*event{&now, now.also} {
		if e != nil && x.Trace != nil {
			x.Trace(e.trace())
		}
	}
	return nil
}

// solveAll does the build and the one beside it.
func (x *run) solveAll(ctx context.Context, b Build, now *event) error {
	ctx, cancel := context.WithTimeoutCause(ctx, buildTimeout, errors.New("a build takes too long"))
	defer cancel()
	if b.Cancel {
		arrived := make(chan struct{}, 1)
		x.Web.Shut(x.id, arrived)
		defer x.Web.Open(x.id)
		inner, stop := context.WithCancel(ctx)
		defer stop()
		go func() {
			select {
			case <-arrived:
				stop()
			case <-inner.Done():
			}
		}()
		err := x.solve(inner, b, now)
		now.cancelled = inner.Err() != nil && ctx.Err() == nil
		return errors.Join(err, context.Cause(ctx))
	}
	if b.Also == nil {
		return errors.Join(x.solve(ctx, b, now), context.Cause(ctx))
	}
	other := Build{Options: *b.Also, Client: b.Client, Secret: b.Secret}
	now.also = &event{Build: other, view: NewView(x.state, other.Options), results: x.results, records: x.records, beside: now}
	now.beside = now.also
	errs := make(chan error)
	go func() { errs <- x.solve(ctx, other, now.also) }()
	err := x.solve(ctx, b, now)
	return errors.Join(err, <-errs, context.Cause(ctx))
}

// prune removes what the action says.
func (x *run) prune(ctx context.Context, a Prune) error {
	x.builder.Lock()
	defer x.builder.Unlock()
	kind := client.UsageRecordTypeRegular
	if a.Records {
		kind = client.UsageRecordTypeCacheMount
	}
	usage, err := x.Sandbox.Client().DiskUsage(ctx)
	if err != nil {
		return err
	}
	var filters []string
	for n, u := range usage {
		if u.RecordType == kind && (n+x.builds)%a.Every == 0 {
			filters = append(filters, "id=="+u.ID)
		}
	}
	if len(filters) == 0 {
		return nil
	}
	if a.Records {
		x.records++
	} else {
		x.results++
	}
	return x.Sandbox.Client().Prune(ctx, nil, client.PruneAll, client.WithFilter(filters))
}
