package recorder

import (
	"os"
	"path/filepath"
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

// A step is a hit once somebody has said that it is done.
func TestResults(t *testing.T) {
	b := newBox(t)
	b.write(map[string]string{"a": "1"})
	first := b.good(b.ask(ModeRecord, copyPlan(".")))
	if len(first.Keys) != 1 {
		t.Fatalf("%+v", first)
	}
	if r := b.good(b.run(ModePredict, copyPlan("."))); state(r) != "unknown did not finish before" {
		t.Errorf("before the outcome is known: %s", state(r))
	}
	req := &Request{Version: Version, Mode: ModeResults, Record: testRecord, Keys: first.Keys, Results: []record.Result{{Outcome: record.OutcomeFailed}}}
	b.good(b.request(req))
	if r := b.good(b.run(ModePredict, copyPlan("."))); state(r) != "unknown did not finish before" {
		t.Errorf("after it failed: %s", state(r))
	}
	req.Results[0].Outcome = record.OutcomeDone
	b.good(b.request(req))
	if r := b.good(b.ask(ModeRecord, copyPlan("."))); state(r) != "hit" || len(r.Keys) != 0 {
		t.Errorf("after it was done: %s, %+v", state(r), r)
	}
}

// What is done in one project is done in every other, and what changed in one is no
// change of another that has the same name.
func TestProjects(t *testing.T) {
	b := newBox(t)
	b.Dirs.Dockerfile = b.context()
	write := func(dockerfile, a, lib string, second int64) {
		for name, content := range map[string]string{"Dockerfile": dockerfile, "a": a, "lib": lib} {
			writeFile(t, b.context(), name, content)
			when := time.Unix(second, int64(len(name))+7)
			b.must(os.Chtimes(filepath.Join(b.context(), name), when, when))
		}
		age(t, b.context())
	}
	write("FROM x", "1", "alpha", 1000)
	b.good(b.run(ModeRecord, copyPlan(".")))
	write("FROM x", "1", "beta", 2000)
	if r := b.good(b.run(ModeRecord, copyPlan("."))); r.Builds != 0 || state(r) != "unknown no record of earlier builds" {
		t.Errorf("another project of that name: %s, compared with %d builds", state(r), r.Builds)
	}
	when := time.Unix(3000, 5)
	writeFile(t, b.context(), "lib", "gamma")
	b.must(os.Chtimes(filepath.Join(b.context(), "lib"), when, when))
	age(t, b.context())
	if r := b.good(b.run(ModeRecord, copyPlan("."))); r.Builds != 1 || state(r) != "re-run lib changed" {
		t.Errorf("an edit: %s, compared with %d builds", state(r), r.Builds)
	}
	write("FROM x", "1", "alpha", 4000)
	if r := b.good(b.run(ModePredict, copyPlan("."))); state(r) != "hit" {
		t.Errorf("a fresh checkout of what was built: %s", state(r))
	}
}
