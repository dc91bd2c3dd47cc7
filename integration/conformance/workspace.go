package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// The modules a run needs to find in the build list.
const (
	ourModule      = "github.com/cachewright/cachewright"
	buildkitModule = "github.com/moby/buildkit"
	suitePackage   = buildkitModule + "/frontend/dockerfile"
)

// workspace is the place of a run: this repository, the BuildKit module that
// the suite is taken from, and the build folder that everything produced lands in.
type workspace struct {
	root     string // the repository
	module   string // the folder of this module, with the go.mod that pins the suite
	out      string // build/conformance below root
	buildkit module

	environment string // digest of all that upstream's results depend on; set by build
}

// module is what "go list -m -json" says of a module.
type module struct {
	Version string
	Dir     string
}

// openWorkspace finds the repository and the pinned BuildKit by asking the go
// command in the current folder, and makes the build folder.
func openWorkspace(ctx context.Context) (*workspace, error) {
	self, err := listModule(ctx, "")
	if err != nil {
		return nil, err
	}
	ours, err := listModule(ctx, ourModule)
	if err != nil {
		return nil, err
	}
	buildkit, err := listModule(ctx, buildkitModule)
	if err != nil {
		return nil, err
	}
	w := &workspace{
		root:     ours.Dir,
		module:   self.Dir,
		out:      filepath.Join(ours.Dir, "build", "conformance"),
		buildkit: buildkit,
	}
	return w, os.MkdirAll(w.out, 0o755)
}

// path is a path below the repository's root.
func (w *workspace) path(parts ...string) string {
	return filepath.Join(append([]string{w.root}, parts...)...)
}

// output is a path below the run's build folder.
func (w *workspace) output(parts ...string) string {
	return filepath.Join(append([]string{w.out}, parts...)...)
}

// listModule asks the go command for one module of the current build list, or
// for the main module when name is empty.
func listModule(ctx context.Context, name string) (module, error) {
	args := []string{"list", "-m", "-json"}
	if name != "" {
		args = append(args, name)
	}
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Stderr = os.Stderr
	dt, err := cmd.Output()
	if err != nil {
		return module{}, fmt.Errorf("go list -m %s: %w", name, err)
	}
	var m module
	if err := json.Unmarshal(dt, &m); err != nil {
		return module{}, fmt.Errorf("go list -m %s: %w", name, err)
	}
	if m.Dir == "" {
		return module{}, fmt.Errorf("module %s is not downloaded: run go mod download", name)
	}
	return m, nil
}
