package recorder

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// The package runs before every build, and so it starts fast: it depends on
// nothing that has much to initialise.
func TestLight(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	allowed := []string{"github.com/cachewright/cachewright/", "github.com/moby/patternmatcher", "golang.org/x/sys/unix",
		"github.com/agext/levenshtein", "github.com/docker/go-units", "github.com/opencontainers/go-digest", "github.com/distribution/reference"}
	for _, dep := range strings.Fields(string(out)) {
		first, _, _ := strings.Cut(dep, "/")
		outside := strings.Contains(first, ".") && !slices.ContainsFunc(allowed, func(p string) bool { return strings.HasPrefix(dep, p) })
		if outside || dep == "net" || dep == "net/http" {
			t.Errorf("depends on %s", dep)
		}
	}
	if !strings.Contains(string(out), "golang.org/x/sys/unix\n") {
		t.Errorf("go list does not list what the package needs: %s", out)
	}
}
