package explain

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cachewright/cachewright/cachepolicy/cacheplan"
	"github.com/cachewright/cachewright/cachepolicy/internal/golden"
	"github.com/cachewright/cachewright/cachepolicy/internal/plantext"
	"github.com/cachewright/cachewright/cachepolicy/record"
)

// The goldens hold a plan, the builds before it, and what is predicted: past1 is
// the latest.
func TestPredict(t *testing.T) {
	golden.Run(t, "predict", func(t *testing.T, files map[string]string) string {
		plan, past := pastOf(t, files)
		return predictions(plan, Predict(plan, past))
	})
}

// pastOf returns the plan of a golden and the builds before it.
func pastOf(t *testing.T, files map[string]string) (*cacheplan.Plan, []record.PastBuild) {
	t.Helper()
	var past []record.PastBuild
	for i := 1; ; i++ {
		text, ok := files[fmt.Sprintf("past%d", i)]
		if !ok {
			break
		}
		past = append(past, plantext.Parse(t, text))
	}
	return plantext.Parse(t, files["plan"]).Plan, past
}

func predictions(p *cacheplan.Plan, list []Prediction) string {
	var b strings.Builder
	for _, pr := range list {
		fmt.Fprintf(&b, "%-7s %s", pr.State, p.Steps[pr.Step].Name)
		if len(pr.Reasons) > 0 {
			fmt.Fprintf(&b, " <- %s", Text(pr.Reasons))
		}
		b.WriteString("\n")
	}
	return b.String()
}

func TestCompare(t *testing.T) {
	from := plantext.Parse(t, "app 1/2 COPY . .\n  files a\napp 2/2 RUN b\nset a .\n  x v1 100644").Plan
	to := plantext.Parse(t, "app 1/2 COPY . .\n  files a\napp 2/2 RUN b\nset a .\n  x v2 100644").Plan
	if got, want := Text(Compare(from, to)), "x changed, follows 1/2"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := Compare(from, from); len(got) != 0 {
		t.Errorf("a plan differs from itself: %v", got)
	}
}

// Neither a secret value nor its digest is in a reason.
func TestReasonsHoldNoSecret(t *testing.T) {
	from := plantext.Parse(t, "app 1/1 RUN a\n  arg TOKEN=hunter2 1\n  env URL=x 2").Plan
	to := plantext.Parse(t, "app 1/1 RUN a\n  arg TOKEN=hunter3 1\n  env URL=http://u:hunter3@h 2").Plan
	reasons := Compare(from, to)
	if len(reasons) != 2 {
		t.Fatalf("%+v", reasons)
	}
	for _, r := range reasons {
		if r.Old != "" || r.New != "" {
			t.Errorf("%+v", r)
		}
	}
}

func BenchmarkPredict(b *testing.B) {
	for _, size := range []struct{ steps, files int }{{50, 1_000}, {50, 20_000}, {1_000, 20_000}, {10_000, 20_000}} {
		b.Run(fmt.Sprintf("%d-steps-%d-files", size.steps, size.files), func(b *testing.B) {
			var past []record.PastBuild
			for i := range 8 {
				past = append(past, plantext.Big(size.steps, size.files, fmt.Sprint("v", i)))
			}
			plan := plantext.Big(size.steps, size.files, "new").Plan
			for b.Loop() {
				Predict(plan, past)
			}
		})
	}
}
