package sandbox

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
)

// Node is library/node:20 for this machine's architecture: Debian with this machine's
// node, of whatever version, and the npm of PackageManagers. The node has to do with
// the shared libraries of a minimal Debian, as nodejs.org's does.
var Node = Image{ref: "library/node:20", name: "node", version: 1, inputs: nodeInputs, build: buildNode}

func nodeInputs() (string, error) {
	version, err := exec.Command("node", "--version").Output()
	if err != nil {
		return "", fmt.Errorf("node --version: %w", err)
	}
	root, err := RepoRoot()
	if err != nil {
		return "", err
	}
	pins, err := os.ReadFile(filepath.Join(root, "tools", "packagemanagers", "package-lock.json"))
	if err != nil {
		return "", err
	}
	debian, err := Debian.key()
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s %x %s", strings.TrimSpace(string(version)), sha256.Sum256(pins), debian), nil
}

func buildNode(ctx context.Context, work string) (v1.ImageIndex, error) {
	modules, err := PackageManagers(ctx)
	if err != nil {
		return nil, err
	}
	npm, err := treeLayer(ctx, work, filepath.Join(modules, "npm"), "usr/local/lib/node_modules/npm")
	if err != nil {
		return nil, err
	}
	program, err := exec.LookPath("node")
	if err != nil {
		return nil, err
	}
	body, err := os.ReadFile(program)
	if err != nil {
		return nil, err
	}
	programs, err := NewLayer(
		File{Path: "usr/local/bin/node", Mode: 0o755, Body: string(body)},
		File{Path: "usr/local/bin/npm", Sym: "../lib/node_modules/npm/bin/npm-cli.js"},
	)
	if err != nil {
		return nil, err
	}
	base, err := onlyImage(ctx, Debian)
	if err != nil {
		return nil, err
	}
	image, err := mutate.AppendLayers(base, npm, programs)
	if err != nil {
		return nil, err
	}
	if image, err = mutate.Config(image, v1.Config{Cmd: []string{"node"}, Env: withPath()}); err != nil {
		return nil, err
	}
	return newIndex(image)
}
