package frontend

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/identity"

	"github.com/cachewright/cachewright/cachepolicy"
	"github.com/cachewright/cachewright/cachepolicy/explain"
	"github.com/cachewright/cachewright/cachepolicy/record"
	"github.com/cachewright/cachewright/frontend/mounts"
	"github.com/cachewright/cachewright/frontend/recorder"
	"github.com/cachewright/cachewright/frontend/travel"
	"github.com/cachewright/cachewright/llbconv"
)

// sharedRecord is the record of earlier builds that travels with the cache of a build.
// All platforms of the build have it in common. What goes wrong costs the record, never
// the build, and is said once.
type sharedRecord struct {
	b     *build
	share cachepolicy.Share

	loaded   sync.Once
	ref      client.Reference // the step that has the record; nil: nothing travels
	travel   record.Travel    // what it has
	looked   sync.Once
	complete bool // see isComplete
}

const lookUpRecord = "[internal] look up the record that came with the cache"

// name is the one under which the record travels.
func (s *sharedRecord) name() string { return s.b.travelName("record") }

// load finds out what came with the cache, and reports whether a record travels with
// this build: it does where the build imports a cache.
func (s *sharedRecord) load(ctx context.Context, def *llbconv.Definition) bool {
	s.loaded.Do(func() {
		if s.share = def.Share(); s.share == cachepolicy.ShareOff || !s.wanted() {
			return
		}
		var data []byte
		var err error
		if s.ref, data, err = s.b.load(ctx, s.name(), lookUpRecord); err == nil {
			s.travel, err = record.DecodeTravel(data)
		}
		if err != nil {
			s.b.tell(ctx, "The record that came with the cache is not used: %v", err)
		}
	})
	return s.ref != nil
}

// leavesOpen reports whether the build imports caches of which no record says what is in
// them.
func (s *sharedRecord) leavesOpen() bool {
	imports := len(s.b.ui.CacheImports)
	return imports > 1 || imports == 1 && len(s.travel.Exported) == 0
}

// wanted reports whether the record is of use: what travels on, a build takes, and what
// has come with the cache, a question about one.
func (s *sharedRecord) wanted() bool {
	if _, asks := s.b.opts()[keyRequestID]; asks {
		return s.b.canImport()
	}
	return s.b.canTravel()
}

// request has the recorder take the record, and write the one that is to travel.
func (s *sharedRecord) request(req *recorder.Request) llb.RunOption {
	req.Share = s.share
	return llb.AddMount(recorder.TravelledDir, s.b.keepStep(s.name(), lookUpRecord), llb.Readonly)
}

// isComplete reports whether the results of all steps of the build that exported the
// record are in the cache, not those of its last ones alone, as with mode=min.
//
// That is seen by a step of which nothing but a copy was given to the exporter: only
// with mode=max its own result is exported too. Where it is not, the builder runs it
// again, and the file that it makes has another time.
func (s *sharedRecord) isComplete(ctx context.Context) bool {
	s.looked.Do(func() {
		if s.travel.Mark != "" {
			made, err := s.markTime(ctx, s.travel.Mark)
			s.complete = err == nil && made.Equal(s.travel.MarkTime)
		}
	})
	return s.complete
}

// group has progress output show small steps as one.
func (s *sharedRecord) group() llb.ConstraintsOpt {
	return llb.ProgressGroup("cachewright-mark-"+s.b.nonce, "[internal] mark what is in the cache", false)
}

const markName = "/mark"

// mark is the step that isComplete looks at. It follows another one, since the result of
// one that follows none is not exported.
func (s *sharedRecord) mark(id string) llb.State {
	return llb.Scratch().File(llb.Mkdir("/marked", 0o755), s.group()).File(llb.Mkfile(markName, 0o644, []byte(id)), s.group())
}

// markTime returns when the step ran whose result the builder has or imports.
func (s *sharedRecord) markTime(ctx context.Context, id string) (time.Time, error) {
	ref, err := s.b.solveImported(ctx, s.mark(id), true)
	if err != nil {
		return time.Time{}, err
	}
	stat, err := ref.StatFile(ctx, client.StatRequest{Path: markName})
	if err != nil {
		return time.Time{}, err
	}
	return time.Unix(0, stat.ModTime).UTC().Truncate(time.Second), nil // layers have whole seconds
}

// markCopy is the step that carries the other one's key.
func (s *sharedRecord) markCopy(ctx context.Context, id string) (client.Reference, error) {
	copied := llb.Scratch().File(llb.Mkdir("/"+mounts.NoneName, 0o755).Copy(s.mark(id), markName, markName), s.group())
	return s.b.solveImported(ctx, copied, false)
}

// missing returns the steps of an explanation whose results another builder has, and
// the imported cache has not.
func (s *sharedRecord) missing(ctx context.Context, e *explanation) []int {
	if len(e.elsewhere) == 0 || s.isComplete(ctx) {
		return e.lacking
	}
	return e.elsewhere
}

