package llbconv_test

import (
	"path/filepath"
	"testing"

	"github.com/cachewright/cachewright/llbconv/internal/oracle"
)

// TestOracleSubrequests compares outline, targets, lint and convertllb on the
// goldens and on some generated files.
func TestOracleSubrequests(t *testing.T) {
	if !runsUpstream {
		return
	}
	var cases []*oracle.Case
	for _, corpus := range readCorpora(t) {
		if filepath.Base(corpus.Path) == "differences.txtar" {
			continue
		}
		for _, c := range corpus.Cases {
			cases = append(cases, &c.Case)
		}
	}
	for i := range uint64(500) {
		cases = append(cases, oracle.Generate(i))
	}
	for _, c := range cases {
		if len(oracle.Compare(t.Context(), c).Diffs) > 0 {
			continue // explained by another test
		}
		for _, d := range oracle.CompareSubrequests(t.Context(), c) {
			t.Errorf("%s\n%s: %s", c, d.Kind, d.Detail)
		}
	}
	t.Logf("%d files compared", len(cases))
}
