package report

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/cachewright/cachewright/cachepolicy"
	"github.com/cachewright/cachewright/cachepolicy/advice"
	"github.com/cachewright/cachewright/cachepolicy/cacheplan"
	"github.com/cachewright/cachewright/cachepolicy/explain"
)

// small is a Dockerfile with two causes and with steps that follow.
const small = `# syntax=cachewright/dockerfile:1
FROM node:22 AS build
ENV MODE=production
WORKDIR /app
COPY package.json ./
RUN npm ci
RUN npm run lint
RUN npm run build
RUN npm test

# What ships.
FROM nginx:1
COPY nginx.conf /etc/nginx/
COPY --from=build /app/dist /srv
CMD ["nginx"]
`

// changed is what was different in the build before.
var changed = map[string]string{"package.json": "old", "nginx.conf": "old"}

// TestForms compares each form of one report with a file. UPDATE=1 writes it again.
func TestForms(t *testing.T) {
	for _, f := range Forms() {
		t.Run(f.Name, func(t *testing.T) {
			r := sample(t, small, changed)
			if f.Compares {
				r.Past = []Past{{Name: "laptop.json", Plan: samplePlan(small, changed).plan}}
			}
			if f.Advises {
				r.Advice = sampleAdvice("npm ci")
			}
			if f.Asserts || f.Name == "cache-github" {
				var err error
				if r.Expected, err = explain.ParseExpectations(cachepolicy.SettingValue{Text: "build/3=hit, @13=re-run, test=hit"}); err != nil {
					t.Fatal(err)
				}
			}
			a, err := f.Write(r)
			if err != nil {
				t.Fatal(err)
			}
			if f.Name == "cache-html" { // see the test in a browser
				return
			}
			compareFile(t, f.Name+".txt", a.Text)
		})
	}
}

// sampleAdvice returns advice about a command.
func sampleAdvice(command string) *advice.Advice {
	return &advice.Advice{Builds: 20, Suggestions: []advice.Suggestion{
		{
			Kind: advice.KindOrder, Line: 6, Seen: "RUN " + command + " (line 6) ran in 14 of 20 builds; in 12 of them only because of COPY . . (line 5)",
			Do: "copy package.json first, and move COPY . . below it", Saves: 12, UpTo: 15, Of: 30,
			If: "it reads no other files of the project than package.json, and no script that it starts does", Patch: "--- a/Dockerfile\n+++ b/Dockerfile\n",
		},
		{Kind: advice.KindModes, Seen: "only permission bits differed", Do: "# cache=modes=ignore above it", Changes: "the files are copied with other permissions"},
	}}
}

func compareFile(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s (UPDATE=1 rewrites it):\n%s", file, d)
	}
}

// TestCompactFits counts the lines of a large file's report, and their columns.
func TestCompactFits(t *testing.T) {
	const screenAndAHalf = 75
	r := sample(t, large(), map[string]string{"web/src": "x", "api/package.json": "y"})
	a, err := compact(r)
	if err != nil {
		t.Fatal(err)
	}
	overview, _, _ := strings.Cut(a.Text, "\nInputs of")
	if n := strings.Count(overview, "\n"); n > screenAndAHalf {
		t.Errorf("%d lines:\n%s", n, overview)
	}
	for line := range strings.SplitSeq(a.Text, "\n") {
		if n := utf8.RuneCountInString(line); n > Width {
			t.Errorf("%d columns: %s", n, line)
		}
	}
	for _, want := range []string{
		"Cause: api/package.json changed\n  in line 10, [api-deps 1/3] COPY api/package.json ./; 15 steps follow; 1 more cause below\n",
		"\n        and 13 that follow: api-build 1/13 to 13/13\n", "\n        and 4 that may follow: stage-9 1/4 to 4/4",
		"\n62 steps; predicted: 39 hit, 19 re-run, 4 unknown\n",
	} {
		if !strings.Contains(a.Text, want) {
			t.Errorf("no %q in\n%s", want, a.Text)
		}
	}
}

