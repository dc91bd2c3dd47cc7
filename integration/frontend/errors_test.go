package frontend_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/solver/errdefs"

	"github.com/cachewright/cachewright/integration/sandbox"
)

// TestErrorLines breaks builds at every stage of the way and checks the error's
// text and the lines that the client marks, of both frontends.
func TestErrorLines(t *testing.T) {
	sb := start(t)
	for _, test := range []struct {
		name, dockerfile string
		args             map[string]string
		want             string   // in the error
		lines            []string // of each source
	}{
		{"step", "FROM busybox\nRUN true\nRUN echo 1 && \\\n  exit 3\n", nil, "did not complete successfully: exit code: 3", []string{"3-4"}},
		{"missing file", "FROM busybox\nCOPY there /\nCOPY not-there /\n", nil, `"/not-there": not found`, []string{"3"}},
		{"missing base", "FROM busybox\nFROM missing-image\n", nil, "docker.io/library/missing-image:latest: not found", []string{"2"}},
		{"instruction", "FROM busybox\n\nRUNN x\n", nil, "unknown instruction: RUNN (did you mean RUN?)", []string{"3"}},
		{"flag", "FROM busybox\nRUN --netwrk=none x\n", nil, "unknown flag: --netwrk (did you mean network?)", []string{"2"}},
		{"value", "FROM busybox\nEXPOSE 99999\n", nil, "invalid containerPort: 99999", []string{"2"}},
		{"variable", "FROM busybox\nARG V\nENV A=${V:?needed}\n", nil, "V: needed", []string{"3"}},
		{"order", "FROM busybox AS a\nCOPY --from=b / /\nFROM busybox AS b\nFROM a\n", nil, `cannot copy from stage "b"`, []string{"2"}},
		{"cycle", "FROM busybox AS a\nCOPY --from=b / /\nFROM busybox AS b\nCOPY --from=a / /\n", nil, "circular dependency", []string{"2", "4"}},
		{"target", "FROM busybox AS build\n", map[string]string{"target": "biuld"}, `target stage "biuld" could not be found (did you mean build?)`, nil},
		{"empty", "", nil, "the Dockerfile cannot be empty", nil},
		{"checks", "# check=error=true\nFROM busybox\nMAINTAINER me\n", nil, "lint violation found for rules: MaintainerDeprecated", nil},
		{"other frontend", "# syntax=missing/dockerfile\nFROM busybox\n", nil, "docker.io/missing/dockerfile:latest: not found", []string{"1"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := sandbox.Files(t, map[string]string{"Dockerfile": test.dockerfile, "there": ""})
			for _, frontend := range frontends {
				r, err := sb.Solve(t.Context(), sandbox.Build{Frontend: frontend, Context: dir, Attrs: test.args})
				if err == nil || !strings.Contains(err.Error(), test.want) {
					t.Fatalf("%q: error %v, want one with %q\n%s", frontend, err, test.want, r)
				}
				if lines := markedLines(t, err, test.dockerfile); !slices.Equal(lines, test.lines) {
					t.Errorf("%q: marked lines %q, want %q", frontend, lines, test.lines)
				}
			}
		})
	}
}

// markedLines returns the lines that the sources of an error mark, sorted: of a
// cycle upstream gives them in random order.
func markedLines(t *testing.T, err error, dockerfile string) []string {
	t.Helper()
	var lines []string
	for _, s := range errdefs.Sources(err) {
		if s.Info.Filename != "Dockerfile" || string(s.Info.Data) != dockerfile {
			t.Errorf("the source is %s: %q", s.Info.Filename, s.Info.Data)
		}
		first, last := s.Ranges[0].Start.Line, s.Ranges[len(s.Ranges)-1].End.Line
		text := fmt.Sprint(first)
		if last != first {
			text += fmt.Sprintf("-%d", last)
		}
		lines = append(lines, text)
	}
	slices.Sort(lines)
	return lines
}

// TestWarnings builds for two platforms and expects each finding once, on the
// vertex that loaded the Dockerfile.
func TestWarnings(t *testing.T) {
	sb := start(t)
	const dockerfile = `FROM --platform=$BUILDPLATFORM busybox AS Build
MAINTAINER me
env A $UNSET
# check=skip=JSONArgsRecommended
CMD silent
FROM scratch
COPY ignored /
ENTRYPOINT \

  loud
`
	dir := sandbox.Files(t, map[string]string{"Dockerfile": dockerfile, "ignored": "", ".dockerignore": "ignored\n"})
	var found []map[string]string
	for _, frontend := range frontends {
		r, err := sb.Solve(t.Context(), sandbox.Build{
			Frontend: frontend,
			Context:  dir,
			Target:   "build",
			Attrs:    map[string]string{"platform": "linux/amd64,linux/arm64"},
		})
		if err != nil {
			t.Fatalf("%v\n%s", err, r)
		}
		load, err := r.Step("[internal] load build definition from Dockerfile")
		if err != nil {
			t.Fatal(err)
		}
		texts := map[string]string{}
		for _, w := range r.Warnings {
			short := string(w.Short)
			if _, twice := texts[short]; twice {
				t.Errorf("%q comes twice", short)
			}
			if w.Vertex != load.Digest {
				t.Errorf("%q is on another vertex", short)
			}
			texts[short] = describeWarning(w)
		}
		found = append(found, texts)
	}
	if len(found[0]) < 5 {
		t.Errorf("only %d warnings: %v", len(found[0]), found[0])
	}
	if d := cmp.Diff(found[1], found[0]); d != "" {
		t.Errorf("-upstream +ours\n%s", d)
	}
}

func describeWarning(w *client.VertexWarning) string {
	return fmt.Sprintf("%d %s %s %q %s", w.Level, w.URL, w.SourceInfo.Filename, w.Detail, w.Range)
}
