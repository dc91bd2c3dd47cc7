package travel_test

import (
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/cachewright/cachewright/integration/cacheapi"
	"github.com/cachewright/cachewright/integration/sandbox"
)

// run runs a client and returns what it said.
func run(t *testing.T, cmd *exec.Cmd, err error, env ...string) string {
	t.Helper()
	must(t, err)
	if len(env) > 0 {
		cmd.Env = append(cmd.Environ(), env...)
	}
	log, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, log)
	}
	return string(log)
}

// buildx returns the arguments for buildx to build a project with N, and with a cache of
// which all attributes but the mode are given.
func (p *project) buildx(n int, cache string, output ...string) []string {
	args := []string{"build", "--progress=plain", "--build-arg", "BUILDKIT_SYNTAX=" + sandbox.FrontendRef, "--build-arg", "N=" + strconv.Itoa(n),
		"--cache-from", cache, "--cache-to", cache + ",mode=max"}
	return append(append(args, output...), p.Context)
}

// buildctl returns the arguments for buildctl to do the same.
func (p *project) buildctl(n int, cache string, output ...string) []string {
	args := []string{"--addr", p.builder.Addr(), "build", "--progress=plain", "--frontend", "gateway.v0", "--opt", "source=" + sandbox.FrontendRef,
		"--opt", "build-arg:N=" + strconv.Itoa(n), "--opt", "attest:provenance=mode=min,inline-only=true",
		"--local", "context=" + p.Context, "--local", "dockerfile=" + p.Context, "--import-cache", cache, "--export-cache", cache + ",mode=max"}
	return append(args, output...)
}

// With each client and output new builders begin with what the ones before them left.
func TestOutputs(t *testing.T) {
	tr := registry(start(t))
	ref := tr.imports[0].Attrs["ref"]
	cache := "type=registry,ref=" + ref
	p := newProject(t, tr, counting)
	dir := t.TempDir()
	want := ""
	for n, c := range []struct {
		client string
		output []string
	}{
		{"buildx", []string{"--push", "-t", ref + "-image"}},
		{"buildx", []string{"-o", "type=oci,dest=" + filepath.Join(dir, "oci.tar")}},
		{"buildx", []string{"-o", "type=docker,dest=" + filepath.Join(dir, "docker.tar")}},
		{"buildx", nil}, // nothing
		{"buildctl", nil},
		{"buildctl", []string{"--output", "type=image,push=true,name=" + ref + "-image"}},
		{"buildctl", []string{"--output", "type=tar,dest=" + filepath.Join(dir, "files.tar")}},
		{"buildx", []string{"-o", filepath.Join(dir, "files")}},
	} {
		p.fresh()
		want += strconv.Itoa(n) + "\n"
		if c.client == "buildx" {
			cmd, err := p.builder.BuildxCommand(t.Context(), p.buildx(n, cache, c.output...)...)
			run(t, cmd, err)
		} else {
			buildctl, err := sandbox.Current.Program(t.Context(), "buildctl")
			run(t, exec.CommandContext(t.Context(), buildctl, p.buildctl(n, cache, c.output...)...), err)
		}
	}
	if got := filesIn(t, filepath.Join(dir, "files"))["list"]; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// In a workflow a branch begins with what its own builds left or with what those of the
// main branch did: which, the daemon decides. These get nothing from it.
func TestWorkflow(t *testing.T) {
	server := cacheapi.NewGitHub(t)
	branch := cacheapi.Scope{Name: "refs/heads/branch", Right: cacheapi.Read | cacheapi.Write}
	base := cacheapi.Scope{Name: main.Name, Right: cacheapi.Read}
	p := newProject(t, transport{}, counting)
	for n, c := range []struct {
		scopes []cacheapi.Scope
		want   []string
	}{
		{[]cacheapi.Scope{main}, []string{"0\n"}},
		{[]cacheapi.Scope{branch, base}, []string{"0\n1\n"}},
		{[]cacheapi.Scope{branch, base}, []string{"0\n2\n", "0\n1\n2\n"}},
		{[]cacheapi.Scope{main}, []string{"0\n3\n"}},
	} {
		p.fresh()
		out := t.TempDir()
		cmd, err := p.builder.BuildxCommand(t.Context(), p.buildx(n, "type=gha", "-o", out)...)
		log := run(t, cmd, err, "ACTIONS_CACHE_SERVICE_V2=true", "ACTIONS_RESULTS_URL="+server.URL+"/", "ACTIONS_RUNTIME_TOKEN="+server.Token(c.scopes...))
		if got := filesIn(t, out)["list"]; !slices.Contains(c.want, got) {
			t.Errorf("build %d: got %q, want one of %q\n%s", n, got, c.want, log)
		}
	}
}

// On new Docker Engines with the containerd image store, as on new daemons.
func TestEngine(t *testing.T) {
	sb := start(t)
	tr := registry(sb)
	p := newProject(t, tr, counting)
	out := t.TempDir()
	for n, output := range [][]string{{"--load", "-t", "loaded"}, {"--output", out}} {
		e, err := sb.StartCurrentEngine(t.Context())
		must(t, err)
		cmd, err := e.BuildxCommand(t.Context(), append(p.buildx(n, "type=registry,ref="+tr.imports[0].Attrs["ref"], output...), "--network=none")...)
		run(t, cmd, err)
		if n == 0 {
			run(t, e.Command(t.Context(), "image", "inspect", "loaded"), nil)
		}
		must(t, e.Close())
	}
	if got := filesIn(t, out)["list"]; got != "0\n1\n" {
		t.Errorf("got %q", got)
	}
}
