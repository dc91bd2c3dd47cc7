package sandbox

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/moby/buildkit/client"
)

// daemonConfig is the buildkitd.toml of a sandbox: top-level keys first.
const daemonConfig = `root = %q
insecure-entitlements = [%s]

[grpc]
  address = [%q]

[otel]
  socketPath = %q

[cdi]
  specDirs = [%q]

[worker.containerd]
  enabled = false

[worker.oci]
  enabled = true
  snapshotter = "overlayfs"
  networkMode = "host"
  gc = false
  binary = %q
  defaultCgroupParent = %q

[registry."docker.io"]
  mirrors = [%q]

[registry.%q]
  http = true

`

// inNamespaces runs a command with a /proc of its own process namespace.
const inNamespaces = `mount -t proc proc /proc; exec "$@"`

// startDaemon starts buildkitd and waits until it answers.
func (s *Sandbox) startDaemon(ctx context.Context, buildkitd string, opts Options) error {
	runc, err := findProgram("runc")
	if err != nil {
		return err
	}
	var entitlements []string
	for _, e := range opts.Entitlements {
		entitlements = append(entitlements, fmt.Sprintf("%q", e))
	}
	text := fmt.Sprintf(daemonConfig, filepath.Join(s.dir, "root"), strings.Join(entitlements, ", "),
		s.addr, filepath.Join(s.run, "otel.sock"), filepath.Join(s.run, "cdi"), runc, s.cgroup,
		s.registryAddr, s.registryAddr) + opts.Config
	if err := os.MkdirAll(filepath.Join(s.run, "cdi"), 0o755); err != nil {
		return err
	}
	config := filepath.Join(s.run, "buildkitd.toml")
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		return err
	}
	// As process 1 of its own namespace, buildkitd takes every container with it
	// when it dies; and its mounts are gone with its mount namespace.
	attr := syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID, Unshareflags: syscall.CLONE_NEWNS}
	s.daemon, err = startServer("buildkitd", s.run, filepath.Join(s.dir, "buildkitd.log"), attr, nil,
		"/bin/sh", "-ec", inNamespaces, "buildkitd", buildkitd, "--config", config)
	if err != nil {
		return err
	}
	if s.client, err = client.New(ctx, s.addr); err != nil {
		return err
	}
	err = poll(ctx, func() (bool, error) {
		if err := s.daemon.exited(); err != nil {
			return false, err
		}
		workers, err := s.client.ListWorkers(ctx)
		return err == nil && len(workers) > 0, nil
	})
	if err != nil {
		return fmt.Errorf("wait for buildkitd: %w", err)
	}
	return nil
}
