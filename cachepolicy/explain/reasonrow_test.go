package explain

import (
	"maps"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cachewright/cachewright/cachepolicy"
	"github.com/cachewright/cachewright/cachepolicy/cacheplan"
	"github.com/cachewright/cachewright/cachepolicy/internal/golden"
	"github.com/cachewright/cachewright/cachepolicy/internal/kindtest"
	"github.com/cachewright/cachewright/cachepolicy/internal/plantext"
	"github.com/cachewright/cachewright/cachepolicy/record"
)

// Every kind of reason has its row, with a weight and words, and every kind of input
// names one of them.
func TestReasonRows(t *testing.T) {
	for kind, row := range reasonRows {
		if row.weight == 0 || row.text == nil {
			t.Errorf("the row of %s lacks its weight or its text", kind)
		}
	}
	kindtest.Same(t, "the source", kindtest.Constants(t, ".", "ReasonKind"), "reasonRows", reasonRows)
	for kind := range kindtest.Constants(t, "..", "InputKind") {
		reason := cachepolicy.InputKind(kind).Reason()
		if _, ok := reasonRows[ReasonKind(reason)]; !ok {
			t.Errorf("a difference in an input of kind %s is the reason %q, which there is not", kind, reason)
		}
	}
}

// Every kind of reason is given for a step of a golden of TestPredict, or of one that
// was forgotten or not exported.
func TestReasonsGiven(t *testing.T) {
	given := map[ReasonKind]bool{}
	take := func(predictions []Prediction) {
		for _, p := range predictions {
			for _, r := range p.Reasons {
				given[r.Kind] = true
			}
		}
	}
	for _, files := range golden.Files(t, "predict") {
		plan, past := pastOf(t, files)
		take(Predict(plan, past))
	}
	plan, forgotten := predictForgotten(t)
	take(forgotten)
	const want = "unknown [app 1/2] RUN a <- too long ago to be recorded\nunknown [app 2/2] RUN b <- too long ago to be recorded\n"
	if got := predictions(plan, forgotten); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	notExported, _ := predictNotExported(t)
	take(notExported)
	kindtest.Same(t, "the source", kindtest.Constants(t, ".", "ReasonKind"), "testdata/predict", given)
}

// predictForgotten predicts a plan that a builder was asked for before so many others
// that it has no room for all. The nearest build on record is another one.
func predictForgotten(t *testing.T) (*cacheplan.Plan, []Prediction) {
	t.Helper()
	plan := plantext.Parse(t, "app 1/2 RUN a\napp 2/2 RUN b").Plan
	var ledger record.Ledger
	ledger.Ask(plan.Keys(plan.KnownSets()), time.Unix(1, 0))
	others := make([]cacheplan.StepKeys, record.MaxLedgerSteps)
	for i := range others {
		h := cacheplan.NewHasher()
		h.Add(strconv.Itoa(i))
		others[i] = cacheplan.StepKeys{Strong: h.Sum(), StrongOK: true, Weak: h.Sum(), WeakOK: true}
	}
	ledger.Ask(others, time.Unix(2, 0))
	past := []record.PastBuild{plantext.Parse(t, "app 1/2 RUN a a\napp 2/2 RUN b")}
	return plan, PredictKnown(plan, &ledger, past)
}

// The page about explanations shows each kind of reason in the very words: as one of
// the notes, or as what is said where nothing is certain.
func TestDocumentedReasons(t *testing.T) {
	const page = "../../docs/explain.md"
	shown := kindtest.Documented(t, page, `(?s)\n(\| Note \|.*?)\n\n`)
	maps.Copy(shown, kindtest.Documented(t, page, "(?s)Where a step says `unknown`(.*?)\n\n"))
	for text := range maps.Clone(shown) {
		for _, part := range strings.Split(text, ", ") { // a note with several reasons
			shown[part] = true
		}
	}
	samples := map[string]Reason{
		"file-changed":    {Change: Changed, Name: "src/a.js"},
		"file-added":      {Change: Added, Name: "src/e.js"},
		"file-removed":    {Change: Removed, Name: "src/c.js"},
		"file-mode":       {Change: Changed, Name: "src/d.js", Old: "644", New: "755"},
		"more-files":      {Change: Changed, Count: 2},
		"files-changed":   {Change: Changed, Count: 12000},
		"field-changed":   {Change: Changed, In: "package.json", Name: "dependencies.express", Old: "^4.18.0", New: "^4.19.0"},
		"more-fields":     {Change: Changed, Count: 3},
		"arg-changed":     {Change: Changed, Name: "VERSION", Old: "1.0", New: "1.1", Line: 5},
		"env-changed":     {Change: Changed, Name: "MODE", Old: "test", New: "production", Line: 6},
		"command-changed": {Change: Changed},
		"base-moved":      {Change: Changed, Name: "base:1", Old: "sha256:5df42bf0d139", New: "sha256:775d35675841"},
		"source-moved":    {Change: Changed, Name: "base:1", Old: "sha256:5df42bf0d139", New: "sha256:775d35675841"},
		"ttl-rolled":      {Change: Changed, Name: "24h"},
		"secret-changed":  {Change: Changed, Name: "secret cert"},
		"setting-changed": {Change: Changed, Name: "user", Old: "1000", New: "1001"},
		"rule-changed":    {Change: Changed, New: "ttl=24h"},
		"order-changed":   {Change: Changed, Old: "RUN make"},
		"follows":         {OnName: "3/6"},
		"may-follow":      {OnName: "build 2/2"},
		"may-have-moved":  {Name: "…"},
		"unresolved":      {Name: "…"},
		"new-step":        {},
		"new-combination": {},
		"unfinished":      {},
		"forgotten":       {},
		"not-exported":    {},
		"no-record":       {},
		"always":          {},
		"no-cache":        {},
	}
	kindtest.Same(t, "the test", samples, "reasonRows", reasonRows)
	for kind, r := range samples {
		r.Kind = ReasonKind(kind)
		if text := Text([]Reason{r}); !shown[text] {
			t.Errorf("%s does not show %q, which is the reason %s", page, text, kind)
		}
	}
}
