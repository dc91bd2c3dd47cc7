package reports_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/cachewright/cachewright/cachepolicy/report"
)

// TestDiff builds on two builders in turn, as CI and a laptop do, and asks why one did
// not have what the other had.
func TestDiff(t *testing.T) {
	past := t.TempDir()
	p := start(t, "FROM busybox AS base\nARG NPM_TOKEN\nWORKDIR /w\nCOPY src src\nRUN cat src/*\nFROM base\nENV MODE=$MODE\nRUN true\n",
		map[string]string{"src/a": "1", "src/b": "1"})
	p.Arg("NPM_TOKEN", "one")
	p.Must(os.Rename(build(p), filepath.Join(past, "ci.json")))
	p.Must(os.Chmod(p.Path("src/b"), 0o755))
	ask := func(want string) {
		t.Helper()
		if got := p.Call("cache-diff", "--build-context="+report.PastContext+"="+past); got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	}
	ask(`From ci.json to this build: Dockerfile, linux/amd64

First difference: [base 3/4] COPY src src
                    ci.json                           this build
  file-mode         src/b 644                         src/b 755
  and 2 steps follow

2 of 5 steps have the same key in both
Not compared, since each builder withholds the value in its own way: NPM_TOKEN
`)
	p.Write("src/a", "2")
	p.Arg("NPM_TOKEN", "two")
	p.Must(os.Rename(build(p), filepath.Join(past, "laptop.json")))
	ask(`From ci.json to laptop.json: Dockerfile, linux/amd64

First difference: [base 3/4] COPY src src
                    ci.json                           laptop.json
  file-changed      src/a changed
  file-mode         src/b 644                         src/b 755
  and 2 steps follow

2 of 5 steps have the same key in both
Not compared, since each builder withholds the value in its own way: NPM_TOKEN
`)
}
