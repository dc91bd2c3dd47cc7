// Command demo shows what a user of the frontend sees: it publishes the frontend's
// image in a private registry, builds examples several times with docker buildx
// through their # syntax= lines, and sums up what was cached. It compiles what it
// needs when it needs it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/cachewright/cachewright/integration/sandbox"
)

func main() {
	driver := flag.String("driver", "remote", "driver of buildx: remote for a private buildkitd, docker for a private Docker Engine")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *driver, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, driver string, out io.Writer) (err error) {
	fmt.Fprintf(out, "== A private buildkitd and registry\n\n")
	s, err := sandbox.Start(ctx, sandbox.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	fmt.Fprintf(out, "buildkitd: %s\nregistry:  %s\n", s.Addr(), s.Registry())
	fmt.Fprintf(out, "\n== The frontend's image, in the registry as %s\n\n", sandbox.FrontendRef)
	if err := s.Seed(ctx, sandbox.Alpine); err != nil {
		return err
	}
	if err := s.PushFrontend(ctx, sandbox.FrontendRef); err != nil {
		return err
	}
	switch driver {
	case "remote":
		// First what needs the least: the other chapter has an image of Go, which takes
		// a minute to make for the first time.
		if err := show(ctx, s, out); err != nil {
			return err
		}
		return showRunners(ctx, s, out)
	case "docker":
		return showOnEngine(ctx, s, out)
	default:
		return fmt.Errorf("unknown driver %q: there are remote and docker", driver)
	}
}

// showOnEngine plays the scenes on a Docker Engine that has its images from the
// sandbox's registry.
func showOnEngine(ctx context.Context, s *sandbox.Sandbox, out io.Writer) (err error) {
	fmt.Fprintf(out, "\n== A private Docker Engine\n\n")
	e, err := s.StartCurrentEngine(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	fmt.Fprintf(out, "dockerd: %s\n", e.Addr())
	return show(ctx, e, out)
}
