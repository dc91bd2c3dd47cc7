package sandbox

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"

	"github.com/moby/buildkit/client"
	gateway "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/session"
	"github.com/moby/buildkit/session/secrets/secretsprovider"
	"github.com/tonistiigi/fsutil"
	"golang.org/x/sync/errgroup"
)

// Build is one build through the Go client. Everything is optional but Context,
// and that too if Attrs name a remote one.
type Build struct {
	// Frontend is the image reference of the frontend to run. Empty means the
	// daemon's built-in dockerfile.v0, which follows a # syntax= line.
	Frontend string
	// Func runs as the frontend in this process instead, and reads the options
	// below from its gateway client.
	Func gateway.BuildFunc

	Context       string            // directory of the build context
	DockerfileDir string            // directory of the Dockerfile, Context if empty
	Filename      string            // name of the Dockerfile, Dockerfile if empty
	Target        string            // stage to build, the last if empty
	Args          map[string]string // build arguments
	Attrs         map[string]string // more frontend options: platform, no-cache, add-hosts, label:NAME ...
	Contexts      map[string]string // named contexts that are local directories: name to directory
	// SharedKey tells the daemon which directories are the same one as in an earlier
	// build, as clients do with the directory's name. All are if it is empty.
	SharedKey string

	Exports      []client.ExportEntry
	CacheExports []client.CacheOptionsEntry
	CacheImports []client.CacheOptionsEntry
	Secrets      map[string][]byte
	Session      []session.Attachable // more session services, such as an SSH agent
	Entitlements []string

	// Progress gets a line for each step that ends, if set.
	Progress io.Writer
}

// Solve runs a build and returns what its status stream said, also when the
// build fails; then the error is the daemon's, as a client gets it.
func (s *Sandbox) Solve(ctx context.Context, b Build) (*Result, error) {
	opt, err := b.solveOpt()
	if err != nil {
		return nil, err
	}
	statuses := make(chan *client.SolveStatus)
	result := newResult()
	result.progress = b.Progress
	var group errgroup.Group
	group.Go(func() error {
		for status := range statuses {
			result.add(status)
		}
		return nil
	})
	var resp *client.SolveResponse
	group.Go(func() error {
		var err error
		if b.Func != nil {
			resp, err = s.client.Build(ctx, opt, "", b.Func, statuses)
		} else {
			resp, err = s.client.Solve(ctx, nil, opt, statuses)
		}
		return err
	})
	err = group.Wait()
	if resp != nil {
		result.Exporter = resp.ExporterResponse
	}
	return result, err
}

// solveOpt translates b to the client's options.
func (b Build) solveOpt() (client.SolveOpt, error) {
	opt := client.SolveOpt{
		FrontendAttrs:       b.attrs(),
		SharedKey:           b.SharedKey,
		LocalMounts:         map[string]fsutil.FS{},
		Exports:             b.Exports,
		CacheExports:        b.CacheExports,
		CacheImports:        b.CacheImports,
		AllowedEntitlements: b.Entitlements,
		Session:             append([]session.Attachable{secretsprovider.FromMap(b.Secrets)}, b.Session...),
	}
	switch {
	case b.Func != nil:
	case b.Frontend != "":
		opt.Frontend = "gateway.v0"
		opt.FrontendAttrs["source"] = b.Frontend
	default:
		opt.Frontend = "dockerfile.v0"
	}
	dirs := map[string]string{"context": b.Context, "dockerfile": b.DockerfileDir}
	if b.DockerfileDir == "" {
		dirs["dockerfile"] = b.Context
	}
	for name, dir := range b.Contexts {
		dirs[name] = dir
	}
	for name, dir := range dirs {
		if dir == "" {
			continue // a remote context
		}
		fs, err := fsutil.NewFS(dir)
		if err != nil {
			return opt, fmt.Errorf("context %s: %w", name, err)
		}
		opt.LocalMounts[name] = fs
	}
	return opt, nil
}

// attrs returns b's options under the names that Dockerfile frontends read.
func (b Build) attrs() map[string]string {
	attrs := map[string]string{}
	if b.Filename != "" {
		attrs["filename"] = b.Filename
	}
	if b.Target != "" {
		attrs["target"] = b.Target
	}
	for name, value := range b.Args {
		attrs["build-arg:"+name] = value
	}
	for name := range b.Contexts {
		attrs["context:"+name] = "local:" + name
	}
	maps.Copy(attrs, b.Attrs)
	return attrs
}

// ExportDir exports the built files to the directory dir.
func ExportDir(dir string) client.ExportEntry {
	return client.ExportEntry{Type: client.ExporterLocal, OutputDir: dir}
}

// ExportTar exports the built files as a tar file at path.
func ExportTar(path string) client.ExportEntry {
	return client.ExportEntry{Type: client.ExporterTar, Output: outputFile(path)}
}

// ExportOCI exports the image as an OCI archive at path. Attributes are those of
// the image exporter, such as compression.
func ExportOCI(path string, attrs map[string]string) client.ExportEntry {
	return client.ExportEntry{Type: client.ExporterOCI, Output: outputFile(path), Attrs: attrs}
}

// ExportImage pushes the image to the sandbox's registry as ref, a repository
// with a tag and without a host.
func (s *Sandbox) ExportImage(ref string) client.ExportEntry {
	return client.ExportEntry{Type: client.ExporterImage, Attrs: map[string]string{
		"name": s.registryAddr + "/" + ref,
		"push": "true",
	}}
}

func outputFile(path string) func(map[string]string) (io.WriteCloser, error) {
	return func(map[string]string) (io.WriteCloser, error) {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return nil, err
		}
		return os.Create(path)
	}
}

// RegistryCache returns the cache import and export of type registry at ref, a
// repository with a tag and without a host. Mode is max or min.
func (s *Sandbox) RegistryCache(ref, mode string) (imports, exports client.CacheOptionsEntry) {
	name := s.registryAddr + "/" + ref
	imports = client.CacheOptionsEntry{Type: "registry", Attrs: map[string]string{"ref": name}}
	exports = client.CacheOptionsEntry{Type: "registry", Attrs: map[string]string{"ref": name, "mode": mode}}
	return imports, exports
}
