package report

import (
	"fmt"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/cachewright/cachewright/cachepolicy/cacheplan"
	"github.com/cachewright/cachewright/cachepolicy/explain"
	"github.com/cachewright/cachewright/cachepolicy/internal/golden"
	"github.com/cachewright/cachewright/cachepolicy/internal/plantext"
	"github.com/cachewright/cachewright/cachepolicy/record"
)

// The goldens hold a plan and the builds before it, and the table made of them.
func TestTable(t *testing.T) {
	golden.Run(t, "table", func(t *testing.T, files map[string]string) string {
		plan := plantext.Parse(t, files["plan"]).Plan
		var past []record.PastBuild
		for n := 1; files[fmt.Sprintf("past%d", n)] != ""; n++ {
			past = append(past, plantext.Parse(t, files[fmt.Sprintf("past%d", n)]))
		}
		var predicted []explain.Prediction
		if len(past) > 0 {
			predicted = explain.Predict(plan, past)
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
		if n := utf8.RuneCountInString(line); n > Width {
			t.Errorf("%d columns: %s", n, line)
		}
		if strings.ContainsFunc(line, func(r rune) bool { return !unicode.IsPrint(r) }) || strings.HasSuffix(line, " ") {
			t.Errorf("not printable, or blanks at the end: %q", line)
		}
	}
}

// FuzzForms writes every form of any plan, compared with itself and with a part of
// itself.
func FuzzForms(f *testing.F) {
	for _, text := range []string{
		"app 1/2 FROM a\n  base a sha256:11\napp 2/2 COPY . .\n  files s\nset s .\n  a v1 100644",
		"app 1/1 RUN a\n  arg A=b 3\n  source x sha256:1\n  rule ttl=24h\n  ttl 1d 7\n  off",
		"a 1/1 RUN a\nb 1/1 COPY --from=a / /\n  content a/1\nc 1/1 RUN c\n  after b/1",
	} {
		data, err := cacheplan.Encode(plantext.Parse(f, text).Plan)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data, "FROM a AS b\n# cache=off\nRUN a \\\n  b\n")
	}
	f.Fuzz(func(t *testing.T, data []byte, dockerfile string) {
		plan, err := cacheplan.Decode(data)
		if err != nil {
			return
		}
		part := *plan
		part.Steps = part.Steps[:len(part.Steps)/2]
		for _, past := range []*cacheplan.Plan{plan, &part} {
			r := &Report{
				Plan: plan, Predictions: explain.Predict(plan, []record.PastBuild{{Plan: past}}),
				Dockerfile: []byte(dockerfile), Path: dockerfile, Stages: []Stage{{Line: 1}, {Name: "b", Line: 4}},
				Past: []Past{{Name: dockerfile, Plan: past}}, Advice: sampleAdvice(dockerfile),
			}
			for _, form := range Forms() {
				a, err := form.Write(r)
				if err != nil {
					t.Fatalf("%s: %v", form.Name, err)
				}
				switch form.Name {
				case "cache", "cache-verbose", "cache-diff":
					checkTable(t, a.Text)
				}
			}
		}
	})
}
