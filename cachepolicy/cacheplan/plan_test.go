package cacheplan_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/cachewright/cachewright/cachepolicy/cacheplan"
	"github.com/cachewright/cachewright/cachepolicy/internal/golden"
	"github.com/cachewright/cachewright/cachepolicy/internal/plantext"
)

func TestPlanJSON(t *testing.T) {
	golden.Run(t, "json", func(t *testing.T, files map[string]string) string {
		plan := plantext.Parse(t, files["plan"]).Plan
		data, err := cacheplan.Encode(plan)
		if err != nil {
			t.Fatal(err)
		}
		again, err := cacheplan.Decode(data)
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
		if _, err := cacheplan.Decode([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

const zeros = "00000000000000000000000000000000"

func file(path string) string {
	return `{"path":"` + path + `","digest":"` + zeros + `","mode":"100644"}`
}

func TestWithoutFiles(t *testing.T) {
	full := plantext.Parse(t, "app 1/1 COPY . .\n  files a\nset a .\n  d v0 040755\n  many 100 v1\nset b b\n  unknown").Plan
	small := full.WithoutFiles()
	if s := small.Files[0]; s.Files != nil || s.Count != 100 || s.Digest != full.Files[0].Sum() {
		t.Errorf("%+v", s)
	}
	if s := small.Files[1]; s.Digest != "" || s.Known {
		t.Errorf("unknown set: %+v", s)
	}
	if full.Files[0].Files == nil {
		t.Error("the plan itself was changed")
	}
	if got := small.Keys(small.KnownSets()); !reflect.DeepEqual(got, full.Keys(full.KnownSets())) {
		t.Error("the keys are not the same")
	}
}

func TestWithFewFiles(t *testing.T) {
	full := plantext.Parse(t, "app 1/1 COPY . .\n  files a\nset a .\n  many 100 v1\nset b .\n  many 11 v1\nset c .\n  many 10 v1").Plan
	few := full.WithFewFiles(20)
	if len(few.Files[0].Files) != 0 || len(few.Files[1].Files) != 11 || len(few.Files[2].Files) != 0 {
		t.Errorf("%+v", few.Files)
	}
	if got := few.Keys(few.KnownSets()); !reflect.DeepEqual(got, full.Keys(full.KnownSets())) {
		t.Error("the keys are not the same")
	}
}

// A plan that is read back from JSON holds together, whatever names its files have.
func TestOddNames(t *testing.T) {
	full := plantext.Parse(t, "app 1/1 COPY . .\n  files a\nset a .\n  many 3 v1\nset b .\n  many 2 v1").Plan
	for i, name := range []string{"bad\xfe", "bad\xff", "worse"} {
		full.Files[0].Files[i].Path = name
	}
	data, err := cacheplan.Encode(full.WithFewFiles(10))
	if err != nil {
		t.Fatal(err)
	}
	back, err := cacheplan.Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	if got := back.Keys(back.KnownSets()); !reflect.DeepEqual(got, full.Keys(full.KnownSets())) || len(back.Files[1].Files) != 2 {
		t.Errorf("%+v", back.Files)
	}
}
