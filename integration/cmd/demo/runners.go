package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/cachewright/cachewright/integration/sandbox"
)

// showRunners builds two commits of an example on two new builders, one after the other,
// that share only the registry: the second says what has changed since the first's
// commit, before the build and in it, and begins with the first's compiler cache.
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
	project := filepath.Join(work, example)
	if err := git(ctx, out, project, "init", "--quiet"); err != nil {
		return err
	}
	change := appendTo("main.go", "\n// Polite.\nvar _ = \"please\"\n")
	for i, prepare := range []func(string) error{func(string) error { return nil }, change} {
		if err := prepare(project); err != nil {
			return err
		}
		if err := commit(ctx, out, project, fmt.Sprintf("Commit %d", i+1)); err != nil {
			return err
		}
		if err := onNewBuilder(ctx, s, out, work, i+1); err != nil {
			return err
		}
	}
	return nil
}

// commit commits all that is in a project, and shows the commit.
func commit(ctx context.Context, out io.Writer, project, message string) error {
	fmt.Fprintln(out)
	if err := git(ctx, out, project, "add", "--all"); err != nil {
		return err
	}
	if err := git(ctx, out, project, "-c", "user.name=demo", "-c", "user.email=demo@localhost", "commit", "--quiet", "--message="+message); err != nil {
		return err
	}
	return git(ctx, out, project, "log", "--oneline", "--max-count=1", "--stat")
}

// git runs git in a project.
func git(ctx context.Context, out io.Writer, project string, args ...string) error {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = project, out, out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("git %s: %w", args[0], err)
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
	if number > 1 {
		ask := question{args: []string{"--call=cache", "--cache-from", cache}}
		if err := ask.put(ctx, builder, out, work, "ci"); err != nil {
			return err
		}
		fmt.Fprintln(out)
	}
	_, err = build(ctx, builder, out, work, []string{"--cache-from", cache, "--cache-to", cache + ",mode=max", "ci"})
	return err
}
