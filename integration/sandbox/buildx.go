package sandbox

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/moby/buildkit/client"
)

// builderName is the name of the buildx builder that stands for the sandbox.
const builderName = "sandbox"

// BuildxEnv returns the environment variables that make buildx, also as docker
// buildx, build on the sandbox, with its configuration below the sandbox's
// directory. It creates the builder (driver remote) at the first call.
func (s *Sandbox) BuildxEnv(ctx context.Context) ([]string, error) {
	docker := filepath.Join(s.dir, "docker")
	plugins := filepath.Join(docker, "cli-plugins")
	if err := os.MkdirAll(plugins, 0o755); err != nil {
		return nil, err
	}
	env := []string{
		"DOCKER_CONFIG=" + docker,
		"BUILDX_CONFIG=" + filepath.Join(docker, "buildx"),
		"BUILDX_BUILDER=" + builderName,
		"BUILDX_METADATA_WARNINGS=0",
	}
	err := withLock(ctx, filepath.Join(docker, ".lock"), func() error {
		plugin := filepath.Join(plugins, "docker-buildx")
		if _, err := os.Lstat(plugin); err == nil {
			return nil
		}
		cmd := exec.CommandContext(ctx, s.tools.Buildx, "create", "--name", builderName, "--driver", "remote", s.addr)
		cmd.Env = append(os.Environ(), env...)
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("buildx create: %w\n%s", err, out)
		}
		return os.Symlink(s.tools.Buildx, plugin)
	})
	return env, err
}

// BuildxCommand returns a buildx command for the sandbox, not yet started.
func (s *Sandbox) BuildxCommand(ctx context.Context, args ...string) (*exec.Cmd, error) {
	env, err := s.BuildxEnv(ctx)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, s.tools.Buildx, args...)
	cmd.Env = append(os.Environ(), env...)
	return cmd, nil
}

// BuildxResult is the outcome of a run of buildx build.
type BuildxResult struct {
	*Result        // from its rawjson progress
	Stdout  string // what --call or an exporter printed
	Stderr  string // what was not progress: errors and warnings
}

// Buildx runs buildx build with args, the last of which is the context, and
// reads its status stream. If buildx fails, the error has its messages and the
// result is there all the same.
func (s *Sandbox) Buildx(ctx context.Context, args ...string) (*BuildxResult, error) {
	cmd, err := s.BuildxCommand(ctx, append([]string{"build", "--progress=rawjson"}, args...)...)
	if err != nil {
		return nil, err
	}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	runErr := cmd.Run()
	res := &BuildxResult{Result: newResult(), Stdout: stdout.String()}
	for line := range strings.Lines(stderr.String()) {
		var status client.SolveStatus
		if strings.HasPrefix(line, "{") && json.Unmarshal([]byte(line), &status) == nil {
			res.add(&status)
			continue
		}
		res.Stderr += line
	}
	if runErr != nil {
		return res, fmt.Errorf("buildx build: %w\n%s", runErr, res.Stderr)
	}
	return res, nil
}
