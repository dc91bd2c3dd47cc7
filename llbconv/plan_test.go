package llbconv_test

import (
	"context"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/cachewright/cachewright/cachepolicy"
	"github.com/cachewright/cachewright/cachepolicy/cacheplan"
	"github.com/cachewright/cachewright/cachepolicy/report"
	"github.com/cachewright/cachewright/llbconv"
	"github.com/cachewright/cachewright/llbconv/internal/oracle"
)

// TestPlan compares the plans of the Dockerfiles in testdata/plan with the tables
// that they hold. UPDATE=1 rewrites those.
func TestPlan(t *testing.T) {
	paths, err := filepath.Glob("testdata/plan/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			c := &oracle.Case{Name: path}
			var want *txtar.File
			for i, f := range archive.Files {
				switch f.Name {
				case "Dockerfile":
					c.Dockerfile = f.Data
				case "options":
					if err := c.SetOptions(string(f.Data)); err != nil {
						t.Fatal(err)
					}
				case "want":
					want = &archive.Files[i]
				}
			}
			got := report.Table(planOf(t, c), nil)
			if os.Getenv("UPDATE") != "" {
				want.Data = []byte(got)
				if err := os.WriteFile(path, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if d := cmp.Diff(string(want.Data), got); d != "" {
				t.Error(d)
			}
		})
	}
}

