package recorder_test

import (
	"context"
	"testing"
	"time"

	"github.com/moby/buildkit/client/llb"
	gateway "github.com/moby/buildkit/frontend/gateway/client"

	"github.com/cachewright/cachewright/cachepolicy"
	"github.com/cachewright/cachewright/cachepolicy/cacheplan"
	"github.com/cachewright/cachewright/cachepolicy/explain"
	"github.com/cachewright/cachewright/frontend/recorder"
)

var past = time.Unix(1_600_000_000, 0)

// As a step, the recorder runs when the files or the request changed, and is cached
// otherwise; it remembers what it recorded.
func TestRecorderStep(t *testing.T) {
	l := newLab(t, map[string]string{"a": "1", "dir/b": "2"})
	build := func() (report *recorder.Report, state string) {
		t.Helper()
		status := l.solve(func(ctx context.Context, c gateway.Client, local llb.State) (err error) {
			plan := &cacheplan.Plan{Version: cacheplan.Version, Files: []cacheplan.FileSet{{ID: "all", Patterns: []string{"."}}}}
			plan.Steps = []cacheplan.Step{{Name: "COPY . .", Inputs: []cachepolicy.Input{{Kind: cachepolicy.InputFiles, Name: ".", Files: "all"}}}}
			report, err = l.ask(ctx, c, local, &recorder.Request{Mode: recorder.ModeRecord, Plan: plan, Contexts: []string{""}})
			return err
		})
		step, err := status.Step("record")
		l.must(err)
		return report, step.State()
	}
	first, state := build()
	if state != "ran" || first.Builds != 0 || first.BuildID == "" {
		t.Errorf("first build: %s, %+v", state, first)
	}
	if again, state := build(); state != "cached" || again.BuildID != first.BuildID || !again.Time.Equal(first.Time) {
		t.Errorf("the same again: %s, %+v", state, again)
	}
	l.write("dir/b", "changed")
	second, state := build()
	if state != "ran" || second.Builds != 1 || explain.Text(second.Predictions[0].Reasons) != "dir/b changed" {
		t.Errorf("after a change: %s, %+v", state, second)
	}
}

// The key is made once, and is the same in every build of the builder.
func TestKeyStep(t *testing.T) {
	l := newLab(t, map[string]string{"a": "1"})
	var keys []string
	for range 2 {
		l.solve(func(ctx context.Context, c gateway.Client, _ llb.State) error {
			data, err := l.command(ctx, c, "key", recorder.KeyName)
			keys = append(keys, string(data))
			return err
		})
	}
	if keys[0] != keys[1] || len(keys[0]) != 64 {
		t.Errorf("keys: %q", keys)
	}
}
