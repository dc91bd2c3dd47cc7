package transports_test

import (
	"maps"
	"regexp"
	"strings"
	"testing"

	"github.com/cachewright/cachewright/integration/sandbox"
)

// engineStages is a Dockerfile for an engine without a bridge, which finds its
// base images at {host}. {test} keeps tests apart.
const engineStages = `FROM {host}/library/busybox AS build
WORKDIR /{test}
COPY f .
RUN --network=host --mount=type=cache,target=/c sed s/a/b/ f >/out
RUN --network=none <<END
echo heredoc >>/out
END
FROM scratch AS Last
COPY --from=build --chmod=640 /out /out
FROM LAST
`

func TestDockerEngine20(t *testing.T) {
	sb := start(t)
	e, err := sandbox.StartEngine(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	ref := sb.Registry() + "/" + sandbox.FrontendRef
	for _, test := range []struct {
		name, syntax string
		args         []string
	}{
		{"syntax", "# syntax=" + ref + "\n", nil},
		{"BUILDKIT_SYNTAX", "", []string{"--build-arg=BUILDKIT_SYNTAX=" + ref}},
	} {
		build := func(t *testing.T, dockerfile, out string) (string, error) {
			dir := sandbox.Files(t, map[string]string{
				"Dockerfile": test.syntax + strings.NewReplacer("{host}", sb.Registry(), "{test}", test.name).Replace(dockerfile),
				"f":          "a " + t.Name() + "\n",
			})
			args := append([]string{"build", "--progress=plain", "--network=host", "--output", out}, test.args...)
			log, err := e.Command(t.Context(), append(args, dir)...).CombinedOutput()
			return string(log), err
		}
		t.Run(test.name, func(t *testing.T) {
			for _, state := range []string{"DONE", "CACHED"} {
				out := t.TempDir()
				log, err := build(t, engineStages, out)
				if err != nil {
					t.Fatalf("%v\n%s", err, log)
				}
				checkFiles(t, out, map[string]string{"out": "b " + t.Name() + "\nheredoc\n"})
				checkEngineSteps(t, log, map[string]string{
					"WORKDIR /" + test.name: state, "COPY f .": state, "COPY --from=build --chmod=640 /out /out": state,
					"RUN --network=host --mount=type=cache,target=/c sed s/a/b/ f >/out": state,
					"RUN --network=none <<END (echo heredoc >>/out)":                     state,
				})
			}
		})
		// The engine would copy f all the same.
		t.Run(test.name+"/missing-capability", func(t *testing.T) {
			log, err := build(t, "FROM scratch\nCOPY --exclude=f . /\n", t.TempDir())
			if err == nil || !strings.Contains(log, "--exclude") || !strings.Contains(log, "v0.9") {
				t.Errorf("want an error with the flag and the version: %v\n%s", err, log)
			}
		})
	}
}

var (
	engineStep = regexp.MustCompile(`(?m)^(#\d+) \[[^\]]*\d+/\d+\] (.*)$`)
	engineEnd  = regexp.MustCompile(`(?m)^(#\d+) (CACHED|DONE|ERROR)`)
)

// checkEngineSteps compares how the steps of a Dockerfile ended, but for FROM,
// with the plain progress output of a build.
func checkEngineSteps(t *testing.T, log string, want map[string]string) {
	t.Helper()
	ends := map[string]string{}
	for _, m := range engineEnd.FindAllStringSubmatch(log, -1) {
		ends[m[1]] = m[2]
	}
	found := map[string]string{}
	for _, m := range engineStep.FindAllStringSubmatch(log, -1) {
		if !strings.HasPrefix(m[2], "FROM ") {
			found[m[2]] = ends[m[1]]
		}
	}
	if !maps.Equal(found, want) {
		t.Errorf("steps are %v, want %v\n%s", found, want, log)
	}
}
