package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/cachewright/cachewright/integration/sandbox"
)

// round is one build of the example.
type round struct {
	title string
	// prepare changes the project before the build, nil for nothing.
	prepare func(project string) error
	args    []string
}

var rounds = []round{
	{title: "first build"},
	{title: "unchanged"},
	{title: "one source changed", prepare: changeSource},
	{title: "other CACHEBUST", args: []string{"--build-arg", "CACHEBUST=2"}},
}

func changeSource(project string) error {
	file := filepath.Join(project, "src", "server.js")
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(text, "\nrouter.listen(8080)\n"...), 0o644)
}

// show builds the example of the layer order once for each round, with buildx's
// own output on out, and ends with what each build's status says of its steps.
func show(ctx context.Context, s *sandbox.Sandbox, out io.Writer) error {
	root, err := sandbox.RepoRoot()
	if err != nil {
		return err
	}
	work, err := os.MkdirTemp("", "cachewright-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	project := filepath.Join(work, "layers")
	if err := os.CopyFS(project, os.DirFS(filepath.Join(root, "examples", "layers"))); err != nil {
		return err
	}
	dockerfile, err := os.ReadFile(filepath.Join(project, "Dockerfile"))
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "\n== The example: layers/Dockerfile\n\n%s", dockerfile)

	var results []*sandbox.Result
	for i, r := range rounds {
		if r.prepare != nil {
			if err := r.prepare(project); err != nil {
				return err
			}
		}
		fmt.Fprintf(out, "\n== Build %d: %s\n\n", i+1, r.title)
		result, err := buildx(ctx, s, out, work, append(r.args, "layers"))
		if err != nil {
			return fmt.Errorf("%s: %w", r.title, err)
		}
		results = append(results, result)
	}
	return summarize(out, results)
}

// buildx runs docker buildx build in the directory work as a user would, and
// returns the status of the build from the daemon's history.
func buildx(ctx context.Context, s *sandbox.Sandbox, out io.Writer, work string, args []string) (*sandbox.Result, error) {
	metadataFile := filepath.Join(work, "metadata.json")
	args = append([]string{"build", "--progress=plain", "--output=type=cacheonly"}, args...)
	cmd, err := s.BuildxCommand(ctx, append(args, "--metadata-file="+metadataFile)...)
	if err != nil {
		return nil, err
	}
	name := "buildx"
	if docker, err := exec.LookPath("docker"); err == nil {
		name = "docker buildx"
		cmd.Path, cmd.Args = docker, append([]string{"docker", "buildx"}, cmd.Args[1:]...)
	}
	cmd.Dir, cmd.Stdout, cmd.Stderr = work, out, out
	fmt.Fprintf(out, "$ %s %s\n", name, strings.Join(args, " "))
	if err := cmd.Run(); err != nil {
		return nil, err
	}
	data, err := os.ReadFile(metadataFile)
	if err != nil {
		return nil, err
	}
	var metadata struct {
		Ref string `json:"buildx.build.ref"`
	}
	if err := json.Unmarshal(data, &metadata); err != nil {
		return nil, err
	}
	return s.History(ctx, metadata.Ref)
}
