// Command sandbox keeps a private buildkitd and registry running for use by
// hand: `make up` and `make down` call it. Everything it keeps is in build/sandbox.
package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/cachewright/cachewright/integration/sandbox"
)

const usage = `usage: sandbox up|down|env|tools|daemons|seed [IMAGE...]
  up     start the daemon and the registry and leave them running
  down   stop them; their contents stay in build/sandbox
  env    print the shell variables that point buildx and buildctl at them
  tools  build the pinned tools into build/bin
  daemons  build what some tests need besides: a Docker Engine and its clients, older buildkitds
  seed   push base images, and this tree's frontend, to the registry:
         busybox alpine debian golang frontend (all of them if none is named)
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "sandbox:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		args = []string{"help"}
	}
	dir, err := sandbox.BuildDir("sandbox")
	if err != nil {
		return err
	}
	switch args[0] {
	case "up":
		return up(ctx, dir)
	case "serve":
		return serve(ctx, dir)
	case "down":
		return down(ctx, dir)
	case "env":
		return withSandbox(ctx, dir, printEnv)
	case "seed":
		return withSandbox(ctx, dir, func(ctx context.Context, s *sandbox.Sandbox) error {
			return seed(ctx, s, args[1:])
		})
	case "tools":
		return sandbox.BuildAll(ctx, sandbox.Current)
	case "daemons":
		return sandbox.BuildAll(ctx, sandbox.Previous, sandbox.Oldest, sandbox.EngineDaemon, sandbox.EngineClients)
	case "help", "-h", "--help":
		fmt.Print(usage)
		return nil
	default:
		return fmt.Errorf("unknown command %q; see sandbox help", args[0])
	}
}

// up starts this program again with serve, detached, and waits until it answers.
func up(ctx context.Context, dir string) error {
	if s, err := sandbox.Attach(ctx, dir); err == nil {
		defer s.Close()
		return printEnv(ctx, s)
	}
	logFile, err := os.Create(filepath.Join(dir, "serve.log"))
	if err != nil {
		return err
	}
	defer logFile.Close()
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.Command(exe, "serve")
	cmd.Stdout, cmd.Stderr = logFile, logFile
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for {
		select {
		case err := <-ended:
			return fmt.Errorf("did not start (%w); see %s", err, logFile.Name())
		case <-ctx.Done():
			return errors.Join(ctx.Err(), cmd.Process.Signal(syscall.SIGTERM))
		case <-time.After(50 * time.Millisecond):
		}
		if s, err := sandbox.Attach(ctx, dir); err == nil {
			defer s.Close()
			return printEnv(ctx, s)
		}
	}
}

// serve runs the sandbox until it is told to end.
func serve(ctx context.Context, dir string) error {
	s, err := sandbox.Start(ctx, sandbox.Options{
		Dir:          dir,
		Entitlements: []string{"network.host", "security.insecure"},
	})
	if err != nil {
		return err
	}
	<-ctx.Done()
	return s.Close()
}

func down(ctx context.Context, dir string) error {
	s, err := sandbox.Attach(ctx, dir)
	if err != nil {
		fmt.Println(err)
		return nil
	}
	defer s.Close()
	if err := syscall.Kill(s.Owner(), syscall.SIGTERM); err != nil {
		return err
	}
	return s.WaitStopped(ctx)
}

func withSandbox(ctx context.Context, dir string, fn func(context.Context, *sandbox.Sandbox) error) error {
	s, err := sandbox.Attach(ctx, dir)
	if err != nil {
		return fmt.Errorf("%w\nstart it with: make up", err)
	}
	defer s.Close()
	return fn(ctx, s)
}

func printEnv(ctx context.Context, s *sandbox.Sandbox) error {
	env, err := s.BuildxEnv(ctx)
	if err != nil {
		return err
	}
	fmt.Printf(`# A buildkitd answers at %[1]s,
# a registry at %[2]s (it also stands in for docker.io).
# In this shell: eval "$(build/bin/sandbox env)", then
#   build/bin/buildx build DIR        or: docker buildx build DIR
#   build/bin/buildctl build ...
# Elsewhere: docker buildx create --driver remote %[1]s
export BUILDKIT_HOST=%[1]s
`, s.Addr(), s.Registry())
	for _, kv := range env {
		fmt.Println("export", kv)
	}
	return nil
}

func seed(ctx context.Context, s *sandbox.Sandbox, names []string) error {
	images := map[string]sandbox.Image{
		"busybox": sandbox.Busybox, "alpine": sandbox.Alpine, "debian": sandbox.Debian, "golang": sandbox.Golang,
	}
	all := append(slices.Sorted(maps.Keys(images)), "frontend")
	if len(names) == 0 {
		names = all
	}
	for _, name := range names {
		image, known := images[name]
		switch {
		case name == "frontend":
			if err := s.PushFrontend(ctx, sandbox.FrontendRef); err != nil {
				return err
			}
		case known:
			if err := s.Seed(ctx, image); err != nil {
				return err
			}
		default:
			return fmt.Errorf("no image %q; there are %s", name, strings.Join(all, " "))
		}
		fmt.Println("pushed", name)
	}
	return nil
}
