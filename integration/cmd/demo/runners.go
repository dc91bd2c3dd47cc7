package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/cachewright/cachewright/integration/sandbox"
)

// showRunners builds an example on two new builders, one after the other, that share
// only the registry: the second begins with the compiler's cache of the first.
func showRunners(ctx context.Context, s *sandbox.Sandbox, out io.Writer) error {
	work, err := os.MkdirTemp("", "cachewright-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	const example = "ci"
	fmt.Fprintf(out, "\n== Two new builders share a registry\n\n")
	if err := s.Seed(ctx, sandbox.Golang); err != nil {
		return err
	}
	dockerfile, err := copyExample(example, work)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "examples/%s/Dockerfile:\n\n%s", example, dockerfile)
	change := appendTo("main.go", "\n// Polite.\nvar _ = \"please\"\n")
	for i, prepare := range []func(string) error{func(string) error { return nil }, change} {
		if err := prepare(filepath.Join(work, example)); err != nil {
			return err
		}
		if err := onNewBuilder(ctx, s, out, work, i+1); err != nil {
			return err
		}
	}
	return nil
}

// onNewBuilder builds on a builder that has nothing but what the registry has.
func onNewBuilder(ctx context.Context, s *sandbox.Sandbox, out io.Writer, work string, number int) (err error) {
	builder, err := sandbox.Start(ctx, sandbox.Options{Registry: s.Registry()})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, builder.Close()) }()
	fmt.Fprintf(out, "\n== ci, builder %d: %s\n\n", number, builder.Addr())
	cache := "type=registry,ref=" + s.Registry() + "/demo/ci:cache"
	_, err = build(ctx, builder, out, work, []string{"--cache-from", cache, "--cache-to", cache + ",mode=max", "ci"})
	return err
}
