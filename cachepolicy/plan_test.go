package cachepolicy

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// The goldens hold a plan and the builds before it, and the table made of them.
func TestTable(t *testing.T) {
	goldens(t, "table", func(t *testing.T, files map[string]string) string {
		plan, past := pastOf(t, files)
		var predicted []Prediction
		if len(past) > 0 {
			predicted = Predict(plan, past)
		}
		table := Table(plan, predicted)
		checkTable(t, table)
		return table
	})
}

func checkTable(t *testing.T, table string) {
	t.Helper()
	for line := range strings.Lines(table) {
		line = strings.TrimSuffix(line, "\n")
		if n := utf8.RuneCountInString(line); n > TableWidth {
			t.Errorf("%d columns: %s", n, line)
		}
		if strings.ContainsFunc(line, func(r rune) bool { return !unicode.IsPrint(r) }) || strings.HasSuffix(line, " ") {
			t.Errorf("not printable, or blanks at the end: %q", line)
		}
	}
}

func TestPlanJSON(t *testing.T) {
	goldens(t, "json", func(t *testing.T, files map[string]string) string {
		plan, _ := pastOf(t, files)
		data, err := EncodePlan(plan)
		if err != nil {
			t.Fatal(err)
		}
		again, err := DecodePlan(data)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(plan, again) {
			t.Errorf("the plan is not what it was:\n%+v\n%+v", plan, again)
		}
		return string(data)
	})
}

func TestDecodePlanErrors(t *testing.T) {
	for text, want := range map[string]string{
		"":                        "unexpected end",
		"{}":                      "version 0, want 1",
		`{"version":2}`:           "version 2, want 1",
		`{"version":1,"steps":7}`: "cannot unmarshal",
		`{"version":1,"steps":[{"follows":[{"step":0,"by":"definition"}]}]}`:                                   "step 0 follows step 0",
		`{"version":1,"steps":[{"follows":[{"step":-2,"by":"content"}]}]}`:                                     "step 0 follows step -2",
		`{"version":1,"steps":[{"inputs":[{"kind":"files","files":"x"}]}]}`:                                    `takes file set "x"`,
		`{"version":1,"files":[{"id":"a"},{"id":"a"}]}`:                                                        "two file sets",
		`{"version":1,"files":[{"id":"a","files":[{"path":"a","digest":"00","mode":"1"}]}]}`:                   "is not a file digest",
		`{"version":1,"files":[{"id":"a","files":[{"path":"a","digest":"` + zeros + `","mode":"8"}]}]}`:        "invalid syntax",
		`{"version":1,"files":[{"id":"a","files":[` + file("b") + `,` + file("a") + `]}]}`:                     "not sorted",
		`{"version":1,"files":[{"id":"a","files":[` + file("a") + `,` + file("a") + `]}]}`:                     "not sorted",
		`{"version":1,"files":[{"id":"a","files":[{"path":"a","digest":"` + zeros + `00","mode":"1"}]}]}`:      "is not a file digest",
		`{"version":1,"files":[{"id":"a","files":[{"path":"a","digest":"` + zeros[1:] + `x","mode":"1"}]}]}`:   "is not a file digest",
		`{"version":1,"files":[{"id":"a","files":[{"path":"a","digest":"` + zeros + `","mode":"99999999"}]}]}`: "invalid syntax",
	} {
		if _, err := DecodePlan([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

const zeros = "00000000000000000000000000000000"

func file(path string) string {
	return `{"path":"` + path + `","digest":"` + zeros + `","mode":"100644"}`
}

func TestWithoutFiles(t *testing.T) {
	full := parsePlan(t, "app 1/1 COPY . .\n  files a\nset a .\n  d v0 040755\n  many 100 v1\nset b b\n  unknown").Plan
	small := full.WithoutFiles()
	if s := small.Files[0]; s.Files != nil || s.Count != 100 || s.Digest != full.Files[0].sum() {
		t.Errorf("%+v", s)
	}
	if s := small.Files[1]; s.Digest != "" || s.Known {
		t.Errorf("unknown set: %+v", s)
	}
	if full.Files[0].Files == nil {
		t.Error("the plan itself was changed")
	}
	if got := small.keys(small.fileSets()); !reflect.DeepEqual(got, full.keys(full.fileSets())) {
		t.Error("the keys are not the same")
	}
}

func FuzzDecodePlan(f *testing.F) {
	for _, text := range []string{
		"app 1/2 FROM a\n  base a sha256:11\napp 2/2 COPY . .\n  files s\nset s .\n  a v1 100644",
		"app 1/1 RUN a\n  arg A=b 3\n  source x sha256:1\n  rule ttl=24h\n  ttl 1d 7\n  off",
	} {
		data, err := EncodePlan(parsePlan(f, text).Plan)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := DecodePlan(data)
		if err != nil {
			return
		}
		table := Table(p, Predict(p, []PastBuild{{Plan: p}}))
		checkTable(t, table)
		for _, pr := range Predict(p, []PastBuild{{Plan: p}}) {
			if pr.State == StateReRun && len(pr.Reasons) == 0 {
				t.Fatalf("step %d re-runs for no reason", pr.Step)
			}
		}
		if r := Compare(p, p); hasChange(r) {
			t.Fatalf("a plan differs from itself: %s", Text(r))
		}
		again, err := EncodePlan(p)
		if err != nil {
			t.Fatal(err)
		}
		back, err := DecodePlan(again)
		if err != nil {
			t.Fatal(err)
		}
		if last, err := EncodePlan(back); err != nil || !bytes.Equal(again, last) || !json.Valid(last) {
			t.Fatalf("the encoding is not stable: %v", err)
		}
	})
}

// hasChange reports whether a reason says that something differs.
func hasChange(reasons []Reason) bool {
	for _, r := range reasons {
		switch r.Kind {
		case ReasonAlways, ReasonNoCache, ReasonFollows:
		default:
			return true
		}
	}
	return false
}