// doubt takes back what is predicted of steps that may have to run although the record
// knows them.
func (s *sharedRecord) doubt(ctx context.Context, e *explanation) {
	runs := slices.ContainsFunc(e.Predictions, func(p explain.Prediction) bool { return p.State != explain.StateHit })
	if runs && len(e.elsewhere) > 0 {
		e.Predictions, e.needed = explain.NotExported(e.Plan, e.Predictions, s.missing(ctx, e))
	}
}

// tellMissing says after the build why results did not come from the imported cache.
func (s *sharedRecord) tellMissing(ctx context.Context, platforms []platformBuild) {
	exported := s.travel.Platforms()
	for _, p := range platforms {
		if e := p.explanation; e != nil && len(exported) > 0 && !slices.Contains(exported, e.Plan.Platform) {
			s.b.tell(ctx, "The imported cache was exported by a build for %s: it need not have anything for %s", strings.Join(exported, ", "), e.Plan.Platform)
			return
		}
	}
	count, example := 0, ""
	byRule := true
	for _, p := range platforms {
		if p.explanation == nil {
			continue
		}
		for _, i := range p.explanation.needed {
			step := &p.explanation.Plan.Steps[i]
			if count++; count == 1 {
				example = step.ID.String()
			}
			byRule = byRule && step.StaysHere()
		}
	}
	if count == 0 {
		return
	}
	steps := example
	if count > 1 {
		steps = fmt.Sprintf("%s and %d more", example, count-1)
	}
	cause := "only the last results were exported with it, as with mode=min"
	switch {
	case byRule:
		cause = "of the rule export=no"
	case s.complete:
		cause = "the build that exported it did not have them either"
	}
	s.b.tell(ctx, "Built before, but not in the imported cache, since %s: %s", cause, steps)
}

// save waits for the build, has the record of it travel with the cache, and returns the
// steps that do. If the record has the build already, it is left as it is.
func (s *sharedRecord) save(ctx context.Context, platforms []platformBuild) []client.Reference {
	if s.ref == nil {
		return nil
	}
	next, err := s.next(ctx, platforms)
	if err == nil && next != nil {
		if evaluate(ctx, platforms) != nil {
			return nil // the daemon reports it
		}
		err = s.store(ctx, *next)
	}
	refs := []client.Reference{s.ref}
	if err == nil && s.travel.Mark != "" {
		var ref client.Reference
		ref, err = s.markCopy(ctx, s.travel.Mark)
		refs = append(refs, ref)
	}
	if err != nil {
		if ctx.Err() == nil {
			s.b.tell(ctx, "The record of this build does not travel with the cache: %v", err)
		}
		return nil
	}
	return refs
}

// next returns what is to travel, or nil if that is what the cache has already.
func (s *sharedRecord) next(ctx context.Context, platforms []platformBuild) (*record.Travel, error) {
	out := record.Travel{TravelHeader: record.TravelHeader{Values: s.share == cachepolicy.ShareValues}, Record: s.travel.Record}
	known := s.travel.Values == out.Values
	for _, p := range platforms {
		if p.explanation == nil || p.explanation.id == "" {
			return nil, fmt.Errorf("the build for %s is not recorded", p.id)
		}
		id, ok := s.travel.Find(p.explanation.Plan)
		if known = known && ok; !ok {
			id = p.explanation.id
		}
		out.Exported = append(out.Exported, id)
	}
	if known && sameSet(out.Exported, s.travel.Exported) {
		return nil, nil
	}
	out.Lacks = map[string][]int{}
	for i, p := range platforms {
		if err := s.add(ctx, &out, out.Exported[i], p.explanation); err != nil {
			return nil, err
		}
	}
	out.Record = out.ForTravel(out.Values)
	return &out, nil
}

func sameSet(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

// add adds what the recorder wrote for one platform, and which steps of its build have
// no result on this builder either: those that another one has, and that none needed.
func (s *sharedRecord) add(ctx context.Context, out *record.Travel, id string, e *explanation) error {
	data, err := e.ref.ReadFile(ctx, client.ReadRequest{Filename: "/" + recorder.TravelName})
	if err != nil {
		return err
	}
	own, err := record.DecodeTravel(data)
	if err != nil {
		return err
	}
	out.Project, out.Record = own.Project, record.Merge(own.Record, out.Record)
	for _, i := range s.missing(ctx, e) {
		if !slices.Contains(e.needed, i) {
			out.Lacks[id] = append(out.Lacks[id], i)
		}
	}
	return nil
}

// store has a record travel instead of the one that came with the cache.
func (s *sharedRecord) store(ctx context.Context, next record.Travel) error {
	next.Mark = identity.NewID()
	made, err := s.markTime(ctx, next.Mark)
	if err != nil {
		return err
	}
	next.MarkTime = made
	data, err := next.Encode(travel.MaxBytes)
	if err != nil {
		return err
	}
	ref, err := s.b.store(ctx, s.name(), "[internal] note the record for the cache", data)
	if err == nil {
		s.ref, s.travel = ref, next
	}
	return err
}