// TestCauses checks which step is the cause of which.
func TestCauses(t *testing.T) {
	for _, c := range []struct {
		name string
		past map[string]string
		want []Cause
	}{
		{"nothing changed", map[string]string{}, nil},
		{"a file", map[string]string{"nginx.conf": "old"}, []Cause{{Step: 8, MayFollow: nil, Follow: []int{9}}}},
		{"a base image", map[string]string{"node:22": "old"}, []Cause{{Step: 0, Follow: []int{1, 2, 3, 4, 5, 6}, MayFollow: []int{9}}}},
		{"two files", changed, []Cause{{Step: 2, Follow: []int{3, 4, 5, 6}}, {Step: 8, Follow: []int{9}}}},
		{"a variable", map[string]string{"MODE": "old"}, []Cause{{Step: 3, Follow: []int{4, 5, 6}, MayFollow: []int{9}}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := sample(t, small, c.past).causes()
			for i := range got {
				got[i].Reasons = nil
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("%s\n%+v", d, sample(t, small, c.past).Predictions)
			}
		})
	}
}

// TestMarkdownIsInert puts what could be a link, a call of a person, the end of a cell
// or of a code span into a name.
func TestMarkdownIsInert(t *testing.T) {
	for text, want := range map[string]string{
		"RUN a | b":  "`RUN a \\| b`",
		"RUN `a`":    "`` RUN `a` ``",
		"@all #1":    "`@all #1`",
		"a ``` b":    "```` a ``` b ````",
		"a\nb\x1b[m": "`a\\nb\\x1b[m`",
	} {
		if got := markdownCell(text); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

// TestGithubIsOneLine puts what ends a workflow command into a path and a message.
func TestGithubIsOneLine(t *testing.T) {
	r := sample(t, small, changed)
	r.Path = "a,b:c%\nd"
	r.Plan.Steps[2].Inputs[1].Name = "x"
	a, err := github(r)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(a.Text, "::notice file=a%2Cb%3Ac%25%0Ad,line=5,endLine=5,title=Cache%3A re-run::") {
		t.Error(a.Text)
	}
}

// TestWithoutPredictions writes each form of a plan of which nothing is predicted.
func TestWithoutPredictions(t *testing.T) {
	for _, f := range Forms() {
		a, err := f.Write(sample(t, small, nil))
		switch {
		case f.Asserts || f.Compares || f.Name == "cache-advice":
			if err == nil {
				t.Errorf("%s: no error", f.Name)
			}
		case err != nil:
			t.Errorf("%s: %v", f.Name, err)
		case strings.Contains(a.Text, "0 hit") || a.Text == "":
			t.Errorf("%s predicts:\n%s", f.Name, a.Text)
		}
	}
}

// TestEmptyPlan writes each form of a Dockerfile without a step.
func TestEmptyPlan(t *testing.T) {
	for _, f := range Forms() {
		if f.Asserts || f.Compares || f.Name == "cache-advice" {
			continue
		}
		if _, err := f.Write(&Report{Plan: &cacheplan.Plan{Version: cacheplan.Version}}); err != nil {
			t.Errorf("%s: %v", f.Name, err)
		}
	}
}

// TestReadPast reads metadata files as buildx writes them, and others.
func TestReadPast(t *testing.T) {
	plan := samplePlan(small, nil).plan
	other := *plan
	other.Platform = "linux/arm64"
	type builds = []map[string]any
	encode := func(version int, plans ...*cacheplan.Plan) string {
		all := builds{}
		for _, p := range plans {
			all = append(all, map[string]any{"plan": p})
		}
		inner, err := json.Marshal(map[string]any{"version": version, "builds": all})
		if err != nil {
			t.Fatal(err)
		}
		outer, err := json.Marshal(map[string]any{"buildx.build.ref": "x", ResultKey: string(inner)})
		if err != nil {
			t.Fatal(err)
		}
		return string(outer)
	}
	past, err := ReadPast("a.json", []byte(encode(1, plan, &other)), "linux/arm64")
	if err != nil || past.Plan.Platform != "linux/arm64" {
		t.Errorf("%v, %v", past, err)
	}
	if past, err = ReadPast("a.json", []byte(encode(1, plan)), "linux/riscv64"); err != nil || past.Plan.Platform != "linux/amd64" {
		t.Errorf("%v, %v", past, err)
	}
	bare := *plan
	bare.Steps = slices.Clone(plan.Steps)
	for i := range bare.Steps {
		bare.Steps[i].Inputs = nil
	}
	for data, want := range map[string]string{
		"{":                                    "a.json",
		"{}":                                   "--metadata-file",
		encode(2, plan):                        "reads version 1",
		encode(1):                              "0 builds",
		encode(1, &cacheplan.Plan{Version: 7}): "version 7",
		encode(1, &bare):                       "left out",
	} {
		if _, err := ReadPast("a.json", []byte(data), ""); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60s: %v, want %q", data, err, want)
		}
	}
}
