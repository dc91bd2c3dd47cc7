package llbconv_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cachewright/cachewright/llbconv/internal/oracle"
)

// TestGolden converts every case of testdata/golden and compares the outcome with the
// expected one, and with docker/dockerfile's. UPDATE=1 rewrites the expectations.
func TestGolden(t *testing.T) {
	for _, corpus := range readCorpora(t) {
		want := map[string]string{}
		for _, c := range corpus.Cases {
			t.Run(c.Name, func(t *testing.T) {
				got := oursText(t.Context(), t, &c.Case)
				want[c.ShortName()] = got
				fails := strings.Contains("\n"+got, "\nerror")
				if named := strings.HasPrefix(c.ShortName(), "error-"); named != fails && filepath.Base(corpus.Path) != "differences.txtar" {
					t.Errorf("fails: %v, but its name says %v", fails, named)
				}
				if os.Getenv("UPDATE") == "" && got != c.Want {
					t.Errorf("%s", cmp.Diff(c.Want, got))
				}
				if runsUpstream {
					checkAgainstUpstream(t, c, filepath.Base(corpus.Path))
				}
			})
		}
		if os.Getenv("UPDATE") != "" {
			if err := corpus.Update(want); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestDifferencesInBinary shows the differences that a text file cannot.
func TestDifferencesInBinary(t *testing.T) {
	silence(t)
	for _, c := range binaryDifferences {
		t.Run(c.row, func(t *testing.T) {
			gc := &oracle.GoldenCase{Case: oracle.Case{Name: ": " + c.row, Dockerfile: []byte(c.dockerfile)}}
			checkAgainstUpstream(t, gc, "differences.txtar")
		})
	}
}

var binaryDifferences = []struct{ row, dockerfile string }{
	{"invalid-utf8", "FROM busybox\nRUN echo \xff\n"},
	{"invalid-utf8", "FROM 0${0#0\x80}"},
	{"invalid-utf8", "FROM \x850\nCMD"},
	{"invalid-utf8", "FROM busybox\nRUN [\"a\", \"\xff\"]\n"},
}

// checkAgainstUpstream compares a case with docker/dockerfile. A case of
// differences.txtar must show the difference it is named after, and no other.
func checkAgainstUpstream(t *testing.T, c *oracle.GoldenCase, corpus string) {
	report := oracle.Compare(t.Context(), &c.Case)
	deliberate := ""
	if corpus == "differences.txtar" {
		deliberate, _, _ = strings.Cut(c.ShortName(), "+")
		// Where the difference is docker/dockerfile's random order, it shows sooner
		// or later.
		for i := 0; i < 100 && len(report.Diffs) == 0; i++ {
			report = oracle.Compare(t.Context(), &c.Case)
		}
		if len(report.Diffs) == 0 {
			t.Errorf("no difference: the row %s of docs/differences.md is wrong", deliberate)
		}
	}
	for _, d := range report.Diffs {
		if corpus == "differences.txtar" && d.Row != deliberate || d.Row == "" {
			t.Errorf("%s (row %q): %s", d.Kind, d.Row, d.Detail)
		}
	}
}

// TestDifferencesDocumented checks that docs/differences.md, the oracle and
// differences.txtar have the same rows.
func TestDifferencesDocumented(t *testing.T) {
	documented := map[string]bool{}
	for id := range documentedRows(t) {
		documented[id] = true
	}
	shown := map[string]bool{}
	for _, corpus := range readCorpora(t) {
		if filepath.Base(corpus.Path) != "differences.txtar" {
			continue
		}
		for _, c := range corpus.Cases {
			id, _, _ := strings.Cut(c.ShortName(), "+")
			shown[id] = true
		}
	}
	for _, c := range binaryDifferences {
		shown[c.row] = true
	}
	accepted := map[string]bool{}
	for _, id := range oracle.Rows() {
		accepted[id] = true
	}
	if d := cmp.Diff(documented, accepted); d != "" {
		t.Errorf("rows of docs/differences.md (-) and of the oracle (+): %s", d)
	}
	if d := cmp.Diff(documented, shown); d != "" {
		t.Errorf("rows of docs/differences.md (-) and of differences.txtar (+): %s", d)
	}
}

// TestOracleDifferencesInLLB checks that docs/differences.md says of just those rows that
// they change LLB of which differences.txtar shows it.
func TestOracleDifferencesInLLB(t *testing.T) {
	silence(t)
	documented := map[string]bool{}
	for id, changes := range documentedRows(t) {
		if strings.Contains(changes, "LLB") {
			documented[id] = true
		}
	}
	shown := map[string]bool{}
	for _, corpus := range readCorpora(t) {
		for _, c := range corpus.Cases {
			for _, d := range oracle.Compare(t.Context(), &c.Case).Diffs {
				if d.Kind == "operations" {
					shown[d.Row] = true
				}
			}
		}
	}
	if d := cmp.Diff(documented, shown); d != "" {
		t.Errorf("rows that change LLB, documented (-) and shown (+): %s", d)
	}
}

// documentedRows reads the rows of docs/differences.md about the converter: by
// their ids, what they change.
func documentedRows(t *testing.T) map[string]string {
	t.Helper()
	dt, err := os.ReadFile("../docs/differences.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]string{}
	for line := range strings.Lines(string(dt)) {
		if rest, ok := strings.CutPrefix(line, "| `"); ok {
			id, rest, _ := strings.Cut(rest, "` | ")
			rows[id], _, _ = strings.Cut(rest, " | ")
		}
	}
	return rows
}

func readCorpora(t testing.TB) []*oracle.Corpus {
	t.Helper()
	corpora, err := oracle.ReadCorpora("testdata/golden")
	if err != nil {
		t.Fatal(err)
	}
	return corpora
}

// oursText converts for every platform a case asks for.
func oursText(ctx context.Context, t *testing.T, c *oracle.Case) string {
	t.Helper()
	targets, err := oracle.Platforms(c)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, p := range targets {
		b.WriteString(oracle.Ours(ctx, c, p).Text())
	}
	return b.String()
}
