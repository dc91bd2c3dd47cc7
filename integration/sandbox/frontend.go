package sandbox

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

// FrontendRef is where tests push this tree's frontend.
const FrontendRef = "cachewright/dockerfile:1"

// PushFrontend compiles cmd/frontend with the machine's Go, wraps it into an
// image like the one of the release recipe (the labels and the entry point come
// from the Dockerfile at the root of the repository) and pushes it as ref. With
// no platforms, it is built for the machine's own.
func (s *Sandbox) PushFrontend(ctx context.Context, ref string, platforms ...string) error {
	if len(platforms) == 0 {
		platforms = []string{"linux/" + runtime.GOARCH}
	}
	dir, err := os.MkdirTemp("", "cachewright-frontend-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	binary := filepath.Join(dir, "frontend")
	var images []v1.Image
	for _, platform := range platforms {
		if err := CompileFrontend(ctx, platform, binary); err != nil {
			return err
		}
		image, err := FrontendImage(platform, binary)
		if err != nil {
			return err
		}
		images = append(images, image)
	}
	index, err := newIndex(images...)
	if err != nil {
		return err
	}
	return s.PushIndex(ctx, ref, index)
}

// PushProgram compiles a program of this tree, such as ./integration/cmd/gosbom,
// for this machine and pushes an image as ref that has it, static, as its entry
// point and nothing else.
func (s *Sandbox) PushProgram(ctx context.Context, ref, pkg string) error {
	dir, err := os.MkdirTemp("", "cachewright-program-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	platform, binary := "linux/"+runtime.GOARCH, filepath.Join(dir, "program")
	if err := Compile(ctx, platform, pkg, binary, ""); err != nil {
		return err
	}
	image, err := programImage(platform, binary, v1.Config{Entrypoint: []string{"/bin/" + filepath.Base(pkg)}})
	if err != nil {
		return err
	}
	return s.PushImage(ctx, ref, image)
}

// CompileFrontend compiles cmd/frontend of this tree for a platform such as
// linux/arm64 and writes the static binary to the file binary. A process under the
// race detector, as by go test -race, gets one for this machine that is so too.
func CompileFrontend(ctx context.Context, platform, binary string) error {
	if raceDetector && platform == "linux/"+runtime.GOARCH {
		return compileWithRaceDetector(ctx, binary)
	}
	return Compile(ctx, platform, "./cmd/frontend", binary, FrontendTags)
}

// FrontendTags are the build tags of the published frontend. Without gRPC's
// traces, which no frontend serves, the linker can tell which methods are never
// called, and the binary has a fifth less.
const FrontendTags = "grpcnotrace"

// Compile compiles a program of this tree or of a module that it requires, with
// the flags of the published frontend but with the given build tags, and writes
// the static binary to the file binary.
func Compile(ctx context.Context, platform, pkg, binary, tags string) error {
	return compile(ctx, platform, pkg, binary, tags, "-s -w")
}

// CompileWithSymbols is Compile without -s -w: the binary keeps its symbols.
func CompileWithSymbols(ctx context.Context, platform, pkg, binary, tags string) error {
	return compile(ctx, platform, pkg, binary, tags, "")
}

func compile(ctx context.Context, platform, pkg, binary, tags, ldflags string) error {
	root, err := RepoRoot()
	if err != nil {
		return err
	}
	p, err := v1.ParsePlatform(platform)
	if err != nil {
		return err
	}
	cmd := goCommand(ctx, root, "build", "-v", "-buildvcs=false", "-trimpath", "-tags", tags, "-ldflags", ldflags, "-o", binary, pkg)
	cmd.Env = append(cmd.Env, "GOOS="+p.OS, "GOARCH="+p.Architecture)
	return reportCompile(cmd, path.Base(pkg)+" for "+platform)
}

// compileWithRaceDetector needs a C compiler and the static C library.
func compileWithRaceDetector(ctx context.Context, binary string) error {
	root, err := RepoRoot()
	if err != nil {
		return err
	}
	cmd := goCommand(ctx, root, "build", "-race", "-trimpath", "-tags", FrontendTags+",netgo,osusergo",
		"-ldflags", "-linkmode external -extldflags -static", "-o", binary, "./cmd/frontend")
	cmd.Env = append(cmd.Env, "CGO_ENABLED=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build cmd/frontend with the race detector (apt-get install gcc libc6-dev): %w\n%s", err, out)
	}
	return nil
}

// FrontendImage wraps a frontend's binary, compiled for platform, into an image
// like the one of the release recipe.
func FrontendImage(platform, binary string) (v1.Image, error) {
	recipe, err := frontendConfig()
	if err != nil {
		return nil, err
	}
	if raceDetector {
		recipe.Env = []string{"GORACE=halt_on_error=1"}
	}
	return programImage(platform, binary, recipe)
}

// programImage returns an image with a binary as its entry point.
func programImage(platform, binary string, config v1.Config) (v1.Image, error) {
	body, err := os.ReadFile(binary)
	if err != nil {
		return nil, err
	}
	path := strings.TrimPrefix(config.Entrypoint[0], "/")
	layer, err := NewLayer(File{Path: path, Mode: 0o755, Body: string(body)})
	if err != nil {
		return nil, err
	}
	return newImage(platform, config, layer)
}

// frontendConfig reads the labels and the entry point of the frontend image from
// the last stage of the repository's Dockerfile.
func frontendConfig() (v1.Config, error) {
	root, err := RepoRoot()
	if err != nil {
		return v1.Config{}, err
	}
	data, err := os.ReadFile(filepath.Join(root, "Dockerfile"))
	if err != nil {
		return v1.Config{}, err
	}
	ast, err := parser.Parse(bytes.NewReader(data))
	if err != nil {
		return v1.Config{}, err
	}
	stages, _, err := instructions.Parse(ast.AST, nil)
	if err != nil {
		return v1.Config{}, err
	}
	config := v1.Config{Labels: map[string]string{}}
	for _, command := range stages[len(stages)-1].Commands {
		if label, ok := command.(*instructions.LabelCommand); ok {
			for _, l := range label.Labels {
				// Those that a release alone has are empty.
				if value := os.Expand(strings.Trim(l.Value, `"`), func(string) string { return "" }); value != "" {
					config.Labels[strings.Trim(l.Key, `"`)] = value
				}
			}
		}
		if entry, ok := command.(*instructions.EntrypointCommand); ok {
			config.Entrypoint = slices.Clone(entry.CmdLine)
		}
	}
	if len(config.Entrypoint) == 0 || len(config.Labels) == 0 {
		return v1.Config{}, fmt.Errorf("the Dockerfile's last stage has no LABEL or no ENTRYPOINT")
	}
	return config, nil
}
