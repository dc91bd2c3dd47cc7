package examples_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/cachewright/cachewright/integration/sandbox"
)

// planned are the files of examples that hold what a form of --call=cache prints
// after a build and a change, by the form. UPDATE=1 writes them again.
var planned = map[string]string{
	"cache":          "cache-plan.txt",
	"cache-verbose":  "cache-plan-verbose.txt",
	"cache-markdown": "cache-plan.md",
}

// TestPlans compares what forms of --call=cache print with files of the examples. The
// digests of base images are left out: they are those of stand-ins.
func TestPlans(t *testing.T) {
	for _, c := range []struct {
		example    string
		forms      []string
		change     func(e *example)
		built, now []string // more arguments of the build, and of the question
	}{
		{
			example: "layers", forms: []string{"cache", "cache-verbose", "cache-markdown"},
			change: func(e *example) { e.change("src/server.js", "router.listen(8080)\n") },
		},
		{
			example: "fresh-data", forms: []string{"cache"}, change: func(*example) {},
			built: []string{"--build-arg=CACHEWRIGHT_NOW=2026-05-17T09:00:00Z"},
			now:   []string{"--build-arg=CACHEWRIGHT_NOW=2026-05-18T09:00:00Z"},
		},
		{
			example: "release", forms: []string{"cache"},
			change: func(e *example) {
				e.replace("package.json", "^2.1.0", "^2.2.0")
				e.replace("package-lock.json", "^2.1.0", "^2.2.0")
				e.replace("package-lock.json", "2.1.3", "2.2.0")
			},
		},
	} {
		t.Run(c.example, func(t *testing.T) {
			e := open(t, c.example, sandbox.Alpine)
			if _, err := e.sb.Buildx(t.Context(), append(c.built, "--output=type=cacheonly", e.b.Context)...); err != nil {
				t.Fatal(err)
			}
			c.change(e)
			for _, form := range c.forms {
				r, err := e.sb.Buildx(t.Context(), append(c.now, "--call="+form, e.b.Context)...)
				if err != nil {
					t.Fatal(err)
				}
				comparePlan(t, c.example, planned[form], imageDigest.ReplaceAllString(r.Stdout, "sha256:…           "))
			}
		})
	}
}

// TestDocumentedPlans checks that the plans that docs/explain.md shows in parts are
// those of the example.
func TestDocumentedPlans(t *testing.T) {
	root, err := sandbox.RepoRoot()
	if err != nil {
		t.Fatal(err)
	}
	var all string
	for _, name := range planned {
		plan, err := os.ReadFile(filepath.Join(root, "examples", "layers", name))
		if err != nil {
			t.Fatal(err)
		}
		all += string(plan)
	}
	shown := 0
	for _, name := range []string{"explain.md", "reports.md"} {
		page, err := os.ReadFile(filepath.Join(root, "docs", name))
		if err != nil {
			t.Fatal(err)
		}
		for _, block := range regexp.MustCompile("(?s)```\n(Cache plan of .*?)```").FindAllSubmatch(page, -1) {
			shown++
			for part := range strings.SplitSeq(string(block[1]), "...\n") {
				if !strings.Contains(all, part) {
					t.Errorf("%s: not what the example prints:\n%s", name, part)
				}
			}
		}
	}
	if shown < 2 {
		t.Errorf("the pages show %d plans", shown)
	}
}

var imageDigest = regexp.MustCompile(`sha256:[0-9a-f]{12}`)

// comparePlan compares a printed plan with the example's file.
func comparePlan(t *testing.T, example, name, got string) {
	t.Helper()
	root, err := sandbox.RepoRoot()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(root, "examples", example, name)
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
