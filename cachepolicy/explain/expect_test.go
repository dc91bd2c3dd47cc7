package explain

import (
	"strings"
	"testing"

	"github.com/cachewright/cachewright/cachepolicy"
	"github.com/cachewright/cachewright/cachepolicy/internal/golden"
	"github.com/cachewright/cachewright/cachepolicy/internal/plantext"
)

func TestParseExpectations(t *testing.T) {
	got, err := ParseExpectations(" install=hit, app/5 = re-run,@7=hit, app=not-re-run")
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, e := range got {
		texts = append(texts, e.Selector.String()+"="+string(e.State))
	}
	if s := strings.Join(texts, " "); s != "install=hit app/5=re-run @7=hit app=not-re-run" {
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
		"a=unknown":        "write hit, re-run or not-re-run (did you mean not-re-run?)",
		"a=hit-or-unknown": "(did you mean not-re-run?)",
		"a=hit|re-run,b":   "is not what",
	} {
		_, err := ParseExpectations(value)
		if err == nil || !strings.Contains(err.Error(), want) || err.(*cachepolicy.Error).BuildArg != cachepolicy.ArgExpect {
			t.Errorf("%q: %v, want %q", value, err, want)
		}
	}
}

func TestAssert(t *testing.T) {
	golden.Run(t, "assert", func(t *testing.T, files map[string]string) string {
		plan, past := pastOf(t, files)
		expected, err := ParseExpectations(files["expect"])
		if err != nil {
			t.Fatal(err)
		}
		a := Assert(plan, Predict(plan, past), expected)
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
		expected, err := ParseExpectations(value)
		if err != nil {
			if e, ok := err.(*cachepolicy.Error); !ok || e.BuildArg != cachepolicy.ArgExpect {
				t.Fatalf("%v", err)
			}
			return
		}
		plan := plantext.Parse(t, "app 1/2 RUN a\napp 2/2 RUN b").Plan
		if a := Assert(plan, Predict(plan, nil), expected); a.Passed() && !strings.Contains(value, ExpectNotReRun) {
			t.Fatal("unknown steps passed")
		}
	})
}
