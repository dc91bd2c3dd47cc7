package frontend_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cachewright/cachewright/integration/sandbox"
)

const described = `# check=skip=JSONArgsRecommended
# VERSION is what to build
ARG VERSION=1

# build makes the program
FROM busybox AS build
ARG VERSION
# JOBS is how many at once
ARG JOBS=4
MAINTAINER me
RUN --mount=type=secret,id=token,required --mount=type=ssh make

# app is what ships
FROM busybox AS app
COPY --from=build /out /
CMD app

from scratch
`

// loadDefinition is the LLB that loads the Dockerfile, which has the session's id.
var loadDefinition = regexp.MustCompile(`(?s)"definition": \{\n\s+"def": .*?"language"`)

// TestCalls asks both frontends for what buildx build --call can ask, and expects
// the same text and exit status.
func TestCalls(t *testing.T) {
	sb := start(t)
	clean := "FROM scratch\nCOPY . /\n"
	for _, test := range []struct {
		name, dockerfile string
		args             []string
		status           int
	}{
		{"check", described, []string{"--check"}, 1},
		{"check of a target", described, []string{"--call=check", "--target=app"}, 1},
		{"check as JSON", described, []string{"--call=check,format=json"}, 1},
		{"check of a clean file", clean, []string{"--check"}, 0},
		{"check of a broken file", "FROM busybox\nRUN --foo x\n", []string{"--check"}, 1},
		{"check with error", "# check=error=true\nFROM busybox\nMAINTAINER me\n", []string{"--check"}, 1},
		{"check by argument", described, []string{"--check", "--build-arg=BUILDKIT_DOCKERFILE_CHECK=skip=all"}, 0},
		{"outline", described, []string{"--call=outline"}, 0},
		{"outline of a target", described, []string{"--call=outline", "--target=app", "--build-arg=JOBS=8"}, 0},
		{"outline as JSON", described, []string{"--call=outline,format=json", "--target=app"}, 0},
		{"targets", described, []string{"--call=targets"}, 0},
		{"targets as JSON", described, []string{"--call=targets,format=json"}, 0},
		{"unknown call", described, []string{"--call=nonsense"}, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := sandbox.Files(t, map[string]string{"Dockerfile": test.dockerfile})
			want, status := call(t, sb, dir, test.args)
			if status != test.status {
				t.Errorf("upstream exits with %d, want %d", status, test.status)
			}
			ours := append([]string{"--build-arg=BUILDKIT_SYNTAX=" + sandbox.FrontendRef}, test.args...)
			got, status := call(t, sb, dir, ours)
			if status != test.status {
				t.Errorf("exit status %d, want %d", status, test.status)
			}
			if d := cmp.Diff(loadDefinition.ReplaceAllString(want, ""), loadDefinition.ReplaceAllString(got, "")); d != "" {
				t.Errorf("-upstream +ours\n%s", d)
			}
		})
	}
}

// call runs buildx build --call and returns what it prints and its exit status.
func call(t *testing.T, sb *sandbox.Sandbox, dir string, args []string) (string, int) {
	t.Helper()
	cmd, err := sb.BuildxCommand(t.Context(), append(append([]string{"build", "--progress=quiet"}, args...), dir)...)
	if err != nil {
		t.Fatal(err)
	}
	var stdout bytes.Buffer
	cmd.Stdout = &stdout
	err = cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return stdout.String(), cmd.ProcessState.ExitCode()
}

// TestCallDescribe lists what can be asked. docker/dockerfile leaves out what
// does not appear in its list.
func TestCallDescribe(t *testing.T) {
	sb := start(t)
	dir := sandbox.Files(t, map[string]string{"Dockerfile": syntax + "FROM scratch\n"})
	text, status := call(t, sb, dir, []string{"--call=subrequests.describe"})
	if status != 0 {
		t.Errorf("exit status %d", status)
	}
	for _, name := range []string{"outline", "targets", "lint", "convertllb", "subrequests.describe"} {
		if !strings.Contains(text, "\n"+name+" ") {
			t.Errorf("%s is not described:\n%s", name, text)
		}
	}
}

// TestCallConvertLLB prints LLB that has the Dockerfile's steps.
func TestCallConvertLLB(t *testing.T) {
	sb := start(t)
	dir := sandbox.Files(t, map[string]string{"Dockerfile": syntax + "FROM busybox\nRUN echo hello\n"})
	text, status := call(t, sb, dir, []string{"--call=convertllb,format=json"})
	var llb struct {
		Def      map[string]json.RawMessage `json:"def"`
		Metadata map[string]struct {
			Description map[string]string `json:"description"`
		} `json:"metadata"`
	}
	if err := json.Unmarshal([]byte(text), &llb); err != nil || status != 0 {
		t.Fatalf("exit status %d, %v:\n%s", status, err, text)
	}
	found := false
	for dgst := range llb.Def {
		found = found || llb.Metadata[dgst].Description["llb.customname"] == "[2/2] RUN echo hello"
	}
	if !found {
		t.Errorf("no step:\n%s", text)
	}
}
