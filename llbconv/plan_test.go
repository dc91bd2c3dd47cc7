package llbconv_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/cachewright/cachewright/cachepolicy/cacheplan"
	"github.com/cachewright/cachewright/cachepolicy/report"
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
	return def.Plan([]byte("key"))
}

// TestPlanHolds makes the plan of every golden that converts: it must be one that
// can be read again, and have the steps that Annotate counts.
func TestPlanHolds(t *testing.T) {
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
			plan := def.Plan(nil)
			dt, err := cacheplan.Encode(plan)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := cacheplan.Decode(dt); err != nil {
				t.Errorf("%s: %v", c.Name, err)
			}
		}
	}
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
	for i, s := range def.Plan(nil).Steps {
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

// TestPlanKeepsSecrets looks for the values of secret-looking variables in a plan.
func TestPlanKeepsSecrets(t *testing.T) {
	c := &oracle.Case{
		Dockerfile: []byte("FROM busybox\nARG NPM_TOKEN\nENV DB_PASSWORD=hunter2 URL=https://me:hunter2@example.org/\n# cache=key=arg:API_KEY\nRUN a\nCOPY a /$NPM_TOKEN/\n"),
		Attrs:      map[string]string{"build-arg:NPM_TOKEN": "hunter2", "build-arg:API_KEY": "hunter2"},
	}
	dt, err := json.Marshal(planOf(t, c))
	if err != nil {
		t.Fatal(err)
	}
	// The line of the file itself is no secret.
	text := strings.ReplaceAll(string(dt), "ENV DB_PASSWORD=hunter2", "")
	if strings.Contains(text, "hunter2") {
		t.Errorf("the plan holds a secret: %s", text)
	}
	if n := strings.Count(text, `"secret":true`); n != 5 {
		t.Errorf("%d values are withheld, want 5: %s", n, text)
	}
}
