package release

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"github.com/cachewright/cachewright/integration/sandbox"
)

//go:generate go run ../cmd/dependencies -o ../../docs/dependencies.md

// Dependencies returns the modules that are linked into cmd/frontend for any of
// Platforms, and their versions as go.mod has them. It fails with the go command's
// error.
func Dependencies(ctx context.Context) (map[string]string, error) {
	versions := map[string]string{}
	for platform := range strings.SplitSeq(Platforms, ",") {
		lines, err := linkedModules(ctx, platform)
		if err != nil {
			return nil, fmt.Errorf("modules of cmd/frontend for %s: %w", platform, err)
		}
		for line := range strings.Lines(lines) {
			path, version, _ := strings.Cut(strings.TrimSpace(line), " ")
			versions[path] = version
		}
	}
	return versions, nil
}

// linkedModules returns a line "path version" for each linked package that is not
// of the standard library and not our own.
func linkedModules(ctx context.Context, platform string) (string, error) {
	root, err := sandbox.RepoRoot()
	if err != nil {
		return "", err
	}
	goos, goarch, _ := strings.Cut(platform, "/")
	cmd := exec.CommandContext(ctx, "go", "list", "-deps", "-tags", sandbox.FrontendTags,
		"-f", "{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}}{{end}}{{end}}", "./cmd/frontend")
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+goos, "GOARCH="+goarch)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	return string(out), err
}
