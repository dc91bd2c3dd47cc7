package sandbox_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	bkclient "github.com/moby/buildkit/client"
	"github.com/moby/buildkit/client/llb"
	gateway "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/errdefs"

	"github.com/cachewright/cachewright/integration/sandbox"
)

const twoSteps = `FROM busybox
COPY file /file
RUN cat /file
`

func state(t *testing.T, r *sandbox.Result, name string) string {
	t.Helper()
	step, err := r.Step(name)
	if err != nil {
		t.Fatal(err)
	}
	return step.State()
}

func TestSolveReportsWhatRan(t *testing.T) {
	sb := sandbox.Shared(t, sandbox.Busybox)
	dir := sandbox.Files(t, map[string]string{"Dockerfile": twoSteps, "file": t.Name()})
	const run = "[3/3] RUN cat /file"

	r, err := sb.Solve(t.Context(), sandbox.Build{Context: dir})
	if err != nil {
		t.Fatal(err)
	}
	if got := state(t, r, run); got != "ran" {
		t.Errorf("first build: %s is %s\n%s", run, got, r)
	}
	if step, _ := r.Step(run); !strings.Contains(step.Logs, t.Name()) {
		t.Errorf("logs of the step: %q", step.Logs)
	}
	r, err = sb.Solve(t.Context(), sandbox.Build{Context: dir})
	if err != nil {
		t.Fatal(err)
	}
	if got := state(t, r, run); got != "cached" {
		t.Errorf("second build: %s is %s\n%s", run, got, r)
	}
}

func TestSolveFailure(t *testing.T) {
	sb := sandbox.Shared(t, sandbox.Busybox)
	dir := sandbox.Files(t, map[string]string{"Dockerfile": "FROM busybox\nRUN echo out && exit 7\n"})
	r, err := sb.Solve(t.Context(), sandbox.Build{Context: dir})
	if err == nil {
		t.Fatal("no error")
	}
	if got := state(t, r, "[2/2] RUN echo out && exit 7"); got != "failed" {
		t.Errorf("the step is %s", got)
	}
	sources := errdefs.Sources(err)
	if len(sources) != 1 || sources[0].Ranges[0].Start.Line != 2 {
		t.Errorf("sources of the error: %v", sources)
	}
}

func TestSolveFunc(t *testing.T) {
	sb := sandbox.Shared(t)
	out := filepath.Join(t.TempDir(), "out")
	dir := sandbox.Files(t, map[string]string{"f": ""})
	_, err := sb.Solve(t.Context(), sandbox.Build{
		Context: dir,
		Args:    map[string]string{"NAME": "hello"},
		Exports: []bkclient.ExportEntry{sandbox.ExportDir(out)},
		Func: func(ctx context.Context, c gateway.Client) (*gateway.Result, error) {
			name := c.BuildOpts().Opts["build-arg:NAME"]
			def, err := llb.Scratch().File(llb.Mkfile(name, 0o600, nil)).Marshal(ctx)
			if err != nil {
				return nil, err
			}
			return c.Solve(ctx, gateway.SolveRequest{Definition: def.ToPB()})
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(out, "hello")); err != nil {
		t.Error(err)
	}
}

func TestSolveSecretsContextsAndHostNetwork(t *testing.T) {
	sb := sandbox.Shared(t, sandbox.Busybox)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Write([]byte("served"))
	}))
	defer srv.Close()
	out := t.TempDir()
	dir := sandbox.Files(t, map[string]string{"Dockerfile": `FROM busybox AS build
ARG URL
COPY --from=extra note /out/note
RUN --mount=type=secret,id=token cp /run/secrets/token /out/token
RUN wget -qO /out/served $URL
FROM scratch
COPY --from=build /out /
`})
	_, err := sb.Solve(t.Context(), sandbox.Build{
		Context:  dir,
		Args:     map[string]string{"URL": srv.URL},
		Contexts: map[string]string{"extra": sandbox.Files(t, map[string]string{"note": "from a context"})},
		Secrets:  map[string][]byte{"token": []byte("s3cret")},
		Exports:  []bkclient.ExportEntry{sandbox.ExportDir(out)},
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"note": "from a context", "token": "s3cret", "served": "served"} {
		got, err := os.ReadFile(filepath.Join(out, name))
		if err != nil || string(got) != want {
			t.Errorf("%s: %q, %v; want %q", name, got, err, want)
		}
	}
}

