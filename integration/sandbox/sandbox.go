package sandbox

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/moby/buildkit/client"
)

// startTimeout bounds the start of the two servers, which takes about a second.
const startTimeout = time.Minute

// Options say what sandbox to start. The zero value is a fresh sandbox.
type Options struct {
	// Dir keeps what the daemon and the registry store. It is created and not
	// removed, and a later sandbox with the same Dir finds it again. Empty means a
	// temporary directory.
	Dir string
	// Registry is the host:port of another sandbox's registry to use instead of
	// an own one.
	Registry string
	// Entitlements are the privileges that builds may ask for: network.host,
	// security.insecure, device.
	Entitlements []string
	// Config is more text for buildkitd.toml, in tables of its own.
	Config string
	// Daemon says whose buildkitd to run, Current's if it is empty.
	Daemon Pins
}

// servers are the paths of the programs that a sandbox runs.
type servers struct{ registry, buildkitd string }

// programs compiles what is to be started, before the time for its start counts.
func (o Options) programs(ctx context.Context) (servers, error) {
	var found servers
	var err error
	if o.Registry == "" {
		if found.registry, err = Current.Program(ctx, "registry"); err != nil {
			return found, err
		}
	}
	found.buildkitd, err = cmp.Or(o.Daemon, Current).Program(ctx, "buildkitd")
	return found, err
}

// Sandbox is a running buildkitd with its registry. Its methods may be called
// from several goroutines.
type Sandbox struct {
	dir          string // what the servers store, and their logs
	run          string // sockets and configuration
	cgroup       string
	addr         string
	registryAddr string
	owner        int
	janitor      *janitor
	daemon       *server
	registry     *server // nil if it is another sandbox's
	client       *client.Client
}

// Start starts a sandbox and returns when both servers answer. It fails when a
// tool cannot be built, a Debian package is missing and cannot be installed, or
// a server does not start within a minute; the error then has the server's log.
func Start(ctx context.Context, opts Options) (_ *Sandbox, err error) {
	if os.Geteuid() != 0 {
		return nil, errors.New("the sandbox needs root: buildkitd mounts overlayfs and starts containers")
	}
	if err := RequirePrograms(ctx, map[string]string{"runc": "runc"}); err != nil {
		return nil, err
	}
	programs, err := opts.programs(ctx)
	if err != nil {
		return nil, err
	}
	s := &Sandbox{registryAddr: opts.Registry, owner: os.Getpid()}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	if err := s.prepareDirs(opts.Dir); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, startTimeout, fmt.Errorf("no answer within %s", startTimeout))
	defer cancel()
	if s.registryAddr == "" {
		if err := s.startRegistry(ctx, programs.registry); err != nil {
			return nil, err
		}
	}
	if err := s.startDaemon(ctx, programs.buildkitd, opts); err != nil {
		return nil, err
	}
	if err := s.writeState(); err != nil {
		return nil, err
	}
	return s, nil
}

// prepareDirs makes the sandbox's directories and starts the janitor. What the
// servers store is in dir; sockets and configuration are in run, whose path is
// short enough for a socket and which is always removed.
func (s *Sandbox) prepareDirs(dir string) error {
	run, err := os.MkdirTemp("", "cachewright-")
	if err != nil {
		return err
	}
	s.run = run
	s.addr = "unix://" + filepath.Join(run, "buildkitd.sock")
	s.cgroup = filepath.Base(run)
	if s.janitor, err = startJanitor(run, s.cgroup); err != nil {
		return errors.Join(err, os.Remove(run))
	}
	if dir == "" {
		dir = run
	}
	if s.dir, err = filepath.Abs(dir); err != nil {
		return err
	}
	return os.MkdirAll(s.dir, 0o755)
}

// Close stops the servers and removes the sandbox's files, except Options.Dir. It returns an error if something could not be removed. An attached
// sandbox only loses its connection.
func (s *Sandbox) Close() error {
	if s.client != nil {
		_ = s.client.Close()
	}
	if s.janitor == nil {
		return nil
	}
	if s.daemon != nil {
		s.daemon.stop()
	}
	if s.registry != nil {
		s.registry.stop()
	}
	_ = os.Remove(filepath.Join(s.dir, stateFile))
	return s.janitor.finish()
}

// Addr returns the daemon's address, unix://PATH.
func (s *Sandbox) Addr() string { return s.addr }

// Registry returns the registry's host:port. It speaks plain HTTP.
func (s *Sandbox) Registry() string { return s.registryAddr }

// Dir returns the directory of what the servers store, with buildkitd.log and
// registry.log.
func (s *Sandbox) Dir() string { return s.dir }

// Client returns the sandbox's connection to the daemon. Close closes it.
func (s *Sandbox) Client() *client.Client { return s.client }
