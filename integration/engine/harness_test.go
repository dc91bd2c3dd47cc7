// Package engine_test runs the frontend's image on a current Docker Engine, with its
// image store, through the clients that people build with: docker build, buildx bake
// and compose. They tell why a step runs again as on a buildkitd, and what the
// engine shows of builds and prunes stays right.
package engine_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/cachewright/cachewright/integration/sandbox"
)

// shared is the engine that the tests share; the sandbox is its registry.
var shared = sync.OnceValues(func() (*sandbox.Engine, error) {
	ctx := context.Background()
	s, err := sandbox.Start(ctx, sandbox.Options{})
	if err != nil {
		return nil, err
	}
	if err := s.Seed(ctx, sandbox.Busybox); err != nil {
		return nil, err
	}
	if err := s.PushFrontend(ctx, sandbox.FrontendRef); err != nil {
		return nil, err
	}
	return s.StartCurrentEngine(ctx)
})

// project is a directory with files, and the engine that builds it.
type project struct {
	t   *testing.T
	e   *sandbox.Engine
	dir string
}

// newProject returns a project with the given files. Their text has the test's name
// in the place of each @, so that tests do not meet each other's cache.
func newProject(t *testing.T, files map[string]string) *project {
	t.Helper()
	e, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	own := map[string]string{}
	for name, text := range files {
		own[name] = strings.ReplaceAll(text, "@", strings.ToLower(t.Name()))
	}
	return &project{t, e, sandbox.Files(t, own)}
}

// write changes a file.
func (p *project) write(name, text string) {
	p.t.Helper()
	if err := os.WriteFile(filepath.Join(p.dir, name), []byte(text), 0o644); err != nil {
		p.t.Fatal(err)
	}
}

// command returns a docker command in the project's directory.
func (p *project) command(args ...string) *exec.Cmd {
	cmd := p.e.Command(p.t.Context(), args...)
	cmd.Dir = p.dir
	return cmd
}

// docker runs docker, which must succeed, and returns all its output.
func (p *project) docker(args ...string) string {
	p.t.Helper()
	out, err := p.command(args...).CombinedOutput()
	if err != nil {
		p.t.Fatalf("docker %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// fails runs docker, which must fail, and returns all its output.
func (p *project) fails(args ...string) string {
	p.t.Helper()
	out, err := p.command(args...).CombinedOutput()
	if err == nil {
		p.t.Fatalf("docker %s does not fail:\n%s", strings.Join(args, " "), out)
	}
	return string(out)
}

// said checks that each text is in the output of a command.
func (p *project) said(out string, texts ...string) {
	p.t.Helper()
	for _, text := range texts {
		if !strings.Contains(out, text) {
			p.t.Errorf("no %q in the output:\n%s", text, out)
		}
	}
}

var (
	stepLine = regexp.MustCompile(`(?m)^(#\d+) \[([^\]]*\d+/\d+\] .*)$`)
	endLine  = regexp.MustCompile(`(?m)^(#\d+) (CACHED|DONE|ERROR)`)
)

// steps returns how the steps of Dockerfiles ended, but for FROM, by their names in the
// plain progress output, with what is said about a step behind it.
func steps(out string) map[string]string {
	ends := map[string]string{}
	for _, m := range endLine.FindAllStringSubmatch(out, -1) {
		ends[m[1]] = m[2]
	}
	found := map[string]string{}
	for _, m := range stepLine.FindAllStringSubmatch(out, -1) {
		number, text, note := sandbox.ParseName("[" + m[2])
		if strings.HasPrefix(text, "FROM ") {
			continue
		}
		name := "[" + number + "] " + text
		if note != "" {
			name += "  ← " + note
		}
		found[name] = ends[m[1]]
	}
	return found
}