func TestTwoDaemonsShareARegistry(t *testing.T) {
	one := sandbox.Shared(t, sandbox.Busybox)
	two := sandbox.New(t, sandbox.Options{Registry: one.Registry()})
	dir := sandbox.Files(t, map[string]string{"Dockerfile": twoSteps, "file": t.Name()})
	imports, exports := one.RegistryCache("cache/shared:1", "max")
	_, err := one.Solve(t.Context(), sandbox.Build{Context: dir, CacheExports: []bkclient.CacheOptionsEntry{exports}})
	if err != nil {
		t.Fatal(err)
	}
	r, err := two.Solve(t.Context(), sandbox.Build{Context: dir, CacheImports: []bkclient.CacheOptionsEntry{imports}})
	if err != nil {
		t.Fatal(err)
	}
	if got := state(t, r, "[3/3] RUN cat /file"); got != "cached" {
		t.Errorf("on the second daemon the step is %s\n%s", got, r)
	}
}

func TestEntitlementsAndConfig(t *testing.T) {
	sb := sandbox.New(t, sandbox.Options{
		Entitlements: []string{"security.insecure"},
		Config:       "[worker.oci.labels]\n  colour = \"blue\"\n",
	}, sandbox.Busybox)
	workers, err := sb.Client().ListWorkers(t.Context())
	if err != nil || workers[0].Labels["colour"] != "blue" {
		t.Errorf("workers: %v, %v", workers, err)
	}
	dir := sandbox.Files(t, map[string]string{
		"Dockerfile": "FROM busybox\nRUN --security=insecure mkdir /m && mount -t tmpfs none /m\n",
	})
	build := sandbox.Build{Context: dir}
	if _, err := sb.Solve(t.Context(), build); err == nil {
		t.Error("security.insecure without asking for it: no error")
	}
	build.Entitlements = []string{"security.insecure"}
	if _, err := sb.Solve(t.Context(), build); err != nil {
		t.Error(err)
	}
}

func TestBuildx(t *testing.T) {
	sb := sandbox.Shared(t, sandbox.Busybox)
	dir := sandbox.Files(t, map[string]string{"Dockerfile": twoSteps, "file": t.Name()})
	r, err := sb.Buildx(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if got := state(t, r.Result, "[3/3] RUN cat /file"); got != "ran" {
		t.Errorf("the step is %s\n%s", got, r)
	}
	checkHistory(t, sb, dir)
	r, err = sb.Buildx(t.Context(), "--target=none", dir)
	if err == nil || !strings.Contains(r.Stderr, `target stage "none" could not be found`) {
		t.Errorf("unknown target: %v, %q", err, r.Stderr)
	}
}

func checkHistory(t *testing.T, sb *sandbox.Sandbox, dir string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "metadata.json")
	if _, err := sb.Buildx(t.Context(), "--metadata-file", file, dir); err != nil {
		t.Fatal(err)
	}
	var metadata struct {
		Ref string `json:"buildx.build.ref"`
	}
	data, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(data, &metadata)
	}
	if err != nil {
		t.Fatal(err)
	}
	r, err := sb.History(t.Context(), metadata.Ref)
	if err != nil {
		t.Fatal(err)
	}
	if got := state(t, r, "[3/3] RUN cat /file"); got != "cached" {
		t.Errorf("in the history the step is %s\n%s", got, r)
	}
}
