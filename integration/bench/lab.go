package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"

	"github.com/cachewright/cachewright/integration/sandbox"
)

// The sides of a comparison, and the names of their rows and columns.
const (
	ours     = "ours"
	upstream = "upstream"
	builtIn  = "built-in"
	empty    = "empty"
)

// platform is what the daemon of this machine runs.
const platform = "linux/" + runtime.GOARCH

// program is a frontend that is compiled and put into an image.
type program struct {
	side, pkg, tags string
}

// upstreamPackage is docker/dockerfile's frontend, of the BuildKit in go.mod.
const upstreamPackage = "github.com/moby/buildkit/frontend/dockerfile/cmd/dockerfile-frontend"

var (
	oursProgram     = program{side: ours, pkg: "./cmd/frontend", tags: sandbox.FrontendTags}
	upstreamProgram = program{side: upstream, pkg: upstreamPackage}
	programs        = []program{oursProgram, upstreamProgram, {side: empty, pkg: "./integration/bench/empty"}}
)

// Lab is a daemon and a registry with the images of all sides.
type Lab struct {
	sandbox *sandbox.Sandbox
	dir     string // temporary files: binaries and build contexts
	log     io.Writer
}

// NewLab starts a sandbox and fills its registry. Progress goes to log. It fails
// as sandbox.Start does, and when a frontend does not compile.
func NewLab(ctx context.Context, log io.Writer) (_ *Lab, err error) {
	l := &Lab{log: log}
	defer func() {
		if err != nil {
			err = errors.Join(err, l.Close())
		}
	}()
	if l.dir, err = os.MkdirTemp("", "cachewright-bench-"); err != nil {
		return nil, err
	}
	if l.sandbox, err = sandbox.Start(ctx, sandbox.Options{}); err != nil {
		return nil, err
	}
	if err := l.sandbox.Seed(ctx, baseImages()...); err != nil {
		return nil, err
	}
	probe := l.path("bin", "probe")
	if err := sandbox.Compile(ctx, platform, "./integration/bench/probe", probe, ""); err != nil {
		return nil, err
	}
	for _, p := range programs {
		fmt.Fprintln(log, "compiling", p.pkg)
		binary := l.path("bin", p.side)
		if err := sandbox.Compile(ctx, platform, p.pkg, binary, p.tags); err != nil {
			return nil, err
		}
		if err := l.push(ctx, p.side, binary, probe); err != nil {
			return nil, err
		}
	}
	return l, nil
}

// baseImages are the images that the projects build on.
func baseImages() []sandbox.Image {
	return []sandbox.Image{
		sandbox.Busybox, sandbox.Busybox.As("library/busybox:stable"), sandbox.Alpine,
		// For what is built no further than the images' configs.
		sandbox.Busybox.As("library/golang:1.26"), sandbox.Busybox.As("library/debian:bookworm-slim"),
	}
}

// Close stops the sandbox and removes the temporary files.
func (l *Lab) Close() error {
	var err error
	if l.sandbox != nil {
		err = l.sandbox.Close()
	}
	return errors.Join(err, os.RemoveAll(l.dir))
}

func (l *Lab) path(elem ...string) string {
	return filepath.Join(append([]string{l.dir}, elem...)...)
}

// ref is the image of a side's frontend, probedRef the same with the probe.
func ref(side string) string       { return "bench/" + side + ":1" }
func probedRef(side string) string { return "bench/" + side + ":probed" }

// push makes both images of a frontend and pushes them.
func (l *Lab) push(ctx context.Context, side, binary, probe string) error {
	image, err := sandbox.FrontendImage(platform, binary)
	if err != nil {
		return err
	}
	if err := l.sandbox.PushImage(ctx, ref(side), image); err != nil {
		return err
	}
	if image, err = probed(image, probe); err != nil {
		return err
	}
	return l.sandbox.PushImage(ctx, probedRef(side), image)
}

// probed adds the probe to a frontend's image, as what starts the frontend.
func probed(image v1.Image, probe string) (v1.Image, error) {
	body, err := os.ReadFile(probe)
	if err != nil {
		return nil, err
	}
	layer, err := sandbox.NewLayer(sandbox.File{Path: "bin/probe", Mode: 0o755, Body: string(body)})
	if err != nil {
		return nil, err
	}
	if image, err = mutate.AppendLayers(image, layer); err != nil {
		return nil, err
	}
	file, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	config := *file.Config.DeepCopy()
	config.Entrypoint = append([]string{"/bin/probe"}, config.Entrypoint...)
	return mutate.Config(image, config)
}

// context writes a project's files into a directory and returns it.
func (l *Lab) context(name string, files map[string]string) (string, error) {
	dir := l.path("context", name)
	for file, body := range files {
		path := filepath.Join(dir, filepath.FromSlash(file))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return "", err
		}
		if err := os.WriteFile(path, []byte(body), 0o644); err != nil {
			return "", err
		}
	}
	return dir, nil
}

// rotate returns list beginning with its n-th element, so that no side is always
// first.
func rotate[T any](list []T, n int) []T {
	n %= len(list)
	return append(append([]T(nil), list[n:]...), list[:n]...)
}
