package sandbox

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// Tools are the paths of the programs pinned in tools/go.mod.
type Tools struct {
	Buildkitd string
	Buildctl  string
	Buildx    string // the docker buildx plugin; also works on its own
	Registry  string
	Crane     string
}

// BuildTools returns the pinned programs in build/bin. It builds them when they
// are missing or when tools/go.mod, tools/go.sum or the Go version changed, and
// says so on standard error, because that takes minutes the first time.
func BuildTools(ctx context.Context) (Tools, error) {
	root, err := RepoRoot()
	if err != nil {
		return Tools{}, err
	}
	bin, err := BuildDir("bin")
	if err != nil {
		return Tools{}, err
	}
	src := filepath.Join(root, "tools")
	tools := Tools{
		Buildkitd: filepath.Join(bin, "buildkitd"),
		Buildctl:  filepath.Join(bin, "buildctl"),
		Buildx:    filepath.Join(bin, "buildx"),
		Registry:  filepath.Join(bin, "registry"),
		Crane:     filepath.Join(bin, "crane"),
	}
	key, err := toolsKey(src)
	if err != nil {
		return Tools{}, err
	}
	stamp := filepath.Join(bin, ".key")
	err = withLock(ctx, filepath.Join(bin, ".lock"), func() error {
		if have, err := os.ReadFile(stamp); err == nil && string(have) == key {
			return nil
		}
		fmt.Fprintln(os.Stderr, "sandbox: building the tools pinned in tools/go.mod")
		if err := compileTools(ctx, src, bin); err != nil {
			return err
		}
		return os.WriteFile(stamp, []byte(key), 0o644)
	})
	return tools, err
}

// toolsKey returns what the built tools depend on, as a digest.
func toolsKey(src string) (string, error) {
	h := sha256.New()
	fmt.Fprintln(h, runtime.Version())
	for _, name := range []string{"go.mod", "go.sum"} {
		data, err := os.ReadFile(filepath.Join(src, name))
		if err != nil {
			return "", err
		}
		h.Write(data)
	}
	return fmt.Sprintf("%x", h.Sum(nil)), nil
}

// compileTools builds every tool line of src/go.mod into bin, static, with the
// version set that the program reports to its clients.
func compileTools(ctx context.Context, src, bin string) error {
	ldflags := "-s -w"
	for _, m := range []struct{ module, variable string }{
		{"github.com/moby/buildkit", "github.com/moby/buildkit/version.Version"},
		{"github.com/docker/buildx", "github.com/docker/buildx/version.Version"},
		{"github.com/distribution/distribution/v3", "github.com/distribution/distribution/v3/version.version"},
	} {
		out, err := goCommand(ctx, src, "list", "-m", "-f", "{{.Version}}", m.module).Output()
		if err != nil {
			return fmt.Errorf("version of %s: %w", m.module, err)
		}
		ldflags += " -X " + m.variable + "=" + strings.TrimSpace(string(out))
	}
	out, err := goCommand(ctx, src, "build", "-trimpath", "-ldflags", ldflags, "-o", bin+"/", "tool").CombinedOutput()
	if err != nil {
		return fmt.Errorf("build tools/go.mod: %w\n%s", err, out)
	}
	return nil
}

// goCommand returns a go command without cgo, to be run in dir.
func goCommand(ctx context.Context, dir string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	return cmd
}
