package scenario

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	gateway "github.com/moby/buildkit/frontend/gateway/client"

	"github.com/cachewright/cachewright/integration/sandbox"
)

// Project is a build context that a test may change, with the options of its build.
// Its methods end the test when something that they need fails.
type Project struct {
	T       testing.TB
	Sandbox *sandbox.Sandbox
	// ID is a text that no other project has. Files that are written have it for $ID.
	ID string
	// Words are what words with a $ in front stand for in what a test expects: names
	// and digests that are there only when the project is.
	Words map[string]string
	sandbox.Build
}

// NewID returns a text of lower-case letters and digits that nothing else has.
func NewID() string { return strings.ToLower(rand.Text()) }

// NewRepository returns the name of a repository that nothing else uses, without a
// registry and a tag.
func NewRepository() string { return "project/" + NewID() }

// Must ends the test when what it depends on has failed.
func (p *Project) Must(err error) {
	p.T.Helper()
	if err != nil {
		p.T.Fatal(err)
	}
}

// Path returns the path of a file of the context, which need not exist.
func (p *Project) Path(name string) string { return filepath.Join(p.Context, name) }

// Write writes a file of the context and its parents. A new one has mode 644, or 755
// if it begins with "#!"; another one keeps its mode.
func (p *Project) Write(name, text string) {
	p.T.Helper()
	p.Must(os.MkdirAll(filepath.Dir(p.Path(name)), 0o755))
	mode := os.FileMode(0o644)
	if strings.HasPrefix(text, "#!") {
		mode = 0o755
	}
	p.Must(os.WriteFile(p.Path(name), []byte(strings.ReplaceAll(text, "$ID", p.ID)), mode))
}

// Edit replaces text in the Dockerfile, where it must occur.
func (p *Project) Edit(old, text string) {
	p.T.Helper()
	data, err := os.ReadFile(p.Path("Dockerfile"))
	p.Must(err)
	if !strings.Contains(string(data), old) {
		p.T.Fatalf("the Dockerfile has no %q:\n%s", old, data)
	}
	p.Write("Dockerfile", strings.ReplaceAll(string(data), old, text))
}

// Arg sets a build argument.
func (p *Project) Arg(name, value string) {
	if p.Args == nil {
		p.Args = map[string]string{}
	}
	p.Args[name] = value
}

// Attr sets another option of the frontend, such as platform or no-cache.
func (p *Project) Attr(name, value string) {
	if p.Attrs == nil {
		p.Attrs = map[string]string{}
	}
	p.Attrs[name] = value
}

// NewBase returns busybox with one more file, different every time, and the given
// ones.
func (p *Project) NewBase(more ...sandbox.File) v1.Image {
	p.T.Helper()
	image, err := sandbox.Busybox.Native(p.T.Context())
	p.Must(err)
	layer, err := sandbox.NewLayer(append(more, sandbox.File{Path: "etc/unique", Body: rand.Text()})...)
	p.Must(err)
	image, err = mutate.AppendLayers(image, layer)
	p.Must(err)
	return image
}

// PushImage puts an image into the registry as ref, a repository with a tag and
// without a host, and returns ref.
func (p *Project) PushImage(ref string, image v1.Image) string {
	p.T.Helper()
	p.Must(p.Sandbox.PushImage(p.T.Context(), ref, image))
	return ref
}

// Fill returns a text with the project's words put in.
func (p *Project) Fill(text string) string {
	var pairs []string
	for _, word := range slices.Sorted(maps.Keys(p.Words)) {
		pairs = append(pairs, word, p.Words[word])
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// Solve builds the project and returns all that the build said. A build that fails
// ends the test; where it should, call Sandbox.Solve with p.Build.
func (p *Project) Solve() *sandbox.Result {
	p.T.Helper()
	r, err := p.Sandbox.Solve(p.T.Context(), p.Build)
	if err != nil {
		p.T.Fatalf("%v\n%s", err, r)
	}
	return r
}

// Ask sends the frontend's image a subrequest, as build --call does with the one
// that is named frontend.NAME, and returns its answer: result.txt, result.json and
// what else there is.
func (p *Project) Ask(name string) map[string][]byte {
	p.T.Helper()
	var answer map[string][]byte
	b := p.Build
	b.Func = func(ctx context.Context, c gateway.Client) (*gateway.Result, error) {
		opts := maps.Clone(c.BuildOpts().Opts)
		opts["source"] = p.Frontend
		opts["requestid"] = "frontend." + name
		opts["frontend.caps"] = "moby.buildkit.frontend.subrequests"
		r, err := c.Solve(ctx, gateway.SolveRequest{Frontend: "gateway.v0", FrontendOpt: opts})
		if err != nil {
			return nil, err
		}
		answer = r.Metadata
		return gateway.NewResult(), nil
	}
	if r, err := p.Sandbox.Solve(p.T.Context(), b); err != nil {
		p.T.Fatalf("frontend.%s: %v\n%s", name, err, r)
	}
	return answer
}

// BuildxArgs returns the arguments with which buildx build builds the project: its
// Dockerfile and build arguments, more, and the context. Other options are not
// among them.
func (p *Project) BuildxArgs(more ...string) []string {
	args := append([]string{"--build-arg=BUILDKIT_SYNTAX=" + sandbox.FrontendRef, "--file=" + p.Path("Dockerfile")}, more...)
	for _, name := range slices.Sorted(maps.Keys(p.Args)) {
		args = append(args, fmt.Sprintf("--build-arg=%s=%s", name, p.Args[name]))
	}
	return append(args, p.Context)
}

// Call returns what buildx build --call=CALL prints for the project.
func (p *Project) Call(call string, more ...string) string {
	p.T.Helper()
	r, err := p.Sandbox.Buildx(p.T.Context(), p.BuildxArgs(append(more, "--call="+call)...)...)
	p.Must(err)
	return r.Stdout
}
