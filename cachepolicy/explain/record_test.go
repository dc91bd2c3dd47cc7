package explain

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cachewright/cachewright/cachepolicy"
	"github.com/cachewright/cachewright/cachepolicy/cacheplan"
	"github.com/cachewright/cachewright/cachepolicy/internal/plantext"
	"github.com/cachewright/cachewright/cachepolicy/record"
)

// What a decoded record predicts is what the record itself does.
func TestRecordPredicts(t *testing.T) {
	const text = "app 1/2 COPY . .\n  files all\n  env A=a 3\napp 2/2 RUN x\nset all .\n  d v0 040755\n  d/b %s 100755\n"
	var r record.Record
	for i := range 3 {
		past := plantext.Parse(t, fmt.Sprintf(text, fmt.Sprint("v", i)))
		r = r.Add(record.Build{ID: fmt.Sprint(i), Time: time.Unix(int64(i), 0), Plan: past.Plan})
	}
	back := record.Decode(r.Encode())
	for _, content := range []string{"v0", "v1", "v9"} {
		p := plantext.Parse(t, fmt.Sprintf(text, content)).Plan
		want, got := predictions(p, Predict(p, r.Past(p, nil))), predictions(p, Predict(p, back.Past(p, nil)))
		if got != want {
			t.Errorf("%s: got\n%swant\n%s", content, got, want)
		}
		if hit := strings.HasPrefix(want, "hit"); hit == (content == "v9") {
			t.Errorf("%s: the prediction itself is wrong:\n%s", content, want)
		}
	}
}

// Values that are not UTF-8 stay different from each other.
func TestRecordOddBytes(t *testing.T) {
	build := func(value string) record.Build {
		p := &cacheplan.Plan{Version: cacheplan.Version, Steps: []cacheplan.Step{{Inputs: []cachepolicy.Input{cachepolicy.NewInput(cachepolicy.InputEnv, "A", value, cachepolicy.Origin{})}}}}
		return record.Build{ID: value, Plan: p}
	}
	back := record.Decode(record.Record{Builds: []record.Build{build("a\xff")}}.Encode())
	for value, want := range map[string]State{"a\xff": StateHit, "a\xfe": StateReRun, "a\ufffd": StateReRun, "a": StateReRun} {
		if got := Predict(build(value).Plan, back.Past(build(value).Plan, nil))[0].State; got != want {
			t.Errorf("%q: %s, want %s", value, got, want)
		}
	}
}

// What follows a failed step is not predicted as a hit.
func TestPredictFailed(t *testing.T) {
	plan := plantext.Parse(t, "deps 1/2 RUN a\ndeps 2/2 RUN b\nside 1/1 RUN c\napp 1/2 COPY d .\n content deps/2\napp 2/2 RUN e\n content side/1\n").Plan
	for step := range plan.Steps {
		results := record.Failed(plan, step)
		for i, p := range Predict(plan, []record.PastBuild{{Plan: plan, Results: results}}) {
			if want := map[record.Outcome]State{record.OutcomeDone: StateHit, record.OutcomeFailed: StateUnknown}[results[i].Outcome]; p.State != want {
				t.Errorf("step %d failed: step %d is predicted %s, want %s", step, i, p.State, want)
			}
		}
	}
}

// A record from another builder tells what changed, and shows no value.
func TestTravelled(t *testing.T) {
	const text = "app 1/1 RUN x\n  arg V=%s 1\n  env E=same 2\n  arg NPM_TOKEN=%s 3\n"
	r := record.Record{}.Add(record.Build{ID: "a", Plan: plantext.Parse(t, fmt.Sprintf(text, "visible", "hunter2")).Plan})
	bytes := r.ForTravel(false).Encode()
	for _, value := range []string{"visible", "hunter2", "hmac"} {
		if strings.Contains(string(bytes), value) {
			t.Errorf("%s is in it", value)
		}
	}
	if !strings.Contains(string(r.Encode()), "visible") {
		t.Error("the record itself was changed")
	}
	p := plantext.Parse(t, fmt.Sprintf(text, "other", "hunter3")).Plan
	if got := Text(Predict(p, record.Decode(bytes).Past(p, nil))[0].Reasons); got != "ARG V changed (line 1)" {
		t.Errorf("%q", got)
	}
}

