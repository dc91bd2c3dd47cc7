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

// Engine is a running Docker Engine with nothing stored at first. Its methods may
// be called from several goroutines.
type Engine struct {
	dir     string
	host    string
	docker  string // the client
	janitor *janitor
	daemon  *server
}

// engineProgram says what Docker Engine to run.
type engineProgram struct {
	dockerd, docker string
	version         string   // what the daemon's version begins with
	flags           []string // of the daemon, besides those that every engine has
}

// StartEngine starts the Docker Engine of Debian's docker.io package, 20.10, for what
// its old built-in BuildKit does with a frontend, and returns when it answers. The
// package is installed when it is missing. The engine has no bridge, so that the
// machine's network stays as it is: steps that run something need RUN
// --network=host or none. It fails when the package cannot be installed, and with
// the daemon's log when that does not start within a minute.
func StartEngine(ctx context.Context) (*Engine, error) {
	if err := RequirePrograms(ctx, map[string]string{"dockerd": "docker.io"}); err != nil {
		return nil, err
	}
	dockerd, err := findProgram("dockerd")
	if err != nil {
		return nil, err
	}
	// The package's client, whatever else is in PATH.
	return startEngine(ctx, engineProgram{dockerd: dockerd, docker: "/usr/bin/docker", version: "20.10."})
}

// StartCurrentEngine starts the Docker Engine that is pinned in EngineDaemon, with
// Debian's containerd and the client, buildx and compose that are pinned. It takes
// images from the sandbox's registry, like the sandbox's own daemon, and has no
// bridge either. It fails as StartEngine does, and when a program cannot be compiled.
func (s *Sandbox) StartCurrentEngine(ctx context.Context) (*Engine, error) {
	if err := RequirePrograms(ctx, map[string]string{"containerd": "containerd", "runc": "runc"}); err != nil {
		return nil, err
	}
	dockerd, err := EngineDaemon.Program(ctx, "dockerd")
	if err != nil {
		return nil, err
	}
	docker, err := EngineClients.Program(ctx, "docker")
	if err != nil {
		return nil, err
	}
	version, err := EngineDaemon.Version(ctx, "github.com/moby/moby/v2")
	if err != nil {
		return nil, err
	}
	e, err := startEngine(ctx, engineProgram{
		dockerd: dockerd, docker: docker, version: strings.TrimPrefix(version, "v"),
		flags: []string{
			"--registry-mirror", "http://" + s.registryAddr, "--insecure-registry", s.registryAddr,
			"--feature", "time-namespaces=false", // Debian's runc knows none
		},
	})
	if err != nil {
		return nil, err
	}
	if err := e.linkPlugins(ctx); err != nil {
		return nil, errors.Join(err, e.Close())
	}
	return e, nil
}

// startEngine starts an engine and waits until it answers.
func startEngine(ctx context.Context, p engineProgram) (_ *Engine, err error) {
	dir, err := os.MkdirTemp("", "cachewright-")
	if err != nil {
		return nil, err
	}
	e := &Engine{dir: dir, host: "unix://" + filepath.Join(dir, "docker.sock"), docker: p.docker}
	cgroup := filepath.Base(dir)
	if e.janitor, err = startJanitor(dir, cgroup); err != nil {
		return nil, errors.Join(err, os.Remove(dir))
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, e.Close())
		}
	}()
	argv := append([]string{"/bin/sh", "-ec", inNamespaces, "dockerd", p.dockerd,
		"--iptables=false", "--ip6tables=false", "--bridge=none",
		"--data-root", filepath.Join(dir, "data"), "--exec-root", filepath.Join(dir, "exec"),
		"--pidfile", filepath.Join(dir, "docker.pid"), "--cgroup-parent", "/" + cgroup, "--host", e.host}, p.flags...)
	// In namespaces of its own, like buildkitd: nothing outlives it. It looks for
	// containerd and runc in PATH.
	attr := syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID, Unshareflags: syscall.CLONE_NEWNS}
	env := []string{"PATH=" + os.Getenv("PATH") + ":/usr/sbin:/sbin"}
	if e.daemon, err = startServer("dockerd", dir, filepath.Join(dir, "dockerd.log"), attr, env, argv...); err != nil {
		return nil, err
	}
	return e, e.wait(ctx, p.version)
}

// wait waits until the daemon answers, and checks its version.
func (e *Engine) wait(ctx context.Context, want string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, startTimeout, fmt.Errorf("no answer within %s", startTimeout))
	defer cancel()
	err := poll(ctx, func() (bool, error) {
		if err := e.daemon.exited(); err != nil {
			return false, err
		}
		out, err := e.Command(ctx, "version", "--format={{.Server.Version}}").Output()
		version := strings.TrimPrefix(strings.TrimSpace(string(out)), "v")
		if err == nil && !strings.HasPrefix(version, want) {
			return false, fmt.Errorf("dockerd is version %s instead of %s", version, want)
		}
		return err == nil, nil
	})
	if err != nil {
		return fmt.Errorf("wait for dockerd: %w\n%s", err, e.daemon.logTail())
	}
	return nil
}

// linkPlugins gives the client buildx and compose.
func (e *Engine) linkPlugins(ctx context.Context) error {
	buildx, err := Current.Program(ctx, "buildx")
	if err != nil {
		return err
	}
	compose, err := EngineClients.Program(ctx, "compose")
	if err != nil {
		return err
	}
	dir := filepath.Join(e.dir, "cli-plugins")
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	return errors.Join(os.Symlink(buildx, filepath.Join(dir, "docker-buildx")),
		os.Symlink(compose, filepath.Join(dir, "docker-compose")))
}

// Command returns a command of the engine's own docker client, not yet started.
// docker build uses BuildKit.
func (e *Engine) Command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, e.docker, args...)
	cmd.Env = append(os.Environ(), "DOCKER_HOST="+e.host, "DOCKER_CONFIG="+e.dir, "DOCKER_CONTEXT=", "DOCKER_BUILDKIT=1",
		"BUILDX_BUILDER=", "BUILDX_CONFIG="+filepath.Join(e.dir, "buildx"), "BUILDX_METADATA_WARNINGS=0")
	return cmd
}

// BuildxCommand returns a docker buildx command, not yet started, whose builder is the
// engine: driver docker. It never fails.
func (e *Engine) BuildxCommand(ctx context.Context, args ...string) (*exec.Cmd, error) {
	return e.Command(ctx, append([]string{"buildx"}, args...)...), nil
}

// History returns what the status stream of an earlier build said, as
// Sandbox.History does.
func (e *Engine) History(ctx context.Context, ref string) (*Result, error) {
	return history(ctx, e.BuildxCommand, ref)
}

// Addr returns the daemon's address, unix://PATH.
func (e *Engine) Addr() string { return e.host }

// Close stops the engine and removes all it stored. It returns an error if
// something could not be removed.
func (e *Engine) Close() error {
	if e.daemon != nil {
		e.daemon.stop()
	}
	return e.janitor.finish()
}
