// Command demo shows what a user of the frontend sees: it builds the frontend
// image, publishes it in a private registry, builds examples several times with
// docker buildx through their # syntax= lines, and sums up what was cached.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/cachewright/cachewright/integration/release"
	"github.com/cachewright/cachewright/integration/sandbox"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer) (err error) {
	build, err := sandbox.BuildDir()
	if err != nil {
		return err
	}
	archive := filepath.Join(build, "frontend.tar")
	fmt.Fprintf(out, "== The frontend image, built with the frontend itself\n\n")
	if _, err := release.Archive(ctx, archive, out); err != nil {
		return err
	}
	fmt.Fprintf(out, "\n== A private buildkitd and registry, with the image in it\n\n")
	s, err := sandbox.Start(ctx, sandbox.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := s.Seed(ctx, sandbox.Alpine); err != nil {
		return err
	}
	if err := s.PushArchive(ctx, sandbox.FrontendRef, archive); err != nil {
		return err
	}
	fmt.Fprintf(out, "buildkitd: %s\nregistry:  %s\n", s.Addr(), s.Registry())
	return show(ctx, s, out)
}