// A builder that has lost the key of withheld values does not know whether they changed.
func TestOtherKey(t *testing.T) {
	const text = "app 1/3 COPY . .\n  arg V=%s 1\napp 2/3 RUN x\n  arg NPM_TOKEN=hunter2 2\napp 3/3 RUN y\n"
	past := plantext.Parse(t, fmt.Sprintf(text, "1"))
	past.Plan.SecretKey = "first"
	r := record.Record{}.Add(record.Build{ID: "a", Plan: past.Plan})
	for value, want := range map[string]string{
		"1": "hit     [app 1/3] COPY . .\nunknown [app 2/3] RUN x <- NPM_TOKEN is not known\nunknown [app 3/3] RUN y <- follows 2/3 if that changed\n",
		"2": "re-run  [app 1/3] COPY . . <- ARG V 1 → 2 (line 1)\nre-run  [app 2/3] RUN x <- follows 1/3\nre-run  [app 3/3] RUN y <- follows 1/3\n",
	} {
		p := plantext.Parse(t, fmt.Sprintf(text, value)).Plan
		p.SecretKey = "second"
		p.Steps[1].Key = "keyed with another key"
		if got := predictions(p, Predict(p, r.Past(p, nil))); got != want {
			t.Errorf("%s: got\n%swant\n%s", value, got, want)
		}
	}
}

// What a builder keeps to itself is not known elsewhere, and neither is what follows.
func TestTravelledSecret(t *testing.T) {
	const text = "app 1/2 RUN x\n  key %s\n  arg NPM_TOKEN=%s 3\napp 2/2 RUN y\n"
	r := record.Record{}.Add(record.Build{ID: "a", Plan: plantext.Parse(t, fmt.Sprintf(text, "k1", "hunter2")).Plan})
	travel := record.Travel{TravelHeader: record.TravelHeader{Exported: []string{"a"}}, Record: r.ForTravel(true)}
	keys := travel.Ledger()
	p := plantext.Parse(t, fmt.Sprintf(text, "k2", "hunter2")).Plan
	for i, got := range PredictKnown(p, &keys.Exported, travel.Past(p, nil)) {
		want := []string{"NPM_TOKEN is not known", "follows 1/2 if that changed"}[i]
		if got.State != StateUnknown || Text(got.Reasons) != want {
			t.Errorf("%d: %s %q", i, got.State, Text(got.Reasons))
		}
	}
}

// A reason says since which other revision it is.
func TestSince(t *testing.T) {
	const text = "app 1/2 RUN x\n  arg V=%s 1\n  arg W=%s 2\napp 2/2 RUN y\n"
	for _, c := range []struct{ old, new, want string }{
		{"3f2c1ab9e4d0", "77aa", "ARG V 1 → 2 (line 1), ARG W 1 → 2 (line 2) since 3f2c1ab"},
		{"3f2c1ab9e4d0-dirty", "77aa", "ARG V 1 → 2 (line 1), ARG W 1 → 2 (line 2) since 3f2c1ab-dirty"},
		{"77aa", "77aa-dirty", "ARG V 1 → 2 (line 1), ARG W 1 → 2 (line 2)"},
		{"", "77aa", "ARG V 1 → 2 (line 1), ARG W 1 → 2 (line 2)"},
		{"77aa", "", "ARG V 1 → 2 (line 1), ARG W 1 → 2 (line 2)"},
	} {
		old, now := plantext.Parse(t, fmt.Sprintf(text, "1", "1")), plantext.Parse(t, fmt.Sprintf(text, "2", "2")).Plan
		old.Plan.Revision, now.Revision = c.old, c.new
		got := Predict(now, []record.PastBuild{old})
		if text := Text(got[0].Reasons); text != c.want {
			t.Errorf("%s: %q", c.old, text)
		}
		if text := Text(got[1].Reasons); text != "follows 1/2" {
			t.Errorf("%s: %q", c.old, text)
		}
	}
}

// predictNotExported predicts a plan of which only the third step has changed, and no
// other builder's results were exported. It also returns the steps that are needed.
func predictNotExported(t *testing.T) (out []Prediction, needed []int) {
	t.Helper()
	const text = "app 1/3 RUN x\napp 2/3 RUN y\napp 3/3 RUN z\n  arg V=%d 1\nside 1/1 RUN w\n"
	past := []record.PastBuild{plantext.Parse(t, fmt.Sprintf(text, 1))}
	p := plantext.Parse(t, fmt.Sprintf(text, 2)).Plan
	return NotExported(p, Predict(p, past), []int{0, 1, 3})
}

// A result that was not exported is missed only where a step needs it.
func TestNotExported(t *testing.T) {
	p := plantext.Parse(t, "app 1/3 RUN x\napp 2/3 RUN y\napp 3/3 RUN z\n  arg V=1 1\nside 1/1 RUN w\n")
	ledger := record.LedgerOf([]record.PastBuild{p})
	if _, needed := NotExported(p.Plan, PredictKnown(p.Plan, ledger, nil), []int{0, 1, 3}); len(needed) > 0 {
		t.Errorf("nothing runs, but %v are needed", needed)
	}
	got, needed := predictNotExported(t)
	if fmt.Sprint(needed) != "[0 1]" || got[0].State != StateUnknown || got[3].State != StateHit {
		t.Errorf("%v are needed, %+v", needed, got)
	}
}
