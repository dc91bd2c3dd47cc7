package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/cachewright/cachewright/integration/sandbox"
)

const platform = "linux/" + runtime.GOARCH

// programs are what the suite and its daemons call, with the Debian package of each.
var programs = map[string]string{
	"runc":                     "runc",
	"git":                      "git",
	"mount":                    "mount",
	"ip":                       "iproute2",
	"iptables":                 "iptables",
	"ssh-agent":                "openssh-client",
	"containerd":               "containerd",
	cniPlugins + "/bridge":     "containernetworking-plugins",
	cniPlugins + "/host-local": "containernetworking-plugins",
}

// build makes every binary and image of the run: the suite, the daemon and the
// frontend, each once with upstream's frontend and once with ours, and the
// mirror with the base images.
func (w *workspace) build(ctx context.Context, o options) error {
	if err := sandbox.RequirePrograms(ctx, programs); err != nil {
		return err
	}
	if err := removeStaleCgroups(); err != nil {
		return err
	}
	if err := sandbox.BuildAll(ctx, sandbox.Current); err != nil {
		return err
	}
	if err := w.writeInProcessModule(ctx); err != nil {
		return err
	}
	if err := w.compile(ctx, o); err != nil {
		return err
	}
	if err := w.linkPlugins(); err != nil {
		return err
	}
	images, err := mirrorImages(ctx)
	if err != nil {
		return err
	}
	if err := os.RemoveAll(w.output("mirror")); err != nil {
		return err
	}
	if err := sandbox.FillRegistry(ctx, w.output("mirror"), images); err != nil {
		return err
	}
	if w.environment, err = w.hashEnvironment(images); err != nil {
		return err
	}
	if err := writeFrontendImage(w.output("upstream", "frontend"), w.output("upstream", "frontend.tar")); err != nil {
		return err
	}
	if o.oursTar != "" {
		return copyFile(o.oursTar, w.output("ours", "frontend.tar"))
	}
	return writeFrontendImage(w.output("ours", "frontend"), w.output("ours", "frontend.tar"))
}

// compile builds the binaries of both sides. All are static, but for a suite with
// the race detector.
func (w *workspace) compile(ctx context.Context, o options) error {
	ours := "-modfile=" + w.output("inprocess", "go.mod")
	const daemon = buildkitModule + "/cmd/buildkitd"
	for _, args := range [][]string{
		{"test", "-c", "-trimpath", "-o", w.output("upstream", "suite.test"), suitePackage},
		{"test", "-c", "-trimpath", fmt.Sprintf("-race=%t", o.race), ours, "-o", w.output("ours", "suite.test"), suitePackage},
		{"build", "-trimpath", "-o", w.output("upstream", "buildkitd"), daemon},
		{"build", "-trimpath", ours, "-o", w.output("ours", "buildkitd"), daemon},
		{"build", "-trimpath", "-o", w.output("upstream", "frontend"), suitePackage + "/cmd/dockerfile-frontend"},
	} {
		if err := goCommand(ctx, w.module, args...); err != nil {
			return err
		}
	}
	return sandbox.CompileFrontend(ctx, platform, w.output("ours", "frontend"))
}

// cniPlugins is where Debian installs the network plugins of the daemon's bridge.
const cniPlugins = "/usr/lib/cni"

// linkPlugins gives the network plugins the names that buildkitd looks for in PATH.
func (w *workspace) linkPlugins() error {
	dir := w.output("cni")
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, name := range []string{"bridge", "loopback", "host-local", "firewall"} {
		if err := os.Symlink(filepath.Join(cniPlugins, name), filepath.Join(dir, "buildkit-cni-"+name)); err != nil {
			return err
		}
	}
	return nil
}

// hashEnvironment is the digest of everything that upstream's results depend on
// as far as this repository decides it: binaries, base images and runc.
func (w *workspace) hashEnvironment(images map[string]v1.Image) (string, error) {
	runc, err := exec.LookPath("runc")
	if err != nil {
		return "", err
	}
	h := sha256.New()
	for _, file := range []string{
		w.output("upstream", "suite.test"), w.output("upstream", "buildkitd"), w.output("upstream", "frontend"),
		w.path("build", "bin", "buildctl"), w.path("build", "bin", "registry"), runc,
	} {
		f, err := os.Open(file)
		if err != nil {
			return "", err
		}
		_, err = io.Copy(h, f)
		f.Close()
		if err != nil {
			return "", err
		}
	}
	fmt.Fprintln(h, inNamespaces)
	for _, ref := range slices.Sorted(maps.Keys(images)) {
		digest, err := images[ref].Digest()
		if err != nil {
			return "", err
		}
		fmt.Fprintln(h, ref, digest)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// goCommand runs the go command in dir, without cgo unless the race detector needs it.
func goCommand(ctx context.Context, dir string, args ...string) error {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	if !slices.Contains(args, "-race=true") {
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	}
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("go %s in %s: %w", args[0], dir, err)
	}
	return nil
}
