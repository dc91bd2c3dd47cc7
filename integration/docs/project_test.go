package docs_test

import (
	"crypto/rand"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"

	"github.com/cachewright/cachewright/integration/sandbox"
)

// project is an example's build context with the options of its build, and the
// server that its URLs lead to.
type project struct {
	t      *testing.T
	sb     *sandbox.Sandbox
	server *server
	sandbox.Build
}

// bases are the images that the documentation builds from, and what makes them.
var bases = map[string]struct {
	image sandbox.Image
	files []sandbox.File
}{
	"debian:12":   {image: sandbox.Debian},
	"golang:1.26": {image: sandbox.Golang},
	"alpine:3":    {sandbox.Alpine, []sandbox.File{script("sbin/apk", "echo OK: 7 MiB in 16 packages")}},
	"node:22":     {sandbox.Alpine, []sandbox.File{script("bin/npm", npm)}},
	"nginx:1":     {image: sandbox.Alpine},
}

// npm stands in for npm ci and npm run build.
const npm = `[ "$1" = ci ] && mkdir node_modules && exit
mkdir -p dist && cp package.json dist/`

func script(path, text string) sandbox.File {
	return sandbox.File{Path: path, Mode: 0o755, Body: "#!/bin/sh\nset -e\n" + text + "\n"}
}

var (
	from = regexp.MustCompile(`(?m)^FROM (\S+:\S+)`)
	// url is the beginning of a URL with one of the documentation's hosts.
	url = regexp.MustCompile(`https?://(x-access-token:\$TOKEN@)?(deb\.debian|\w+\.example)\.org/`)
)

// newProject returns the project of an example. Its base images are like no other
// project's, so that the first build runs every step.
func newProject(t *testing.T, sb *sandbox.Sandbox, dockerfile, frontend string, x example) *project {
	t.Helper()
	p := &project{t: t, sb: sb, server: newServer(t)}
	p.Frontend = frontend
	p.Context = sandbox.Files(t, x.files)
	// Reasons behind the names of steps would shorten those by which a case knows them.
	p.Attrs = map[string]string{"build-arg:CACHEWRIGHT_EXPLAIN": "off"}
	p.Args, p.Secrets = maps.Clone(x.args), map[string][]byte{}
	for id, value := range x.secrets {
		p.Secrets[id] = []byte(value)
	}
	if frontend == "" { // the daemon's own would start the frontend that the line names
		dockerfile = strings.TrimPrefix(dockerfile, "# syntax="+sandbox.FrontendRef+"\n")
	}
	p.write("Dockerfile", url.ReplaceAllString(dockerfile, "http://${1}"+p.server.addr+"/"))
	for _, m := range from.FindAllStringSubmatch(dockerfile, -1) {
		if p.Attrs["context:"+m[1]] == "" {
			p.Attrs["context:"+m[1]] = "docker-image://" + sb.Registry() + "/" + p.pushBase(m[1])
		}
	}
	return p
}

// pushBase puts an image like name, different every time, into the registry.
func (p *project) pushBase(name string) string {
	p.t.Helper()
	base, ok := bases[name]
	if !ok {
		p.t.Fatalf("the test has no image %s", name)
	}
	image, err := base.image.Native(p.t.Context())
	p.must(err)
	layer, err := sandbox.NewLayer(append(slices.Clone(base.files), sandbox.File{Path: "etc/unique", Body: rand.Text()})...)
	p.must(err)
	var pushed v1.Image
	pushed, err = mutate.AppendLayers(image, layer)
	p.must(err)
	ref := "docs/" + strings.ToLower(rand.Text()) + ":1"
	p.must(p.sb.PushImage(p.t.Context(), ref, pushed))
	return ref
}

// build builds the project and returns the states of the instructions' steps by
// their text, those of FROM excepted.
func (p *project) build() map[string]string {
	p.t.Helper()
	r, err := p.sb.Solve(p.t.Context(), p.Build)
	if err != nil {
		p.t.Fatalf("%v\n%s", err, r)
	}
	states := map[string]string{}
	for _, step := range r.Steps {
		number, text, ok := strings.Cut(step.Name, "] ")
		if !ok || strings.HasPrefix(number, "[internal") || strings.HasPrefix(number, "[context") || strings.HasPrefix(text, "FROM ") {
			continue
		}
		if _, again := states[text]; again {
			p.t.Fatalf("two steps are named %q in\n%s", text, r)
		}
		states[text] = step.State()
	}
	return states
}

// expect checks that exactly the steps whose text begins as one of ran ran, and
// that the others came from the cache.
func (p *project) expect(build string, got map[string]string, ran []string) {
	p.t.Helper()
	for _, prefix := range ran {
		if !slices.ContainsFunc(slices.Collect(maps.Keys(got)), func(text string) bool { return strings.HasPrefix(text, prefix) }) {
			p.t.Errorf("%s: no step %q", build, prefix)
		}
	}
	for _, text := range slices.Sorted(maps.Keys(got)) {
		want := "cached"
		if slices.ContainsFunc(ran, func(prefix string) bool { return strings.HasPrefix(text, prefix) }) {
			want = "ran"
		}
		if got[text] != want {
			p.t.Errorf("%s: %q: %s, want %s", build, text, got[text], want)
		}
	}
}

func (p *project) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

func (p *project) write(name, text string) {
	p.t.Helper()
	p.must(os.WriteFile(filepath.Join(p.Context, name), []byte(text), 0o644))
}

// The changes below are for the table.

// again changes nothing.
func again(*project) {}

// at sets the clock of the rules.
func at(now string) func(*project) { return given("CACHEWRIGHT_NOW", now) }

// given sets a build argument.
func given(name, value string) func(*project) {
	return func(p *project) {
		if p.Args == nil {
			p.Args = map[string]string{}
		}
		p.Args[name] = value
	}
}

// written writes a file of the context.
func written(name, text string) func(*project) {
	return func(p *project) { p.write(name, text) }
}

// writtenAll writes files of the context.
func writtenAll(files map[string]string) func(*project) {
	return func(p *project) {
		for name, text := range files {
			p.write(name, text)
		}
	}
}

// served changes what the server has at a path.
func served(path, text string) func(*project) {
	return func(p *project) { p.server.set(path, text) }
}

// pushed adds a commit to a branch of a repository of the server.
func pushed(repo, branch string) func(*project) {
	return func(p *project) { p.server.commit(repo, branch) }
}

// secret replaces a secret.
func secret(id, value string) func(*project) {
	return func(p *project) { p.Secrets[id] = []byte(value) }
}

// chmod gives all files of the context other permissions.
func chmod(file, dir os.FileMode) func(*project) {
	return func(p *project) {
		p.must(filepath.WalkDir(p.Context, func(path string, d os.DirEntry, err error) error {
			if err != nil || path == p.Context {
				return err
			}
			if d.IsDir() {
				return os.Chmod(path, dir)
			}
			info, err := d.Info()
			if err != nil {
				return err
			}
			return os.Chmod(path, file|info.Mode()&0o100)
		}))
	}
}
