package report

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cachewright/cachewright/cachepolicy"
	"github.com/cachewright/cachewright/cachepolicy/cacheplan"
	"github.com/cachewright/cachewright/cachepolicy/explain"
	"github.com/cachewright/cachewright/cachepolicy/record"
)

// sample returns the report of a Dockerfile whose builder has built it before, with
// the changes that are given: from old texts to new ones in what the earlier build
// was. It knows what the tests need of Dockerfiles: stages, RUN, WORKDIR, and COPY
// of one file, whose content is its name's entry in contents.
func sample(t testing.TB, dockerfile string, past map[string]string) *Report {
	t.Helper()
	now := samplePlan(dockerfile, nil)
	r := &Report{Plan: now.plan, Dockerfile: []byte(dockerfile), Path: "Dockerfile", Stages: now.stages}
	if past != nil {
		before := samplePlan(dockerfile, past)
		r.Predictions = explain.Predict(r.Plan, []record.PastBuild{{Plan: before.plan, Results: before.results}})
	}
	if err := r.Plan.Check(); err != nil {
		t.Fatal(err)
	}
	return r
}

type sampled struct {
	plan    *cacheplan.Plan
	stages  []Stage
	results []record.Result

	names  map[string]int // the stages' names
	last   map[int]int    // the last step of each stage
	env    []cachepolicy.Input
	values map[string]string
}

