package sandbox

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"

	"github.com/moby/buildkit/client"
)

// builderName is the name of the buildx builder that stands for the sandbox.
const builderName = "sandbox"

// BuildxEnv returns the environment variables that make buildx, also as docker
// buildx, build on the sandbox, with a configuration of its own. It creates the
// builder (driver remote) at the first call.
func (s *Sandbox) BuildxEnv(ctx context.Context) ([]string, error) {
	buildx, err := Current.Program(ctx, "buildx")
	if err != nil {
		return nil, err
	}
	docker := filepath.Join(s.run, "docker")
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
	err = withLock(ctx, filepath.Join(docker, ".lock"), func() error {
		plugin := filepath.Join(plugins, "docker-buildx")
		if _, err := os.Lstat(plugin); err == nil {
			return nil
		}
		cmd := exec.CommandContext(ctx, buildx, "create", "--name", builderName, "--driver", "remote", s.addr)
		cmd.Env = append(os.Environ(), env...)
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("buildx create: %w\n%s", err, out)
		}
		return os.Symlink(buildx, plugin)
	})
	return env, err
}

// BuildxCommand returns a buildx command for the sandbox, not yet started.
func (s *Sandbox) BuildxCommand(ctx context.Context, args ...string) (*exec.Cmd, error) {
	env, err := s.BuildxEnv(ctx)
	if err != nil {
		return nil, err
	}
	buildx, err := Current.Program(ctx, "buildx")
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, buildx, args...)
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
	res.Stderr = res.addJSON(stderr.String())
	if runErr != nil {
		return res, fmt.Errorf("buildx build: %w\n%s", runErr, res.Stderr)
	}
	return res, nil
}

// History returns what the status stream of an earlier build said. The reference
// is the one that buildx build --metadata-file writes as buildx.build.ref.
func (s *Sandbox) History(ctx context.Context, ref string) (*Result, error) {
	return history(ctx, s.BuildxCommand, ref)
}

// history is History with the buildx of a builder.
func history(ctx context.Context, buildx func(context.Context, ...string) (*exec.Cmd, error), ref string) (*Result, error) {
	// buildx takes the part that the daemon knows, without builder and node.
	cmd, err := buildx(ctx, "history", "logs", "--progress=rawjson", path.Base(ref))
	if err != nil {
		return nil, err
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("buildx history logs %s: %w\n%s", ref, err, out)
	}
	result := newResult()
	result.addJSON(string(out))
	return result, nil
}

// addJSON takes the lines of a status stream in JSON in and returns the others.
func (r *Result) addJSON(text string) string {
	var rest strings.Builder
	for line := range strings.Lines(text) {
		var status client.SolveStatus
		if strings.HasPrefix(line, "{") && json.Unmarshal([]byte(line), &status) == nil {
			r.add(&status)
			continue
		}
		rest.WriteString(line)
	}
	return WithoutSessionLog(rest.String())
}

// WithoutSessionLog returns what buildx wrote without the lines that its HTTP/2
// server logs if a build is over before the daemon has used the session: whether
// one does is a matter of time, not of the build.
func WithoutSessionLog(text string) string {
	var kept strings.Builder
	for line := range strings.Lines(text) {
		if !strings.Contains(line, " http2: server") {
			kept.WriteString(line)
		}
	}
	return kept.String()
}
