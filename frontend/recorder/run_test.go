package recorder

import (
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/cachewright/cachewright/cachepolicy/cacheplan"
	"github.com/cachewright/cachewright/cachepolicy/explain"
	"github.com/cachewright/cachewright/cachepolicy/record"
)

// Three builds, and what each is told.
func TestRecordAndPredict(t *testing.T) {
	b := newBox(t)
	b.write(map[string]string{"a": "1", "dir/b": "2"})
	first := b.good(b.run(ModeRecord, copyPlan(".")))
	if got := state(first); got != "unknown "+explain.Text(first.Predictions[0].Reasons) || first.Builds != 0 || first.BuildID == "" {
		t.Errorf("first build: %s, %+v", got, first)
	}
	if set := first.Plan.Files[0]; !set.Known || set.Size() != 2 || len(set.Files) != 3 {
		t.Errorf("the report's file set is %+v", set)
	}
	if since := time.Since(first.Time); since < 0 || since > time.Minute {
		t.Errorf("the report is of %v ago", since)
	}
	b.write(map[string]string{"a": "changed"})
	if r := b.good(b.run(ModePredict, copyPlan("."))); state(r) != "re-run a changed" || r.Builds != 1 || r.BuildID != "" {
		t.Errorf("prediction: %s, %+v", state(r), r)
	}
	if n := len(b.record().Builds); n != 1 {
		t.Errorf("a prediction left %d builds in the record", n)
	}
	if r := b.good(b.run(ModeRecord, copyPlan("."))); state(r) != "re-run a changed" || r.BuildID == first.BuildID {
		t.Errorf("second build: %s, %+v", state(r), r)
	}
	b.write(map[string]string{"a": "1"})
	if r := b.good(b.run(ModeRecord, copyPlan("."))); state(r) != "hit" || r.Builds != 2 {
		t.Errorf("return to the first state: %s, %+v", state(r), r)
	}
}

// Every context has its own files; those of one that is not mounted are unknown.
func TestContexts(t *testing.T) {
	b := newBox(t)
	writeFile(t, b.context(), "same", "main")
	writeFile(t, filepath.Join(b.Contexts, "1"), "same", "other")
	plan := planOf(
		cacheplan.FileSet{ID: "main", Patterns: []string{"same"}},
		cacheplan.FileSet{ID: "other", Context: "other", Patterns: []string{"same"}},
		cacheplan.FileSet{ID: "strange", Context: "strange", Patterns: []string{"same"}},
		cacheplan.FileSet{ID: "missing", Context: "missing", Patterns: []string{"same"}},
		cacheplan.FileSet{ID: "nothing", Patterns: []string{"nothing"}},
	)
	r := b.request(&Request{Version: Version, Mode: ModeRecord, Plan: plan, Contexts: []string{"", "other", "missing"}, Record: testRecord})
	sets := r.Plan.Files
	if !sets[0].Known || !sets[1].Known || sets[0].Sum() == sets[1].Sum() {
		t.Errorf("main %+v, other %+v", sets[0], sets[1])
	}
	if sets[2].Known || sets[3].Known {
		t.Errorf("strange %+v, missing %+v", sets[2], sets[3])
	}
	if !sets[4].Known || sets[4].Count != 0 {
		t.Errorf("nothing: %+v", sets[4])
	}
	if len(r.Problems) != 1 || r.BuildID == "" {
		t.Errorf("problems %q, build %q", r.Problems, r.BuildID)
	}
}

func TestResults(t *testing.T) {
	b := newBox(t)
	b.write(map[string]string{"a": "1"})
	first := b.good(b.run(ModeRecord, copyPlan(".")))
	results := []record.Result{{Outcome: record.OutcomeDone, Seconds: 2.5}}
	req := &Request{Version: Version, Mode: ModeResults, Record: testRecord, BuildID: first.BuildID, Results: results, Nonce: "1"}
	if r := b.good(b.request(req)); r.BuildID != first.BuildID || r.Predictions != nil {
		t.Errorf("%+v", r)
	}
	if got := b.record().Builds[0].Results; !reflect.DeepEqual(got, results) {
		t.Errorf("recorded %v", got)
	}
	if r := b.good(b.run(ModePredict, copyPlan("."))); r.Predictions[0].Seconds != 2.5 {
		t.Errorf("%+v", r.Predictions)
	}
	req.BuildID = "unknown"
	req.Results = []record.Result{{Outcome: record.OutcomeFailed}}
	b.good(b.request(req))
	if got := b.record().Builds[0].Results; !reflect.DeepEqual(got, results) {
		t.Errorf("recorded %v", got)
	}
}
