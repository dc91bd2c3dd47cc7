package docs_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/cachewright/cachewright/integration/sandbox"
)

// versions are the modules whose versions the documentation names, by what it calls
// them, and the go.mod files that pin one of these.
var versions = map[string]struct {
	module string
	pins   []sandbox.Pins
}{
	"BuildKit":      {"github.com/moby/buildkit", []sandbox.Pins{sandbox.Current, sandbox.Previous, sandbox.Oldest}},
	"buildx":        {"github.com/docker/buildx", []sandbox.Pins{sandbox.Current}},
	"Docker Engine": {"github.com/moby/moby/v2", []sandbox.Pins{sandbox.EngineDaemon}},
	"Compose":       {"github.com/docker/compose/v5", []sandbox.Pins{sandbox.EngineClients}},
}

// named finds exact versions; BuildKit v0.26, without a third number, says since
// when it can do something.
var named = regexp.MustCompile(`(BuildKit|buildx|Docker Engine|Compose)\s+(v\d+\.\d+\.\d+(?:-[0-9a-z.]+[0-9a-z])?)`)

// TestVersionIsPinnedOnce checks that BuildKit's version is in one place: tools and
// the conformance run take the one of the frontend's go.mod.
func TestVersionIsPinnedOnce(t *testing.T) {
	const module = "github.com/moby/buildkit"
	want, err := sandbox.Pins(".").Version(t.Context(), module)
	if err != nil {
		t.Fatal(err)
	}
	for _, pins := range []sandbox.Pins{sandbox.Current, "integration/conformance"} {
		if got, err := pins.Version(t.Context(), module); err != nil || got != want {
			t.Errorf("%s/go.mod has BuildKit %s, go.mod has %s (%v)", pins, got, want, err)
		}
	}
}

// TestDocumentedVersions compares each exact version in the documentation with the
// pinned ones. The pages that say which BuildKit the frontend follows have to name it.
func TestDocumentedVersions(t *testing.T) {
	pinned := map[string][]string{}
	for name, v := range versions {
		for _, pins := range v.pins {
			version, err := pins.Version(t.Context(), v.module)
			if err != nil {
				t.Fatal(err)
			}
			pinned[name] = append(pinned[name], version)
		}
	}
	pages, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	follows := []string{"README.md", "differences.md", "conformance.md"}
	for _, page := range append(pages, "../../README.md") {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		var found []string
		for _, m := range named.FindAllStringSubmatch(string(text), -1) {
			if !slices.Contains(pinned[m[1]], m[2]) {
				t.Errorf("%s: %s %s; pinned are %v", page, m[1], m[2], pinned[m[1]])
			}
			found = append(found, m[1]+" "+m[2])
		}
		current := "BuildKit " + pinned["BuildKit"][0]
		if slices.Contains(follows, filepath.Base(page)) && !slices.Contains(found, current) {
			t.Errorf("%s does not say that it is about %s", page, current)
		}
	}
}
