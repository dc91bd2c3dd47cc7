package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/cachewright/cachewright/integration/sandbox"
)

// builder is what the scenes are built on.
type builder interface {
	// BuildxCommand returns a buildx command for the builder, not yet started.
	BuildxCommand(ctx context.Context, args ...string) (*exec.Cmd, error)
	// History returns what the status stream of a build said.
	History(ctx context.Context, ref string) (*sandbox.Result, error)
}

// show plays all scenes on b, with buildx's own output on out, and ends with what each
// build's status says of its steps.
func show(ctx context.Context, b builder, out io.Writer) error {
	work, err := os.MkdirTemp("", "cachewright-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	played := make([][]*sandbox.Result, len(scenes))
	for i, sc := range scenes {
		if played[i], err = sc.play(ctx, b, out, work); err != nil {
			return err
		}
	}
	return summarize(out, played)
}

// play builds the scene's project in the directory work, once for each round.
func (sc scene) play(ctx context.Context, b builder, out io.Writer, work string) ([]*sandbox.Result, error) {
	project := filepath.Join(work, sc.example)
	dockerfile, err := copyExample(sc.example, work)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(out, "\n== %s\n\nexamples/%s/Dockerfile:\n\n%s", sc.title, sc.example, dockerfile)
	var results []*sandbox.Result
	for i, r := range sc.rounds {
		if r.prepare != nil {
			if err := r.prepare(project); err != nil {
				return nil, err
			}
		}
		for _, q := range r.ask {
			fmt.Fprintf(out, "\n== %s, before build %d (%s): %s\n\n", sc.example, i+1, r.title, q.title)
			if err := q.put(ctx, b, out, work, sc.example); err != nil {
				return nil, fmt.Errorf("%s, %s: %w", sc.example, r.title, err)
			}
		}
		fmt.Fprintf(out, "\n== %s, build %d: %s\n\n", sc.example, i+1, r.title)
		result, err := build(ctx, b, out, work, append(r.args, sc.example))
		if err != nil {
			return nil, fmt.Errorf("%s, %s: %w", sc.example, r.title, err)
		}
		results = append(results, result)
	}
	return results, nil
}

// copyExample copies an example to a directory of its name in work, and returns its
// Dockerfile.
func copyExample(name, work string) ([]byte, error) {
	root, err := sandbox.RepoRoot()
	if err != nil {
		return nil, err
	}
	project := filepath.Join(work, name)
	if err := os.CopyFS(project, os.DirFS(filepath.Join(root, "examples", name))); err != nil {
		return nil, err
	}
	return os.ReadFile(filepath.Join(project, "Dockerfile"))
}

// put asks the question about an example in the directory work.
func (q question) put(ctx context.Context, b builder, out io.Writer, work, example string) error {
	err := buildx(ctx, b, out, work, append([]string{"build", "--progress=quiet"}, append(q.args, example)...))
	var exit *exec.ExitError
	if q.fails && errors.As(err, &exit) {
		_, err = fmt.Fprintf(out, "exit status %d\n", exit.ExitCode())
		return err
	}
	if q.fails && err == nil {
		return errors.New("it should have failed")
	}
	return err
}

// build builds as a user would, and returns the status of the build from the
// daemon's history.
func build(ctx context.Context, b builder, out io.Writer, work string, args []string) (*sandbox.Result, error) {
	args = append([]string{"build", "--progress=plain", "--output=type=cacheonly", "--metadata-file=metadata.json"}, args...)
	if err := buildx(ctx, b, out, work, args); err != nil {
		return nil, err
	}
	data, err := os.ReadFile(filepath.Join(work, "metadata.json"))
	if err != nil {
		return nil, err
	}
	var metadata struct {
		Ref string `json:"buildx.build.ref"`
	}
	if err := json.Unmarshal(data, &metadata); err != nil {
		return nil, err
	}
	return b.History(ctx, metadata.Ref)
}

// buildx runs docker buildx in the directory work, with its output on out.
func buildx(ctx context.Context, b builder, out io.Writer, work string, args []string) error {
	if _, ok := b.(*sandbox.Engine); ok {
		args = slices.Insert(slices.Clone(args), 1, "--network=none") // it has no other
	}
	cmd, err := b.BuildxCommand(ctx, args...)
	if err != nil {
		return err
	}
	cmd.Dir, cmd.Stdout, cmd.Stderr = work, out, out
	fmt.Fprintf(out, "$ docker buildx %s\n", shellWords(args))
	return cmd.Run()
}

// shellWords returns words as they are typed in a shell.
func shellWords(args []string) string {
	var out []string
	for _, arg := range args {
		if strings.ContainsAny(arg, " *|;") {
			arg = "'" + arg + "'"
		}
		out = append(out, arg)
	}
	return strings.Join(out, " ")
}
