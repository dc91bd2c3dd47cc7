package explain

import (
	"strings"
	"testing"
	"time"

	"github.com/cachewright/cachewright/cachepolicy"
	"github.com/cachewright/cachewright/cachepolicy/internal/golden"
	"github.com/cachewright/cachewright/cachepolicy/internal/plantext"
)

// parseExpectations reads the value of a build argument.
func parseExpectations(value string) ([]Expectation, error) {
	return ParseExpectations(cachepolicy.SettingValue{Text: value})
}

func TestParseExpectations(t *testing.T) {
	got, err := parseExpectations(" install=hit, app/5 = re-run,@7=hit, app=not-re-run, base=younger:7d, base=younger:2w,base=younger:90m")
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, e := range got {
		texts = append(texts, e.Selector.String()+"="+e.String())
	}
	if s := strings.Join(texts, " "); s != "install=hit app/5=re-run @7=hit app=not-re-run base=younger:7d base=younger:14d base=younger:90m" {
		t.Errorf("%s", s)
	}
	for value, want := range map[string]string{
		"":                 "nothing to assert",
		" ":                "nothing to assert",
		"a":                "has no =",
		"a=hit,":           "has no =",
		"=hit":             "empty selector",
		"a/x=hit":          "not the number of a step",
		"a=":               "is not what a step can be expected to do",
		"a=rerun":          "(did you mean re-run?)",
		"a=hits":           "(did you mean hit?)",
		"a=cached":         "(did you mean hit?)",
		"a=miss":           "(did you mean re-run?)",
		"a=unknown":        "write hit, re-run, not-re-run or an age such as younger:7d (did you mean not-re-run?)",
		"a=hit-or-unknown": "(did you mean not-re-run?)",
		"a=hit|re-run,b":   "is not what",
		"a=younger:":       "is no age",
		"a=younger:d":      "is no age",
		"a=younger:0d":     "is no age",
		"a=younger:7":      "is no age",
		"a=younger:-1d":    "is no age",
	} {
		_, err := parseExpectations(value)
		if err == nil || !strings.Contains(err.Error(), want) || err.(*cachepolicy.Error).BuildArg != cachepolicy.ArgExpect {
			t.Errorf("%q: %v, want %q", value, err, want)
		}
	}
}

func TestAssert(t *testing.T) {
	golden.Run(t, "assert", func(t *testing.T, files map[string]string) string {
		plan, past := pastOf(t, files)
		expected, err := parseExpectations(files["expect"])
		if err != nil {
			t.Fatal(err)
		}
		a := Assert(plan, Predict(plan, past), expected, time.Time{})
		if a.Passed() == strings.Contains(a.Text, "FAIL") {
			t.Errorf("passed %v, but the text says\n%s", a.Passed(), a.Text)
		}
		return a.Text
	})
}

func FuzzParseExpectations(f *testing.F) {
	f.Add("install=hit, app/5=re-run")
	f.Add("@7=hit")
	f.Fuzz(func(t *testing.T, value string) {
		expected, err := parseExpectations(value)
		if err != nil {
			if e, ok := err.(*cachepolicy.Error); !ok || e.BuildArg != cachepolicy.ArgExpect {
				t.Fatalf("%v", err)
			}
			return
		}
		plan := plantext.Parse(t, "app 1/2 RUN a\napp 2/2 RUN b").Plan
		if a := Assert(plan, Predict(plan, nil), expected, time.Time{}); a.Passed() && !strings.Contains(value, ExpectNotReRun) {
			t.Fatal("unknown steps passed")
		}
	})
}

// TestYounger compares the age of a result with what is expected.
func TestYounger(t *testing.T) {
	now := time.Date(2026, 5, 20, 12, 0, 0, 0, time.UTC)
	const day = 24 * time.Hour
	expected, err := parseExpectations("app=younger:7d")
	if err != nil {
		t.Fatal(err)
	}
	plan := plantext.Parse(t, "app 1/1 RUN a").Plan
	for _, c := range []struct {
		p    Prediction
		want string
	}{
		{Prediction{State: StateHit, Ran: now.Add(-7*day + time.Second)}, "ok    [app 1/1] RUN a: younger:7d\n1 step as expected, 0 not\n"},
		{Prediction{State: StateHit, Ran: now.Add(-18 * day)}, "FAIL  [app 1/1] RUN a: expected younger:7d (app), predicted hit, 18d old\n0 steps as expected, 1 not\n"},
		{Prediction{State: StateHit}, "FAIL  [app 1/1] RUN a: expected younger:7d (app), predicted hit, of unknown age\n0 steps as expected, 1 not\n"},
		{Prediction{State: StateReRun}, "ok    [app 1/1] RUN a: younger:7d\n1 step as expected, 0 not\n"},
		{Prediction{State: StateUnknown}, "FAIL  [app 1/1] RUN a: expected younger:7d (app), predicted unknown\n0 steps as expected, 1 not\n"},
	} {
		if got := Assert(plan, []Prediction{c.p}, expected, now).Text; got != c.want {
			t.Errorf("%+v: %s", c.p, got)
		}
	}
}
