package examples_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/cachewright/cachewright/integration/sandbox"
)

// planName is the file of an example that holds what --call=cache prints after a
// build and a change. UPDATE=1 writes it again.
const planName = "cache-plan.txt"

// TestPlans compares what --call=cache prints with a file of the example. The
// digests of base images are left out: they are those of stand-ins.
func TestPlans(t *testing.T) {
	for _, c := range []struct {
		example    string
		change     func(e *example)
		built, now []string // more arguments of the build, and of the question
	}{
		{example: "layers", change: func(e *example) { e.change("src/server.js", "router.listen(8080)\n") }},
		{
			example: "fresh-data", change: func(*example) {},
			built: []string{"--build-arg=CACHEWRIGHT_NOW=2026-05-17T09:00:00Z"},
			now:   []string{"--build-arg=CACHEWRIGHT_NOW=2026-05-18T09:00:00Z"},
		},
	} {
		t.Run(c.example, func(t *testing.T) {
			e := open(t, c.example, sandbox.Alpine)
			if _, err := e.sb.Buildx(t.Context(), append(c.built, "--output=type=cacheonly", e.b.Context)...); err != nil {
				t.Fatal(err)
			}
			c.change(e)
			r, err := e.sb.Buildx(t.Context(), append(c.now, "--call=cache", e.b.Context)...)
			if err != nil {
				t.Fatal(err)
			}
			comparePlan(t, c.example, imageDigest.ReplaceAllString(r.Stdout, "sha256:…           "))
		})
	}
}

// TestDocumentedPlan checks that the plan that docs/explain.md shows in parts is
// that of the example.
func TestDocumentedPlan(t *testing.T) {
	root, err := sandbox.RepoRoot()
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(root, "docs", "explain.md"))
	if err != nil {
		t.Fatal(err)
	}
	plan, err := os.ReadFile(filepath.Join(root, "examples", "layers", planName))
	if err != nil {
		t.Fatal(err)
	}
	shown := regexp.MustCompile("(?s)```\n(Cache plan of .*?)```").FindSubmatch(page)
	if shown == nil {
		t.Fatal("the page shows no plan")
	}
	for part := range strings.SplitSeq(string(shown[1]), "...\n") {
		if !strings.Contains(string(plan), part) {
			t.Errorf("not in %s:\n%s", planName, part)
		}
	}
}

var imageDigest = regexp.MustCompile(`sha256:[0-9a-f]{12}`)

// comparePlan compares a printed plan with the example's file.
func comparePlan(t *testing.T, example, got string) {
	t.Helper()
	root, err := sandbox.RepoRoot()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(root, "examples", example, planName)
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s: got\n%s\nwant\n%s", file, got, want)
	}
}
