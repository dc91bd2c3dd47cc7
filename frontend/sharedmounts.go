package frontend

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/docker/go-units"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/gateway/client"
	"golang.org/x/sync/errgroup"

	"github.com/cachewright/cachewright/cachepolicy"
	"github.com/cachewright/cachewright/cachepolicy/explain"
	"github.com/cachewright/cachewright/frontend/mounts"
	"github.com/cachewright/cachewright/llbconv"
)

// savedID names the cache mount that holds layers between two steps.
const savedID = "cachewright-saved"

// sharedMounts are the cache mounts of a build whose contents travel with its cache.
// All platforms of the build have them in common. What goes wrong costs the contents,
// never the build, and is said once.
type sharedMounts struct {
	b  *build
	mu sync.Mutex // held while contents are restored

	used    map[string]*usedMount // by name; of all platforms
	max     int64                 // bytes
	loaded  bool
	failed  bool           // nothing is restored or saved any more
	pointer mounts.Pointer // what was saved by earlier builds
	ref     client.Reference
}

// usedMount is a shared mount of a build.
type usedMount struct {
	*llbconv.SharedMount
	mayRun   bool // a step that has it
	restored bool // or found to have something already
}

// restore puts contents that travelled into the mounts of a platform's steps, as far as
// these are going to run, or that is not known. It returns when they are there.
func (s *sharedMounts) restore(ctx context.Context, def *llbconv.Definition, e *explanation) {
	list := def.SharedMounts()
	if len(list) == 0 || def.Share() == cachepolicy.ShareOff || !s.b.canTravel() {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.max = def.MountsMax()
	s.use(list, e)
	if s.load(ctx); s.failed {
		return
	}
	due := s.due()
	if len(due) == 0 {
		return
	}
	empty, err := s.run(ctx, "look", "look at cache mounts", due, nil)
	if err == nil {
		due = slices.DeleteFunc(due, func(m *usedMount) bool { return !empty[m.Name].Empty })
		err = s.fill(ctx, due)
	}
	if err != nil {
		s.fail(ctx, err)
	}
}

// use adds the mounts of a platform.
func (s *sharedMounts) use(list []*llbconv.SharedMount, e *explanation) {
	if s.used == nil {
		s.used = map[string]*usedMount{}
	}
	for _, m := range list {
		known := s.used[m.Name]
		if known == nil {
			known = &usedMount{SharedMount: m}
			s.used[m.Name] = known
		}
		known.mayRun = known.mayRun || e.mayRun(m.Steps)
	}
}

// mayRun reports whether one of some steps is going to run, or that is not known.
func (e *explanation) mayRun(steps []int) bool {
	if e == nil {
		return true
	}
	return !e.repeated && slices.ContainsFunc(steps, func(i int) bool {
		return i >= len(e.Predictions) || e.Predictions[i].State != explain.StateHit
	})
}

// load finds out what was saved by earlier builds.
func (s *sharedMounts) load(ctx context.Context) {
	if s.loaded {
		return
	}
	s.loaded = true
	ref, data, err := s.b.load(ctx, s.b.travelName("mounts"), "[internal] look up saved cache mounts")
	s.ref = ref
	if err == nil {
		s.pointer, err = mounts.DecodePointer(data)
	}
	if err != nil {
		s.b.tell(ctx, "What was saved of cache mounts cannot be read: %v", err)
		s.failed = ctx.Err() != nil || ref == nil
	}
}

// due returns the mounts that are to be looked at now, if something was saved of them.
func (s *sharedMounts) due() []*usedMount {
	var out []*usedMount
	for _, m := range s.list() {
		if m.mayRun && !m.restored && s.pointer.Chain(m.Name) != nil {
			m.restored = true
			out = append(out, m)
		}
	}
	return out
}

// list returns all mounts, by name.
func (s *sharedMounts) list() []*usedMount {
	var out []*usedMount
	for _, name := range slices.Sorted(maps.Keys(s.used)) {
		out = append(out, s.used[name])
	}
	return out
}

// fill restores what was saved of some mounts, which are empty.
func (s *sharedMounts) fill(ctx context.Context, due []*usedMount) error {
	if len(due) == 0 {
		return nil
	}
	reports, err := s.run(ctx, "restore", "restore cache mounts", due, func(i int, c *mounts.Chain) []llb.RunOption {
		var opts []llb.RunOption
		for j, l := range c.Layers {
			opts = append(opts, s.layerMount(l, i, j))
		}
		return opts
	})
	if err != nil {
		return err
	}
	for _, m := range due {
		if r := reports[m.Name]; r.Problem != "" {
			s.b.tell(ctx, "The contents of cache mount %s are not restored: %s", m.display(), s.problem(r))
		}
	}
	return nil
}

// problem is how messages call what went wrong with a mount.
func (s *sharedMounts) problem(r mounts.MountReport) string {
	if r.TooLarge == 0 {
		return r.Problem
	}
	return fmt.Sprintf("its files have %s, and %s is %s",
		units.HumanSize(float64(r.TooLarge)), cachepolicy.ArgMounts, units.HumanSize(float64(s.max)))
}

// display is how messages call a mount.
func (m *usedMount) display() string {
	name, _, _ := strings.Cut(strings.TrimPrefix(m.Name, "/"), " ")
	return name
}

// layerMount mounts a layer of the i-th mount as its j-th.
func (s *sharedMounts) layerMount(l mounts.Layer, i, j int) llb.RunOption {
	return llb.AddMount(mounts.LayersDir+"/"+strconv.Itoa(i)+"/"+strconv.Itoa(j), s.layer(l), llb.Readonly)
}

// layer is the step that has a layer. Its key is the layer's ID, so a builder that has
// not saved it takes it from the caches that the build imports.
func (s *sharedMounts) layer(l mounts.Layer) llb.State {
	return s.step("saved cache mount "+l.ID[:8], []string{"content", l.ID}).AddMount(mounts.OutDir, llb.Scratch())
}

// step runs a command of package mounts where saved layers are at hand.
func (s *sharedMounts) step(title string, args []string, opts ...llb.RunOption) llb.ExecState {
	saved := llb.AddMount(mounts.SavedDir, llb.Scratch(), llb.AsPersistentCacheDir(savedID, llb.CacheMountShared))
	return s.b.ownStep("[internal] "+title, append([]string{"mounts"}, args...), append([]llb.RunOption{saved}, opts...)...)
}

// run runs a command of package mounts for some mounts, and returns what it says of each.
func (s *sharedMounts) run(ctx context.Context, command, title string, list []*usedMount, more func(i int, c *mounts.Chain) []llb.RunOption) (map[string]mounts.MountReport, error) {
	req := &mounts.Request{Version: mounts.Version, MaxBytes: s.max, Nonce: s.b.nonce}
	var opts []llb.RunOption
	for i, m := range list {
		chain := s.pointer.Chain(m.Name)
		req.Mounts = append(req.Mounts, mounts.MountRequest{Mount: m.Name, Chain: chain})
		opts = append(opts, m.RunOption(mounts.MountsDir+"/"+strconv.Itoa(i)))
		if chain != nil && more != nil {
			opts = append(opts, more(i, chain)...)
		}
	}
	arg, err := json.Marshal(req)
	if err != nil {
		return nil, err
	}
	run := s.step(title, []string{command, string(arg)}, opts...)
	ref, err := s.b.solveImported(ctx, run.AddMount(mounts.OutDir, llb.Scratch()), true)
	if err != nil {
		return nil, err
	}
	data, err := ref.ReadFile(ctx, client.ReadRequest{Filename: "/" + mounts.ReportName})
	if err != nil {
		return nil, err
	}
	report, err := mounts.DecodeReport(data, req)
	if err != nil {
		return nil, err
	}
	out := map[string]mounts.MountReport{}
	for i, r := range report.Mounts {
		out[list[i].Name] = r
	}
	return out, nil
}

// save waits for the build, saves what has changed in its mounts, and returns the steps
// that are to travel with the cache: those of earlier builds too, since an export keeps
// nothing of the cache that the build imports but what it uses.
func (s *sharedMounts) save(ctx context.Context, platforms []platformBuild) []client.Reference {
	if len(s.used) == 0 || s.failed {
		return nil
	}
	var list []*usedMount
	for _, m := range s.list() {
		if m.mayRun {
			list = append(list, m)
		}
	}
	if len(list) > 0 {
		if evaluate(ctx, platforms) != nil {
			return nil // the daemon reports it
		}
		if err := s.update(ctx, list); err != nil {
			s.fail(ctx, err)
			return nil
		}
	}
	refs, err := s.layers(ctx)
	if err != nil {
		s.fail(ctx, err)
		return nil
	}
	return append(refs, s.ref)
}

// evaluate waits for the results of all platforms.
func evaluate(ctx context.Context, platforms []platformBuild) error {
	eg, ctx := errgroup.WithContext(ctx)
	for _, p := range platforms {
		if p.ref != nil {
			eg.Go(func() error { return p.ref.Evaluate(ctx) })
		}
	}
	return eg.Wait()
}

// update saves what has changed, and has the pointer say so.
func (s *sharedMounts) update(ctx context.Context, list []*usedMount) error {
	reports, err := s.run(ctx, "save", "save cache mounts", list, func(i int, c *mounts.Chain) []llb.RunOption {
		return []llb.RunOption{s.layerMount(c.Layers[len(c.Layers)-1], i, 0)}
	})
	if err != nil {
		return err
	}
	changed := false
	for _, m := range list {
		r := reports[m.Name]
		switch {
		case r.Problem != "":
			s.b.tell(ctx, "The contents of cache mount %s are not saved: %s", m.display(), s.problem(r))
		case r.Chain != nil:
			s.pointer, changed = s.pointer.With(*r.Chain), true
		}
	}
	if !changed {
		return nil
	}
	data, err := s.pointer.Encode()
	if err != nil {
		return err
	}
	s.ref, err = s.b.store(ctx, s.b.travelName("mounts"), "[internal] note saved cache mounts", data)
	return err
}

// layers returns the steps that have the layers of all that was saved of the mounts.
func (s *sharedMounts) layers(ctx context.Context) ([]client.Reference, error) {
	eg, ctx := errgroup.WithContext(ctx)
	var mu sync.Mutex
	var refs []client.Reference
	for _, c := range s.pointer.Chains {
		if s.used[c.Mount] == nil {
			continue
		}
		for _, l := range c.Layers {
			eg.Go(func() error {
				ref, err := s.b.solveImported(ctx, s.layer(l), false)
				mu.Lock()
				defer mu.Unlock()
				refs = append(refs, ref)
				return err
			})
		}
	}
	return refs, eg.Wait()
}

// fail says what went wrong, and ends all restoring and saving.
func (s *sharedMounts) fail(ctx context.Context, err error) {
	s.failed = true
	if ctx.Err() == nil {
		s.b.tell(ctx, "The contents of cache mounts do not travel: %v", err)
	}
}
