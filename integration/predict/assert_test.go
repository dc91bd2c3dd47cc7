package predict_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cachewright/cachewright/frontend"
	"github.com/cachewright/cachewright/integration/sandbox"
	"github.com/cachewright/cachewright/integration/scenario"
)

// asserted is the project of which steps are asserted: deps stay, app changes.
var asserted = combination{
	Dockerfile: `FROM $BASE AS deps
COPY lock /lock
RUN cat /lock > /deps

FROM $BASE AS app
ARG API_TOKEN
COPY --from=deps /deps /deps
COPY src /src
RUN cat /src > /out
`,
	Files: map[string]string{"lock": "l", "src": "s"},
}

// called is what buildx build --call gives.
type called struct {
	stdout, stderr string
	status         int
}

// call runs buildx build --call with the project's arguments and more.
func call(p *project, args ...string) called {
	p.T.Helper()
	args = append([]string{"build", "--progress=quiet", "--build-arg=BUILDKIT_SYNTAX=" + sandbox.FrontendRef}, args...)
	for name, value := range p.Args {
		args = append(args, "--build-arg="+name+"="+value)
	}
	cmd, err := p.Sandbox.BuildxCommand(p.T.Context(), append(args, p.Context)...)
	p.Must(err)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err = cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		p.T.Fatal(err)
	}
	return called{stdout.String(), sandbox.WithoutSessionLog(stderr.String()), cmd.ProcessState.ExitCode()}
}

// newAsserted returns the project, built and then changed.
func newAsserted(t *testing.T) *project {
	p := scenario.New(t, scenario.Start(t), asserted)
	p.Arg("API_TOKEN", "hunter2")
	if out := call(p); out.status != 0 {
		t.Fatal(out.stderr)
	}
	p.Write("src", "S")
	return p
}

// TestAssert asserts what steps will do, as a CI job does, and compares what is
// printed and the exit status with testdata/assert.txt.
func TestAssert(t *testing.T) {
	p := newAsserted(t)
	var got strings.Builder
	for _, c := range []struct {
		expect string
		args   []string
	}{
		{expect: "deps/*=hit, app/3=re-run"},
		{expect: "app/*=hit"},
		{expect: "deps/2 = re-run"},
		{expect: "@9=re-run"},
		{expect: "app/2=hit,app/3=hit", args: []string{"--no-cache-filter=deps"}}, // unknown
		{expect: "app/2=not-re-run,app/3=not-re-run", args: []string{"--no-cache-filter=deps"}},
		{expect: "deps/2=hit", args: []string{"--target=deps"}}, // never built
		{expect: "app/2=re-run", args: []string{"--target=deps"}},
		{expect: "dep/*=hit"},
		{expect: "@99=hit,deps/2=hit"},
		{expect: "deps/2"},
		{expect: "deps/2=cached"},
		{expect: "deps/2=unknown"},
		{expect: ""},
		{expect: "deps/x=hit"},
		{expect: "=hit"},
	} {
		out := call(p, append(c.args, "--call=cache-assert", "--build-arg=CACHEWRIGHT_EXPECT="+c.expect)...)
		fmt.Fprintf(&got, "== %s\n%s%sexit status %d\n\n", strings.Join(append([]string{strconv.Quote(c.expect)}, c.args...), " "), out.stdout, out.stderr, out.status)
	}
	golden(t, "assert.txt", got.String())
}

// TestJSON compares the JSON forms with files: programs read them.
func TestJSON(t *testing.T) {
	p := newAsserted(t)
	for _, c := range []struct {
		call, name string
		status     int
	}{
		{"cache", "cache.json", 0},
		{"cache-assert", "cache-assert.json", 1},
	} {
		out := call(p, "--call="+c.call+",format=json", "--build-arg=CACHEWRIGHT_EXPECT=deps/2=hit,app/4=hit,none=hit")
		if out.status != c.status {
			t.Errorf("%s: exit status %d, want %d", c.call, out.status, c.status)
		}
		if strings.Contains(out.stdout, "hunter") {
			t.Errorf("%s shows a secret", c.call)
		}
		golden(t, c.name, normalize(p, out.stdout))
	}
}

// TestNothingPredicted asserts where nothing can be predicted: the frontend runs
// in this process, and the builder has no image of it.
func TestNothingPredicted(t *testing.T) {
	t.Parallel()
	p := scenario.New(t, scenario.Start(t), asserted)
	p.Arg("CACHEWRIGHT_EXPECT", "deps/2=hit")
	p.Attr("requestid", "frontend.cache-assert")
	p.Frontend, p.Func = "", frontend.Build
	_, err := p.Sandbox.Solve(t.Context(), p.Build)
	if want := "nothing can be predicted here: this builder does not run steps of the frontend's own image"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%v, want %s", err, want)
	}
}

var digests = regexp.MustCompile(`(?:hmac-)?sha256:[0-9a-f]{12,}`)

var ran = regexp.MustCompile(`"ran": "[^"]*"`)

// normalize replaces what differs from one run to the next: digests by their
// number, the name of the base, and when a step ran.
func normalize(p *project, text string) string {
	numbers := map[string]string{}
	text = strings.ReplaceAll(text, p.ID, "ID")
	text = ran.ReplaceAllLiteralString(text, `"ran": "…"`)
	return digests.ReplaceAllStringFunc(text, func(d string) string {
		if numbers[d] == "" {
			algorithm, _, _ := strings.Cut(d, ":")
			numbers[d] = fmt.Sprintf("%s:%d", algorithm, len(numbers)+1)
		}
		return numbers[d]
	})
}

// golden compares a text with a file in testdata; UPDATE=1 writes it.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s: -want +got\n%s", path, d)
	}
}