// planIn takes the plan of a definition.
func planIn(ctx context.Context, t testing.TB, def *llbconv.Definition) *cacheplan.Plan {
	t.Helper()
	plan, err := def.Plan(ctx, func() ([]byte, error) { return []byte("key"), nil })
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

func planOf(t *testing.T, c *oracle.Case) *cacheplan.Plan {
	t.Helper()
	res, err := oracle.Converted(t.Context(), c, nil)
	if err != nil {
		t.Fatal(err)
	}
	def, err := res.Definition(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return planIn(t.Context(), t, def)
}

// TestPlanHolds makes the plan of every golden that converts: it must be one that
// can be read again. Together they have every kind of input and origin that the
// schema lists, so each has something that makes it.
func TestPlanHolds(t *testing.T) {
	inputs, origins := map[cachepolicy.InputKind]bool{}, map[cachepolicy.OriginKind]bool{}
	for _, corpus := range readCorpora(t) {
		for _, c := range corpus.Cases {
			p, err := oracle.Converted(t.Context(), &c.Case, nil)
			if err != nil {
				continue
			}
			def, err := p.Definition(t.Context())
			if err != nil {
				continue
			}
			plan := planIn(t.Context(), t, def)
			dt, err := cacheplan.Encode(plan)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := cacheplan.Decode(dt); err != nil {
				t.Errorf("%s: %v", c.Name, err)
			}
			for _, s := range plan.Steps {
				for _, in := range s.Inputs {
					inputs[in.Kind], origins[in.Origin.Kind] = true, true
				}
			}
		}
	}
	listed := schemaKinds(t)
	if d := cmp.Diff(slices.Sorted(slices.Values(listed.Input.Properties.Kind.Enum)), slices.Sorted(maps.Keys(inputs))); d != "" {
		t.Errorf("kinds of inputs in the schema (-) and in the plans (+): %s", d)
	}
	if d := cmp.Diff(slices.Sorted(slices.Values(listed.Origin.Properties.Kind.Enum)), slices.Sorted(maps.Keys(origins))); d != "" {
		t.Errorf("kinds of origins in the schema (-) and in the plans (+): %s", d)
	}
}

// kindsOf is the kinds of a thing as a JSON schema lists them.
type kindsOf[K ~string] struct {
	Properties struct{ Kind struct{ Enum []K } }
}

// definedKinds is a part of the schema.
type definedKinds struct {
	Input  kindsOf[cachepolicy.InputKind]
	Origin kindsOf[cachepolicy.OriginKind]
}

// schemaKinds reads the kinds that the schema of the JSON forms lists. A test of
// package explain compares those with the constants.
func schemaKinds(t *testing.T) definedKinds {
	t.Helper()
	dt, err := os.ReadFile("../docs/cachewright.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var schema struct {
		Defs definedKinds `json:"$defs"`
	}
	if err := json.Unmarshal(dt, &schema); err != nil {
		t.Fatal(err)
	}
	return schema.Defs
}

// TestAnnotate puts a note behind every step and looks for it in the LLB.
func TestAnnotate(t *testing.T) {
	c := &oracle.Case{Dockerfile: []byte("FROM busybox AS a\nRUN one\nFROM a AS unused\nRUN three\nFROM a\nWORKDIR /w\nCOPY --link x .\nRUN two\n")}
	res, err := oracle.Converted(t.Context(), c, nil)
	if err != nil {
		t.Fatal(err)
	}
	def, err := res.Definition(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	notes := map[int]string{}
	for i, s := range planIn(t.Context(), t, def).Steps {
		notes[i] = "because of " + s.ID.String()
	}
	def.Annotate(notes)
	found := map[string]bool{}
	for _, m := range def.PB.Metadata {
		name := m.Description["llb.customname"]
		if _, note, ok := strings.Cut(name, "← "); ok {
			note, _, _ = strings.Cut(note, " · ")
			found[note] = true
		}
	}
	for _, note := range notes {
		if !found[note] {
			t.Errorf("no vertex with the note %q among %v", note, found)
		}
	}
}

// TestPlanKeepsSecrets gives a secret to every kind of instruction, by name and
// through other variables, and looks for it in the plan and in what is read for it.
func TestPlanKeepsSecrets(t *testing.T) {
	const hidden = "hunter2"
	attrs := map[string]string{
		"build-arg:NPM_TOKEN": hidden, "build-arg:API_KEY": hidden, "build-arg:SRC": "http://bob:" + hidden + "@e.org/f",
		"build-arg:REPO": "https://" + hidden + "@e.org/a.git", "build-arg:PLAIN": "ghp_" + hidden + strings.Repeat("x", 20),
	}
	for name, instructions := range map[string]string{
		"a variable by its name":   "ARG NPM_TOKEN\nRUN a",
		"by its value":             "ARG SRC\nRUN a",
		"by the form of a token":   "ARG PLAIN\nRUN a",
		"of a rule":                "# cache=key=arg:API_KEY\nRUN a",
		"a derived ENV":            "ARG NPM_TOKEN\nENV DERIVED=$NPM_TOKEN\nRUN a",
		"a part of an ENV":         "ARG NPM_TOKEN\nENV D2=x${NPM_TOKEN}y\nENV D3=$D2 D4=plain\nRUN a",
		"a derived ARG":            "ARG NPM_TOKEN\nARG D=$NPM_TOKEN\nRUN a",
		"an ENV of an ENV":         "ARG NPM_TOKEN\nENV DB_PASSWORD=${NPM_TOKEN}\nENV DERIVED=${DB_PASSWORD}x\nRUN a",
		"a workdir":                "ARG NPM_TOKEN\nWORKDIR /w/$NPM_TOKEN\nRUN a\nCOPY a .",
		"a workdir below":          "ARG NPM_TOKEN\nWORKDIR /w/$NPM_TOKEN\nWORKDIR sub\nRUN a",
		"a user":                   "ARG NPM_TOKEN\nUSER $NPM_TOKEN\nRUN a\nWORKDIR /w",
		"a mount's target":         "ARG NPM_TOKEN\nRUN --mount=type=tmpfs,target=/m/$NPM_TOKEN a",
		"a mount's source":         "ARG NPM_TOKEN\nRUN --mount=target=/m,source=$NPM_TOKEN a",
		"a cache's id":             "ARG NPM_TOKEN\nRUN --mount=type=cache,target=/m,id=$NPM_TOKEN a",
		"a secret's id":            "ARG NPM_TOKEN\nRUN --mount=type=secret,id=$NPM_TOKEN a",
		"a source of COPY":         "ARG NPM_TOKEN\nCOPY $NPM_TOKEN/a /x",
		"a destination":            "ARG NPM_TOKEN\nCOPY a /$NPM_TOKEN/",
		"a heredoc":                "ARG NPM_TOKEN\nCOPY <<E /x\n$NPM_TOKEN\nE",
		"a URL of ADD":             "ARG SRC\nADD $SRC /x",
		"a repository of ADD":      "ARG REPO\nADD $REPO /x",
		"an ADD of several":        "ARG SRC REPO\nADD $SRC $REPO /x/",
		"the text of a RUN":        "RUN curl -u me:" + hidden + " https://e.org",
		"a flag":                   "RUN docker login --password " + hidden,
		"a RUN's heredoc":          "RUN <<E\ncurl -H 'Authorization: Bearer " + hidden + "x'\nE",
		"a script":                 "RUN <<E\n#!/bin/sh\ngit clone https://x:" + hidden + "@e.org/a\nE",
		"a URL in a RUN":           "RUN git clone https://" + hidden + "@e.org/a",
		"a connection string":      "ENV JDBC='jdbc:x://db?user=a&password=" + hidden + "'\nRUN a",
		"a literal of a rule":      "# cache=key=text:ghp_" + hidden + strings.Repeat("x", 20) + "\nRUN a",
		"an override's literal":    "RUN a",
		"a global argument":        "RUN a\nFROM busybox\nARG GLOBAL\nRUN b",
		"a stage's variable":       "ARG NPM_TOKEN\nENV D=$NPM_TOKEN\nFROM s AS t\nENV E=$D\nRUN b",
		"an instruction's ONBUILD": "ARG NPM_TOKEN\nONBUILD WORKDIR /$NPM_TOKEN\nFROM s\nRUN b",
	} {
		t.Run(name, func(t *testing.T) {
			c := &oracle.Case{Attrs: maps.Clone(attrs), Dockerfile: []byte("ARG NPM_TOKEN\nARG GLOBAL=x$NPM_TOKEN\nFROM busybox AS s\n" + instructions + "\n")}
			if name == "an override's literal" {
				c.Attrs["build-arg:CACHEWRIGHT_RULES"] = "*/*: key=text:ghp_" + hidden + strings.Repeat("x", 20)
			}
			plan := planOf(t, c)
			dt, err := json.Marshal(plan)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(dt), hidden) {
				t.Errorf("the plan holds the secret: %s", dt)
			}
			if shows := report.Table(plan, nil); strings.Contains(shows, hidden) {
				t.Errorf("the table holds the secret: %s", shows)
			}
			withheld := slices.ContainsFunc(plan.Steps, cacheplan.Step.Withholds)
			if !withheld && !strings.Contains(name, "ADD") && name != "an instruction's ONBUILD" {
				t.Errorf("nothing is withheld: %s", dt)
			}
			c.Attrs = nil
		})
	}
}

// TestPlanShowsTheRest builds with a secret that stands beside values which are none.
func TestPlanShowsTheRest(t *testing.T) {
	c := &oracle.Case{
		Dockerfile: []byte("FROM busybox\nARG NPM_TOKEN\nENV A=plain B=x$NPM_TOKEN\nWORKDIR /w\nRUN echo $A\n"),
		Attrs:      map[string]string{"build-arg:NPM_TOKEN": "plai"},
	}
	dt, err := json.Marshal(planOf(t, c))
	if err != nil {
		t.Fatal(err)
	}
	for _, shown := range []string{`"name":"A","value":"plain"`, `"value":"/w"`, `"value":"RUN echo $A"`} {
		if !strings.Contains(string(dt), shown) {
			t.Errorf("%s is not in %s", shown, dt)
		}
	}
}
