package frontend

import (
	"context"
	"encoding/json"
	"path"
	"strconv"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/frontend/subrequests"
	"github.com/pkg/errors"

	"github.com/cachewright/cachewright/cachepolicy/explain"
	"github.com/cachewright/cachewright/cachepolicy/report"
	"github.com/cachewright/cachewright/frontend/recorder"
	"github.com/cachewright/cachewright/llbconv"
)

// cacheRequests returns the subrequests that answer with a form of a report.
func cacheRequests() []request {
	var out []request
	for _, f := range report.Forms() {
		d := subrequests.Request{
			Name:        "frontend." + f.Name,
			Version:     "1.0.0",
			Type:        subrequests.TypeRPC,
			Description: f.Description,
			Opts:        []subrequests.Named{},
			Metadata:    []subrequests.Named{{Name: "result.json"}, {Name: "result.txt"}},
		}
		if f.Asserts {
			d.Metadata = append(d.Metadata, subrequests.Named{Name: "result.statuscode"})
		}
		out = append(out, request{d, func(ctx context.Context, b *build) (*client.Result, error) { return b.answerForm(ctx, f) }})
	}
	return out
}

// explanationVersion is the version of the JSON forms that hold an explanation.
const explanationVersion = report.DocumentVersion

// answerForm answers with one form of what is known of the build's cache.
func (b *build) answerForm(ctx context.Context, form report.Form) (*client.Result, error) {
	if f := b.opts()["format"]; f != "" && f != "json" && f != "text" {
		return nil, errors.Errorf("%s has no format %q: there is text, and with format=json JSON; other forms are calls of their own: %s", form.Name, f, formNames())
	}
	r, err := b.report(ctx, form)
	if err != nil {
		return nil, err
	}
	answer, err := form.Write(r)
	if err != nil {
		return nil, err
	}
	res, err := textResult(answer.Text, answer.Value)
	if err != nil {
		return nil, err
	}
	if form.Asserts {
		status := 0
		if answer.Failed {
			status = 1
		}
		res.AddMeta("result.statuscode", []byte(strconv.Itoa(status)))
	}
	return res, nil
}

// formNames lists the forms.
func formNames() string {
	var names []string
	for _, f := range report.Forms() {
		names = append(names, f.Name)
	}
	return strings.Join(names, ", ")
}

// report gathers what a form is about.
func (b *build) report(ctx context.Context, form report.Form) (*report.Report, error) {
	r := &report.Report{Dockerfile: b.src.Data, Path: path.Join(b.opts()["vcs:localdir:dockerfile"], b.src.Filename), Now: b.start, Frontend: Version()}
	var err error
	if r.Skip, err = b.skipped(); err != nil {
		return nil, err
	}
	converted, err := b.convertToPredict(ctx)
	if err != nil {
		return nil, err
	}
	settings := converted.Overrides()
	if settings.Expect.Text != "" || form.Asserts {
		if r.Expected, err = explain.ParseExpectations(settings.Expect); err != nil {
			return nil, llbconv.RuleError(err)
		}
	}
	if settings.Now != nil {
		r.Now = *settings.Now
	}
	mode := recorder.ModePredict
	if form.Advises {
		mode = recorder.ModeAdvise
	}
	e, err := b.predict(ctx, converted, mode)
	if err != nil {
		return nil, err
	}
	r.Plan, r.Predictions = e.Plan, e.Predictions
	if form.Advises && len(e.Predictions) > 0 {
		if r.Advice, err = b.advise(ctx, r, e); err != nil {
			return nil, err
		}
		r.Plan = r.Plan.WithFewFiles(recorder.MaxReportedFiles)
	}
	if form.Compares {
		if r.Past, err = b.pastBuilds(ctx, r.Plan.Platform); err != nil {
			return nil, err
		}
	}
	list, err := llbconv.Targets(b.src.Data)
	if err != nil {
		return nil, err
	}
	for _, t := range list.Targets {
		r.Stages = append(r.Stages, report.Stage{Name: t.Name, Line: int(t.Location.Ranges[0].Start.Line)})
	}
	return r, nil
}

// skipped returns the checks that the build or the Dockerfile does not want, or "all".
func (b *build) skipped() ([]string, error) {
	config := b.ui.LinterConfig
	if config == nil {
		directive, _, _, _ := parser.ParseDirective("check", b.src.Data)
		var err error
		if config, err = linter.ParseLintOptions(directive); err != nil {
			return nil, err
		}
	}
	if config.SkipAll {
		return []string{"all"}, nil
	}
	return config.SkipRules, nil
}

// predictOptions are those of a conversion for the build's first platform.
func (b *build) predictOptions(ctx context.Context) llbconv.Options {
	opt := b.options(ctx)
	if len(b.ui.TargetPlatforms) > 0 {
		opt.TargetPlatform = &b.ui.TargetPlatforms[0]
	}
	return opt
}

// convertToPredict converts the Dockerfile for the build's first platform.
func (b *build) convertToPredict(ctx context.Context) (*llbconv.Result, error) {
	opt := b.predictOptions(ctx)
	opt.KeyFailed = func(err error) { b.tell(ctx, "Not known for the plan: %v", err) }
	return llbconv.Convert(ctx, b.src.Data, opt)
}

// predict takes the plan of a converted build and predicts what each step will do,
// without building anything.
func (b *build) predict(ctx context.Context, converted *llbconv.Result, mode recorder.Mode) (*explanation, error) {
	def, err := converted.Definition(ctx)
	if err != nil {
		return nil, err
	}
	if b.canRecord() {
		report, _, err := b.compare(ctx, def, mode)
		if err == nil && report != nil && len(report.Predictions) > 0 {
			e := &explanation{Plan: report.Plan, Predictions: report.Predictions, log: report.Log, elsewhere: report.Elsewhere, lacking: report.Lacking}
			b.record.doubt(ctx, e)
			return e, nil
		}
	}
	plan, err := def.Plan(ctx, func() ([]byte, error) { return []byte(b.nonce), nil })
	if err != nil {
		return nil, err
	}
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
