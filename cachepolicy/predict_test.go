package cachepolicy

import (
	"fmt"
	"strings"
	"testing"
)

// The goldens hold a plan, the builds before it, and what is predicted: past1 is
// the latest.
func TestPredict(t *testing.T) {
	goldens(t, "predict", func(t *testing.T, files map[string]string) string {
		plan, past := pastOf(t, files)
		return predictions(plan, Predict(plan, past))
	})
}

// pastOf returns the plan of a golden and the builds before it.
func pastOf(t *testing.T, files map[string]string) (*Plan, []PastBuild) {
	t.Helper()
	var past []PastBuild
	for i := 1; ; i++ {
		text, ok := files[fmt.Sprintf("past%d", i)]
		if !ok {
			break
		}
		past = append(past, parsePlan(t, text))
	}
	return parsePlan(t, files["plan"]).Plan, past
}

func predictions(p *Plan, list []Prediction) string {
	var b strings.Builder
	for _, pr := range list {
		fmt.Fprintf(&b, "%-7s %s", pr.State, p.Steps[pr.Step].Name)
		if len(pr.Reasons) > 0 {
			fmt.Fprintf(&b, " <- %s", Text(pr.Reasons))
		}
		if pr.Seconds > 0 {
			fmt.Fprintf(&b, " (%gs)", pr.Seconds)
		}
		b.WriteString("\n")
	}
	return b.String()
}

func TestCompare(t *testing.T) {
	from := parsePlan(t, "app 1/2 COPY . .\n  files a\napp 2/2 RUN b\nset a .\n  x v1 100644").Plan
	to := parsePlan(t, "app 1/2 COPY . .\n  files a\napp 2/2 RUN b\nset a .\n  x v2 100644").Plan
	if got, want := Text(Compare(from, to)), "x changed, follows 1/2"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := Compare(from, from); len(got) != 0 {
		t.Errorf("a plan differs from itself: %v", got)
	}
}

// Neither a secret value nor its digest is in a reason.
func TestReasonsHoldNoSecret(t *testing.T) {
	from := parsePlan(t, "app 1/1 RUN a\n  arg TOKEN=hunter2 1\n  env URL=x 2").Plan
	to := parsePlan(t, "app 1/1 RUN a\n  arg TOKEN=hunter3 1\n  env URL=http://u:hunter3@h 2").Plan
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

// bigBuild is a plan of many steps in a few stages and sets of many files.
func bigBuild(steps, files int, variant string) PastBuild {
	p := &Plan{Version: PlanVersion}
	set := FileSet{ID: "all", Patterns: []string{"."}, Known: true}
	for i := range files {
		set.Files = append(set.Files, File{Path: fmt.Sprintf("src/package%03d/file%05d.go", i/100, i), Digest: digestOf(fmt.Sprint(i)), Mode: 0o100644})
	}
	set.Files[files/2].Digest = digestOf(variant)
	p.Files = []FileSet{set}
	for i := range steps {
		s := Step{ID: StepID{Stage: fmt.Sprintf("s%d", i%10), StageIndex: i % 10, Number: i/10 + 1, Total: steps / 10, Line: i, EndLine: i, Instruction: "RUN"}}
		s.Name = fmt.Sprintf("[%s] RUN %d", s.ID, i)
		s.Inputs = []Input{NewInput(InputCommand, "RUN", fmt.Sprintf("RUN %d", i), Origin{}), NewInput(InputEnv, "PATH", "/usr/bin", Origin{})}
		if i >= 10 {
			s.Follows = []Follow{FollowStep(i-10, ByDefinition, "")}
		} else {
			s.Inputs = append(s.Inputs, Input{Kind: InputFiles, Name: ".", Files: "all"})
		}
		p.Steps = append(p.Steps, s)
	}
	return PastBuild{Plan: p}
}

func BenchmarkPredict(b *testing.B) {
	for _, size := range []struct{ steps, files int }{{50, 1_000}, {50, 20_000}, {1_000, 20_000}, {10_000, 20_000}} {
		b.Run(fmt.Sprintf("%d-steps-%d-files", size.steps, size.files), func(b *testing.B) {
			var past []PastBuild
			for i := range 8 {
				past = append(past, bigBuild(size.steps, size.files, fmt.Sprint("v", i)))
			}
			plan := bigBuild(size.steps, size.files, "new").Plan
			for b.Loop() {
				Predict(plan, past)
			}
		})
	}
}
