package frontend

import (
	"context"
	"encoding/json"
	"strconv"

	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/frontend/subrequests"
	"github.com/pkg/errors"

	"github.com/cachewright/cachewright/cachepolicy"
	"github.com/cachewright/cachewright/llbconv"
	"github.com/cachewright/cachewright/recorder"
)

// cacheDefinition describes the subrequest behind `docker buildx build --call=cache`.
var cacheDefinition = subrequests.Request{
	Name:        "frontend.cache",
	Version:     "1.0.0",
	Type:        subrequests.TypeRPC,
	Description: "Show what each step's cache key is made of, and predict which steps will run",
	Opts:        []subrequests.Named{},
	Metadata:    []subrequests.Named{{Name: "result.json"}, {Name: "result.txt"}},
}

// cacheAssertDefinition describes the one behind `--call=cache-assert`.
var cacheAssertDefinition = subrequests.Request{
	Name:        "frontend.cache-assert",
	Version:     "1.0.0",
	Type:        subrequests.TypeRPC,
	Description: "Fail unless the steps will do what the build argument " + cachepolicy.ArgExpect + " says, such as deps/*=hit,app/4=re-run",
	Opts:        []subrequests.Named{},
	Metadata:    []subrequests.Named{{Name: "result.json"}, {Name: "result.txt"}, {Name: "result.statuscode"}},
}

// explanationVersion is the version of the JSON forms that hold an explanation.
const explanationVersion = 1

// answerCache answers with the plan of the build and what is predicted of it.
func answerCache(ctx context.Context, b *build) (*client.Result, error) {
	e, err := b.predict(ctx)
	if err != nil {
		return nil, err
	}
	return textResult(cachepolicy.Table(e.Plan, e.Predictions), struct {
		Version int `json:"version"`
		explanation
	}{explanationVersion, *e})
}

// answerCacheAssert compares what is predicted with what is expected.
func answerCacheAssert(ctx context.Context, b *build) (*client.Result, error) {
	expected, err := cachepolicy.ParseExpectations(b.ui.BuildArgs[cachepolicy.ArgExpect])
	if err != nil {
		return nil, err
	}
	e, err := b.predict(ctx)
	if err != nil {
		return nil, err
	}
	if e.Predictions == nil {
		return nil, errors.New("nothing can be predicted here: this builder does not run steps of the frontend's own image")
	}
	a := cachepolicy.Assert(e.Plan, e.Predictions, expected)
	res, err := textResult(a.Text, struct {
		Version int            `json:"version"`
		Passed  bool           `json:"passed"`
		Checks  []assertedStep `json:"checks"`
	}{explanationVersion, a.Passed(), assertedSteps(a, e)})
	if err != nil {
		return nil, err
	}
	status := 0
	if !a.Passed() {
		status = 1
	}
	res.AddMeta("result.statuscode", []byte(strconv.Itoa(status)))
	return res, nil
}

// assertedStep is the outcome of one expectation for one step, in JSON.
type assertedStep struct {
	Selector string              `json:"selector"`
	Expected cachepolicy.State   `json:"expected"`
	Step     *cachepolicy.StepID `json:"step,omitempty"` // none if the selector picks none
	// Predicted and Reasons are as in the plan.
	Predicted cachepolicy.State    `json:"predicted,omitempty"`
	Reasons   []cachepolicy.Reason `json:"reasons,omitempty"`
	Passed    bool                 `json:"passed"`
}

func assertedSteps(a cachepolicy.Assertion, e *explanation) []assertedStep {
	out := make([]assertedStep, len(a.Checks))
	for i, c := range a.Checks {
		out[i] = assertedStep{Selector: c.Expected.Selector.String(), Expected: c.Expected.State, Passed: c.Passed}
		if c.Step >= 0 {
			out[i].Step = &e.Plan.Steps[c.Step].ID
			out[i].Predicted, out[i].Reasons = e.Predictions[c.Step].State, e.Predictions[c.Step].Reasons
		}
	}
	return out
}

// predict takes the plan of the build for its first platform and predicts what
// each step will do, without building anything.
func (b *build) predict(ctx context.Context) (*explanation, error) {
	opt := b.options(ctx)
	if len(b.ui.TargetPlatforms) > 0 {
		opt.TargetPlatform = &b.ui.TargetPlatforms[0]
	}
	converted, err := llbconv.Convert(ctx, b.src.Data, opt)
	if err != nil {
		return nil, err
	}
	def, err := converted.Definition(ctx)
	if err != nil {
		return nil, err
	}
	if b.canRecord() {
		report, _, err := b.record(ctx, def, recorder.ModePredict)
		if err == nil && report != nil && len(report.Predictions) > 0 {
			return &explanation{Plan: report.Plan, Predictions: report.Predictions}, nil
		}
	}
	plan := def.Plan([]byte(b.nonce))
	if plan == nil {
		return nil, errors.New("the plan of this Dockerfile is too large to be shown: its steps have too many arguments and environment variables")
	}
	return &explanation{Plan: plan}, nil
}

// textResult is the answer to a subrequest: a text for people, and JSON.
func textResult(text string, value any) (*client.Result, error) {
	data, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return nil, err
	}
	res := client.NewResult()
	res.AddMeta("result.json", append(data, '\n'))
	res.AddMeta("result.txt", []byte(text))
	res.AddMeta("version", []byte("1.0.0"))
	return res, nil
}
