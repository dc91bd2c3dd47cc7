package llbconv_test

import (
	"os/exec"
	"strings"
	"testing"
)

// TestOracleIsNotShipped checks that docker/dockerfile's converter is imported by
// tests only.
func TestOracleIsNotShipped(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "../cmd/...", "../frontend/...", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	deps := string(out)
	if !strings.Contains(deps, "github.com/moby/buildkit/frontend/dockerfile/instructions\n") {
		t.Fatalf("go list does not list what the converter needs: %s", deps)
	}
	for _, pkg := range []string{"dockerfile2llb", "builder"} {
		if path := "github.com/moby/buildkit/frontend/dockerfile/" + pkg; strings.Contains(deps, path+"\n") {
			t.Errorf("%s is part of what is shipped", path)
		}
	}
}
