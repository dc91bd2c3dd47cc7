package explain

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/cachewright/cachewright/cachepolicy/cacheplan"
	"github.com/cachewright/cachewright/cachepolicy/internal/plantext"
	"github.com/cachewright/cachewright/cachepolicy/record"
)

func FuzzDecodePlan(f *testing.F) {
	for _, text := range []string{
		"app 1/2 FROM a\n  base a sha256:11\napp 2/2 COPY . .\n  files s\nset s .\n  a v1 100644",
		"app 1/1 RUN a\n  arg A=b 3\n  source x sha256:1\n  rule ttl=24h\n  ttl 1d 7\n  off",
	} {
		data, err := cacheplan.Encode(plantext.Parse(f, text).Plan)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := cacheplan.Decode(data)
		if err != nil {
			return
		}
		for _, pr := range Predict(p, []record.PastBuild{{Plan: p}}) {
			if pr.State == StateReRun && len(pr.Reasons) == 0 {
				t.Fatalf("step %d re-runs for no reason", pr.Step)
			}
		}
		if r := Compare(p, p); hasChange(r) {
			t.Fatalf("a plan differs from itself: %s", Text(r))
		}
		again, err := cacheplan.Encode(p)
		if err != nil {
			t.Fatal(err)
		}
		back, err := cacheplan.Decode(again)
		if err != nil {
			t.Fatal(err)
		}
		if last, err := cacheplan.Encode(back); err != nil || !bytes.Equal(again, last) || !json.Valid(last) {
			t.Fatalf("the encoding is not stable: %v", err)
		}
	})
}

// hasChange reports whether a reason says that something differs.
func hasChange(reasons []Reason) bool {
	for _, r := range reasons {
		//exhaustive:ignore
		switch r.Kind {
		case ReasonAlways, ReasonNoCache, ReasonFollows:
		default:
			return true
		}
	}
	return false
}
