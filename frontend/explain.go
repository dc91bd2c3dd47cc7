package frontend

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/moby/buildkit/frontend/gateway/client"

	"github.com/cachewright/cachewright/cachepolicy/cacheplan"
	"github.com/cachewright/cachewright/cachepolicy/explain"
	"github.com/cachewright/cachewright/cachepolicy/record"
	"github.com/cachewright/cachewright/frontend/recorder"
	"github.com/cachewright/cachewright/llbconv"
)

// keyExplanation is the result metadata that carries the plans and reasons of a
// build. What starts with "frontend." reaches the client's metadata file and the
// builder's history.
const keyExplanation = "frontend.cachewright"

// maxExplanationBytes is how much result metadata there is at most.
const maxExplanationBytes = 256 << 10

// explanation is what one platform's build says about itself.
type explanation struct {
	Plan        *cacheplan.Plan      `json:"plan"`
	Predictions []explain.Prediction `json:"predictions,omitempty"`
	// forgotten: the builder knows an equal build, but not its own answer to it.
	forgotten bool
	// repeated: the builder has just answered the same for an equal build.
	repeated bool
	// summarized: the build wants a line about itself after it.
	summarized bool
	// id is the build's in the record, and ref what the recorder has written.
	id  string
	ref client.Reference
	// elsewhere are the steps of which another builder has a result, lacking those among
	// them whose results did not travel, needed those that may have to run for that.
	elsewhere, lacking, needed []int
	// keys are those of the steps, if the record has to learn what becomes of them.
	keys []cacheplan.StepKeys
	// log is there if advice was asked for.
	log []record.LogEntry
}

// explain finds out why steps of a converted build will run again and puts it
// behind their names in the build's definition. What goes wrong costs the
// explanation, never the build: the result is nil then.
func (b *build) explain(ctx context.Context, def *llbconv.Definition) *explanation {
	if !def.Explains() || !b.canRecord() {
		return nil
	}
	report, ref, err := b.compare(ctx, def, recorder.ModeRecord)
	if err != nil || report == nil || len(report.Predictions) == 0 {
		return nil
	}
	e := &explanation{Plan: report.Plan, Predictions: report.Predictions, summarized: def.Summarizes(), keys: report.Keys, id: report.BuildID, ref: ref}
	cached := report.For != b.nonce // the builder had the report: nothing is new
	if cached {
		e.Predictions = explain.Predict(report.Plan, []record.PastBuild{{Plan: report.Plan}})
		e.repeated = true
	} else {
		e.elsewhere, e.lacking = report.Elsewhere, report.Lacking
		b.record.doubt(ctx, e)
		e.forgotten = report.Repeated && b.record.ref == nil // else the cache has been imported since
	}
	if cached || report.Builds > 0 {
		def.Annotate(notes(e.Predictions, b.record.leavesOpen()))
	}
	return e
}

// forgottenNote is what a build says that is equal to a recorded one although the
// builder had to compare them again: it no longer has all results of the earlier
// one. Which of them, a frontend cannot know.
const forgottenNote = "Nothing has changed since an earlier build: a step that runs again does so because this builder does not have its result any more"

// tellForgotten says so once for all platforms.
func (b *build) tellForgotten(ctx context.Context, platforms []platformBuild) {
	if slices.ContainsFunc(platforms, func(p platformBuild) bool { return p.explanation != nil && p.explanation.forgotten }) {
		b.tell(ctx, forgottenNote)
	}
}

// notes returns what to say about steps, by their index. What a build that imports a
// cache without a record finds there is not known: it may take from it what would have
// to run here.
func notes(predictions []explain.Prediction, imports bool) map[int]string {
	out := map[int]string{}
	for _, p := range predictions {
		switch p.State {
		case explain.StateReRun:
			out[p.Step] = explain.Text(p.Reasons)
			if imports && !slices.ContainsFunc(p.Reasons, func(r explain.Reason) bool { return r.Kind.Asked() }) {
				out[p.Step] += ", unless imported"
			}
		case explain.StateUnknown:
			if len(p.Reasons) > 0 && p.Reasons[0].Kind.MayRun() {
				out[p.Step] = explain.Text(p.Reasons)
			}
		case explain.StateHit:
		}
	}
	return out
}

// addExplanations puts the plans into the result's metadata: without lists of files,
// then without the inputs of the steps if that is too large, and else not at all.
func addExplanations(res *client.Result, platforms []platformBuild) error {
	var all []explanation
	for _, p := range platforms {
		if p.explanation != nil {
			all = append(all, *p.explanation)
		}
	}
	if len(all) == 0 {
		return nil
	}
	data, err := encodeExplanations(all)
	for _, smaller := range []func(*cacheplan.Plan) *cacheplan.Plan{(*cacheplan.Plan).WithoutFiles, withoutInputs} {
		if err != nil || len(data) <= maxExplanationBytes {
			break
		}
		for i := range all {
			all[i].Plan = smaller(all[i].Plan)
		}
		data, err = encodeExplanations(all)
	}
	if err != nil {
		return err
	}
	if len(data) <= maxExplanationBytes {
		res.AddMeta(keyExplanation, data)
	}
	return nil
}

func encodeExplanations(all []explanation) ([]byte, error) {
	return json.Marshal(struct {
		Version  int           `json:"version"`
		Frontend string        `json:"frontend,omitempty"`
		Builds   []explanation `json:"builds"`
	}{explanationVersion, Version(), all})
}

func withoutInputs(p *cacheplan.Plan) *cacheplan.Plan {
	out := *p
	out.Files = nil
	out.Steps = slices.Clone(p.Steps)
	for i := range out.Steps {
		out.Steps[i].Inputs = nil
	}
	return &out
}
