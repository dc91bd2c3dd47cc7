// Package docs_test builds every Dockerfile of the documentation of the cache
// rules on a real daemon, with the frontend's image and with the daemon's own
// docker/dockerfile, to which rules are comments. Each is built, changed and built
// again, and exactly the steps that the documentation says run again.
//
// The files are built as they are printed, except that the hosts in their URLs
// become a server of the test. Base images are stand-ins: the sandbox's own, with
// scripts for npm, apk and nginx that do as little as the examples need.
package docs_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/cachewright/cachewright/integration/sandbox"
	"github.com/cachewright/cachewright/integration/scenario"
)

// example is what the test knows about a Dockerfile of the documentation.
type example struct {
	files   map[string]string // of the context, besides the Dockerfile
	args    map[string]string
	secrets map[string]string
	changes []change
}

// change is made before another build.
type change struct {
	name string
	make func(*project)
	// ran are the steps that this frontend runs again, and elsewhere those that
	// docker/dockerfile does, by the beginning of their text.
	ran, elsewhere []string
}

func TestDocumentedDockerfiles(t *testing.T) {
	sb := scenario.Start(t)
	known := examples()
	for _, page := range []string{"cache-rules.md", "recipes.md"} {
		for title, dockerfile := range dockerfiles(t, page) {
			title = page + "/" + title
			x, ok := known[title]
			if !ok {
				t.Errorf("%s: the test does not know this Dockerfile:\n%s", title, dockerfile)
				continue
			}
			delete(known, title)
			for name, frontend := range map[string]string{"cachewright": sandbox.FrontendRef, "elsewhere": ""} {
				t.Run(title+"/"+name, func(t *testing.T) {
					t.Parallel()
					x.run(newProject(t, sb, dockerfile, frontend, x))
				})
			}
		}
	}
	for title := range known {
		t.Errorf("no such Dockerfile: %s", title)
	}
}

// run builds, and then changes and builds again.
func (x example) run(p *project) {
	first := p.build()
	p.expect("first build", first, slices.Collect(maps.Keys(first)))
	for _, c := range x.changes {
		c.make(p)
		want := c.ran
		if p.Frontend == "" {
			want = c.elsewhere
		}
		p.expect(c.name, p.build(), want)
	}
}

var (
	heading = regexp.MustCompile(`(?m)^# .*|^## .*`)
	fence   = regexp.MustCompile("(?s)```dockerfile\n(.*?)```")
)

// dockerfiles returns the fenced Dockerfiles of a page, by the heading above and
// their number below it: "ttl/1".
func dockerfiles(t *testing.T, page string) map[string]string {
	t.Helper()
	root, err := sandbox.RepoRoot()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(root, "docs", page))
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	count := map[string]int{}
	outside := fence.ReplaceAllFunc(text, func(m []byte) []byte { return []byte(strings.Repeat(".", len(m))) })
	headings := heading.FindAllIndex(outside, -1)
	for _, m := range fence.FindAllSubmatchIndex(text, -1) {
		title := ""
		for _, h := range headings {
			if h[0] < m[0] {
				title = strings.TrimLeft(string(text[h[0]:h[1]]), "# ")
			}
		}
		count[title]++
		found[fmt.Sprintf("%s/%d", title, count[title])] = string(text[m[2]:m[3]])
	}
	if len(found) == 0 {
		t.Fatalf("%s has no Dockerfile", page)
	}
	return found
}