// samplePlan reads a Dockerfile. values are what files and images are, by name.
func samplePlan(dockerfile string, values map[string]string) *sampled {
	s := &sampled{
		plan:  &cacheplan.Plan{Version: cacheplan.Version, Dockerfile: "Dockerfile", Platform: "linux/amd64"},
		names: map[string]int{}, last: map[int]int{}, values: values,
	}
	lines := strings.Split(strings.TrimRight(dockerfile, "\n"), "\n")
	for n := 0; n < len(lines); n++ {
		first := n + 1
		text := lines[n]
		for strings.HasSuffix(text, `\`) {
			n++
			text = strings.TrimSuffix(text, `\`) + strings.TrimSpace(lines[n])
		}
		if fields := strings.Fields(text); len(fields) > 0 {
			s.instruction(fields, text, first, n+1)
		}
	}
	s.number()
	return s
}

func (s *sampled) instruction(fields []string, text string, line, end int) {
	stage := len(s.stages) - 1
	at := cachepolicy.Origin{Kind: cachepolicy.OriginLine, Line: line}
	step := cacheplan.Step{ID: cachepolicy.StepID{StageIndex: stage, Line: line, EndLine: end, Instruction: fields[0]}, Name: text}
	step.Inputs = []cachepolicy.Input{cachepolicy.NewInput(cachepolicy.InputCommand, fields[0], text, at)}
	switch fields[0] {
	case "FROM":
		stage++
		s.stages = append(s.stages, Stage{Line: line})
		if len(fields) == 4 {
			s.stages[stage].Name = fields[3]
			s.names[fields[3]] = stage
		}
		if base, ok := s.names[fields[1]]; ok {
			s.last[stage] = s.last[base]
			return
		}
		step.ID.StageIndex = stage
		step.Inputs = []cachepolicy.Input{{Kind: cachepolicy.InputBase, Name: fields[1], Digest: "sha256:" + s.digest(fields[1]), Origin: at}}
		s.last[stage] = -1
	case "ENV":
		name, value, _ := strings.Cut(fields[1], "=")
		if v, ok := s.values[name]; ok {
			value = v
		}
		s.env = append(s.env, cachepolicy.NewInput(cachepolicy.InputEnv, name, value, at))
		return
	case "RUN":
		step.Inputs = append(step.Inputs, s.env...)
	case "COPY":
		s.copy(&step, fields, at)
	case "WORKDIR":
	default:
		return
	}
	if last := s.last[stage]; last >= 0 {
		step.Follows = append([]cacheplan.Follow{cacheplan.FollowStep(last, cacheplan.ByDefinition, "")}, step.Follows...)
	}
	s.last[stage] = len(s.plan.Steps)
	s.plan.Steps = append(s.plan.Steps, step)
	s.results = append(s.results, record.Result{Outcome: record.OutcomeDone})
}

func (s *sampled) copy(step *cacheplan.Step, fields []string, at cachepolicy.Origin) {
	if from, ok := strings.CutPrefix(fields[1], "--from="); ok {
		step.Follows = append(step.Follows, cacheplan.FollowStep(s.last[s.names[from]], cacheplan.ByContent, "--from"))
		return
	}
	set := cacheplan.FileSet{ID: fmt.Sprintf("set%d", len(s.plan.Files)), Patterns: []string{fields[1]}}
	var digest cacheplan.FileDigest
	copy(digest[:], s.digest(fields[1]))
	set.SetFiles([]cacheplan.File{{Path: fields[1], Digest: digest, Mode: 0o100644}})
	s.plan.Files = append(s.plan.Files, set)
	step.Inputs = append(step.Inputs, cachepolicy.Input{Kind: cachepolicy.InputFiles, Name: fields[1], Files: set.ID, Origin: at})
}

func (s *sampled) digest(name string) string {
	sum := sha256.Sum256([]byte(name + s.values[name]))
	return fmt.Sprintf("%x", sum)
}

// number names the steps as the progress output does.
func (s *sampled) number() {
	total := map[int]int{}
	for i := range s.plan.Steps {
		id := &s.plan.Steps[i].ID
		total[id.StageIndex]++
		id.Number = total[id.StageIndex]
	}
	for i := range s.plan.Steps {
		step := &s.plan.Steps[i]
		step.ID.Total = total[step.ID.StageIndex]
		step.ID.Stage = fmt.Sprintf("stage-%d", step.ID.StageIndex)
		if name := s.stages[step.ID.StageIndex].Name; name != "" {
			step.ID.Stage = name
		}
		step.Name = fmt.Sprintf("[%s %d/%d] %s", step.ID.Stage, step.ID.Number, step.ID.Total, step.Name)
	}
}

// large is a Dockerfile of 60 steps in ten stages.
func large() string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("# syntax=cachewright/dockerfile:1")
	line("# Everything starts from the tools.\nFROM debian:bookworm-slim AS tools")
	line("# cache=ttl=24h\nRUN apt-get update && apt-get install -y --no-install-recommends ca-certificates curl git make unzip && rm -rf /var/lib/apt/lists/*")
	line("WORKDIR /src\nENV LANG=C.UTF-8\n")
	for _, s := range []string{"api", "web", "worker", "proto"} {
		line("FROM tools AS %s-deps\nCOPY %[1]s/package.json ./\nCOPY %[1]s/package-lock.json ./", s)
		line("RUN --mount=type=cache,target=/root/.npm \\\n    npm ci --no-audit --no-fund \\\n    --prefer-offline\n")
	}
	for _, s := range []string{"api", "web", "worker"} {
		line("FROM %s-deps AS %[1]s-build\nCOPY --from=proto-deps /src/gen ./gen\nCOPY %[1]s/tsconfig.json ./", s)
		for i := range 8 {
			line("RUN node scripts/step-%d.js --in src --out dist/%d", i, i)
		}
		line("COPY %s/src ./src\nRUN npm run build", s)
		line("RUN npm run lint\n")
	}
	line("FROM debian:bookworm-slim AS runtime\nRUN useradd app\nWORKDIR /app\nCOPY config/default.yaml ./\n")
	line("FROM runtime\n# The results of all builds.")
	for _, s := range []string{"api", "web", "worker"} {
		line("COPY --from=%s-build /src/dist ./%[1]s", s)
	}
	line("RUN ./check.sh\nCMD [\"./start\"]")
	return b.String()
}

func TestLargeIsLarge(t *testing.T) {
	r := sample(t, large(), nil)
	stages := map[int]bool{}
	for _, s := range r.Plan.Steps {
		stages[s.ID.StageIndex] = true
	}
	if len(r.Plan.Steps) < 60 || len(stages) < 10 || !slices.IsSortedFunc(r.Stages, func(a, b Stage) int { return a.Line - b.Line }) {
		t.Errorf("%d steps in %d stages", len(r.Plan.Steps), len(stages))
	}
}
