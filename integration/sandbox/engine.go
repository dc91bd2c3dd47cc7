package sandbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// Engine is a running Docker Engine, for what its old built-in BuildKit does with
// a frontend.
type Engine struct {
	dir     string
	host    string
	janitor *janitor
	daemon  *server
}

// StartEngine starts the Docker Engine of Debian's docker.io package, 20.10, with
// nothing stored, and returns when it answers. The package is installed when it
// is missing. The engine has no bridge, so that the machine's network stays as it
// is: steps that run something need RUN --network=host or none. It fails when the
// package cannot be installed, and with the daemon's log when that does not start
// within a minute.
func StartEngine(ctx context.Context) (_ *Engine, err error) {
	if err := RequirePrograms(ctx, map[string]string{"dockerd": "docker.io"}); err != nil {
		return nil, err
	}
	dockerd, err := findProgram("dockerd")
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "cachewright-")
	if err != nil {
		return nil, err
	}
	e := &Engine{dir: dir, host: "unix://" + filepath.Join(dir, "docker.sock")}
	cgroup := filepath.Base(dir)
	if e.janitor, err = startJanitor(dir, cgroup); err != nil {
		return nil, errors.Join(err, os.Remove(dir))
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, e.Close())
		}
	}()
	// In namespaces of its own, like buildkitd: nothing outlives it.
	attr := syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID, Unshareflags: syscall.CLONE_NEWNS}
	e.daemon, err = startServer("dockerd", dir, filepath.Join(dir, "dockerd.log"), attr, nil,
		"/bin/sh", "-ec", inNamespaces, "dockerd", dockerd, "--iptables=false", "--ip6tables=false", "--bridge=none",
		"--data-root", filepath.Join(dir, "data"), "--exec-root", filepath.Join(dir, "exec"),
		"--pidfile", filepath.Join(dir, "docker.pid"), "--cgroup-parent", "/"+cgroup, "--host", e.host)
	if err != nil {
		return nil, err
	}
	return e, e.wait(ctx)
}

// wait waits until the daemon answers.
func (e *Engine) wait(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, startTimeout, fmt.Errorf("no answer within %s", startTimeout))
	defer cancel()
	err := poll(ctx, func() (bool, error) {
		if err := e.daemon.exited(); err != nil {
			return false, err
		}
		version, err := e.Command(ctx, "version", "--format={{.Server.Version}}").Output()
		if err == nil && !strings.HasPrefix(string(version), "20.10.") {
			return false, fmt.Errorf("dockerd is version %s instead of 20.10", strings.TrimSpace(string(version)))
		}
		return err == nil, nil
	})
	if err != nil {
		return fmt.Errorf("wait for dockerd: %w", err)
	}
	return nil
}

// Command returns a command of the engine's own docker client, not yet started.
// docker build uses BuildKit.
func (e *Engine) Command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "/usr/bin/docker", args...) // the package's, whatever else is in PATH
	cmd.Env = append(os.Environ(), "DOCKER_HOST="+e.host, "DOCKER_CONFIG="+e.dir, "DOCKER_CONTEXT=", "DOCKER_BUILDKIT=1")
	return cmd
}

// Close stops the engine and removes all it stored. It returns an error if
// something could not be removed.
func (e *Engine) Close() error {
	if e.daemon != nil {
		e.daemon.stop()
	}
	return e.janitor.finish()
}
