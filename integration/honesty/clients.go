package honesty

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	gateway "github.com/moby/buildkit/frontend/gateway/client"

	"github.com/cachewright/cachewright/integration/sandbox"
	"github.com/cachewright/cachewright/integration/scenario"
)

// metadataKey is where a build's result says what the build says of itself.
const metadataKey = "frontend.cachewright"

// predict asks for the predictions of a build. A Dockerfile that cannot be converted
// gives none; its build will fail.
func (x *run) predict(ctx context.Context, b Build) (*answer, error) {
	if b.Client == ClientBuildx {
		r, err := x.Sandbox.Buildx(ctx, x.buildxArgs(b, "--call=cache,format=json")...)
		if err != nil {
			return nil, ignoreFailure(ctx, err)
		}
		return readAnswer([]byte(r.Stdout))
	}
	var data []byte
	build := x.apiBuild(b)
	source := build.Frontend
	build.Func = func(ctx context.Context, c gateway.Client) (*gateway.Result, error) {
		opts := maps.Clone(c.BuildOpts().Opts)
		opts["source"] = source
		opts["requestid"] = "frontend.cache"
		opts["frontend.caps"] = "moby.buildkit.frontend.subrequests"
		r, err := c.Solve(ctx, gateway.SolveRequest{Frontend: "gateway.v0", FrontendOpt: opts})
		if err != nil {
			return nil, err
		}
		data = r.Metadata["result.json"]
		return gateway.NewResult(), nil
	}
	if _, err := x.Sandbox.Solve(ctx, build); err != nil {
		return nil, ignoreFailure(ctx, err)
	}
	return readAnswer(data)
}

// ignoreFailure returns an error only if the whole run ends: random projects have
// mistakes, and what fails is not judged.
func ignoreFailure(ctx context.Context, _ error) error { return ctx.Err() }

// solve does a build and fills in what happened. A build that fails is no error.
func (x *run) solve(ctx context.Context, b Build, now *event) error {
	if b.Client == ClientBuildx && !b.Cancel {
		return x.solveBuildx(ctx, b, now)
	}
	r, err := x.Sandbox.Solve(ctx, x.apiBuild(b))
	now.steps, now.err = scenario.Steps(r), err
	now.warnings = len(r.Warnings)
	var readErr error
	now.said, readErr = readMetadata(r.Exporter[metadataKey])
	return readErr
}

func (x *run) solveBuildx(ctx context.Context, b Build, now *event) error {
	metadata := filepath.Join(x.root, fmt.Sprintf("metadata-%d-%t.json", x.builds, now.beside == nil))
	r, err := x.Sandbox.Buildx(ctx, x.buildxArgs(b, "--output=type=cacheonly", "--metadata-file="+metadata)...)
	if r == nil {
		return err
	}
	now.steps, now.err = scenario.Steps(r.Result), err
	now.warnings = len(r.Warnings)
	now.said = &answer{}
	data, err := os.ReadFile(metadata)
	if errors.Is(err, os.ErrNotExist) {
		return nil // the build failed
	}
	if err != nil {
		return err
	}
	var all map[string]any
	if err := json.Unmarshal(data, &all); err != nil {
		return err
	}
	text, _ := all[metadataKey].(string)
	now.said, err = readMetadata(text)
	return err
}

// dir returns the directory of a project, or of its context lib.
func (x *run) dir(below string) string { return filepath.Join(x.root, filepath.FromSlash(below)) }

// apiBuild is a build through the Go client. One by buildctl names no directory, so
// that the builder knows none from another.
func (x *run) apiBuild(b Build) sandbox.Build {
	p := x.state.Projects[b.Project]
	out := sandbox.Build{
		Frontend: sandbox.FrontendRef, Context: x.dir(p.Dir), Filename: b.File, Target: b.Target,
		Args: maps.Clone(b.Args), Attrs: map[string]string{}, Secrets: map[string][]byte{"s": []byte(b.Secret)},
	}
	if out.Args == nil {
		out.Args = map[string]string{}
	}
	if b.Client == ClientAPI {
		out.SharedKey = filepath.Base(p.Dir)
	}
	if b.LibImage {
		out.Attrs["context:lib"] = "docker-image://" + x.image + "/base0"
	} else {
		out.Contexts = map[string]string{"lib": x.dir(libDir(p))}
	}
	if b.Platform != "" {
		out.Attrs["platform"] = b.Platform
	}
	switch {
	case b.NoCache:
		out.Attrs["no-cache"] = ""
	case b.Filter != "":
		out.Attrs["no-cache"] = b.Filter
	}
	if b.Epoch != "" {
		out.Args["SOURCE_DATE_EPOCH"] = b.Epoch
	}
	if b.Host != "" {
		out.Attrs["add-hosts"] = b.Host
	}
	return out
}

// buildxArgs are the arguments of buildx build, the directory last.
func (x *run) buildxArgs(b Build, more ...string) []string {
	p := x.state.Projects[b.Project]
	lib := x.dir(libDir(p))
	if b.LibImage {
		lib = "docker-image://" + x.image + "/base0"
	}
	args := []string{"--build-arg=BUILDKIT_SYNTAX=" + sandbox.FrontendRef, "--secret=id=s,src=" + x.dir("secret"), "--build-context=lib=" + lib}
	args = append(args, b.flags(x.dir(p.Dir))...)
	return append(slices.Concat(args, more), x.dir(p.Dir))
}

// flags are those of buildx build for the options, with the Dockerfile in dir.
func (b Build) flags(dir string) []string {
	args := []string{"--file=" + dir + "/" + b.File}
	for _, name := range sortedNames(b.Args) {
		args = append(args, "--build-arg="+name+"="+b.Args[name])
	}
	for _, f := range []struct{ flag, value string }{
		{"--target=", b.Target}, {"--platform=", b.Platform}, {"--no-cache-filter=", b.Filter},
		{"--build-arg=SOURCE_DATE_EPOCH=", b.Epoch}, {"--add-host=", b.Host},
	} {
		if f.value != "" {
			args = append(args, f.flag+f.value)
		}
	}
	if b.NoCache {
		args = append(args, "--no-cache")
	}
	return args
}
