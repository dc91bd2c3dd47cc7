package main

import (
	"context"
	"os"
	"path/filepath"
)

// builderShim takes the place of upstream's package builder in the in-process
// modes: the suite's client frontend and the daemon's built-in one call Build.
const builderShim = `// Package builder stands in for upstream's: it builds with Cachewright.
package builder

import (
	"context"

	"github.com/cachewright/cachewright/frontend"
	"github.com/moby/buildkit/frontend/gateway/client"
)

func Build(ctx context.Context, c client.Client) (*client.Result, error) {
	return frontend.Build(ctx, c)
}
`

// writeInProcessModule makes a copy of the BuildKit module whose package builder
// is our frontend, and a go.mod that replaces BuildKit by the copy. (The go
// command refuses to overlay files of the module cache, hence the copy.)
func (w *workspace) writeInProcessModule(ctx context.Context) error {
	dir := w.output("inprocess")
	fork := filepath.Join(dir, "buildkit@"+w.buildkit.Version)
	if _, err := os.Stat(fork); os.IsNotExist(err) {
		if err := copyBuildKit(w.buildkit.Dir, fork); err != nil {
			return err
		}
	}
	shim := filepath.Join(fork, "frontend", "dockerfile", "builder", "build.go")
	if err := os.WriteFile(shim, []byte(builderShim), 0o644); err != nil {
		return err
	}
	for _, name := range []string{"go.mod", "go.sum"} {
		if err := copyFile(filepath.Join(w.module, name), filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	return goCommand(ctx, dir, "mod", "edit",
		"-replace="+buildkitModule+"="+fork, "-replace="+ourModule+"="+w.root, filepath.Join(dir, "go.mod"))
}

// copyBuildKit copies the module's folder from to to, with an empty package
// builder. A half-made copy is never left at to.
func copyBuildKit(from, to string) error {
	tmp := to + ".tmp"
	if err := os.RemoveAll(tmp); err != nil {
		return err
	}
	if err := copyTree(from, tmp); err != nil {
		return err
	}
	builder := filepath.Join(tmp, "frontend", "dockerfile", "builder")
	if err := os.RemoveAll(builder); err != nil {
		return err
	}
	if err := os.MkdirAll(builder, 0o755); err != nil {
		return err
	}
	return os.Rename(tmp, to)
}
