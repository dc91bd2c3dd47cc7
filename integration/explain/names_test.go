package explain_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/cachewright/cachewright/integration/sandbox"
	"github.com/cachewright/cachewright/integration/scenario"
)

// TestNames builds with buildx and reads the names as people do: in plain logs no
// command loses its end, and a terminal of 80 columns shows every note.
func TestNames(t *testing.T) {
	t.Parallel()
	const (
		long  = "RUN --mount=type=cache,target=/root/.cache/go-build echo a command that is long && echo its end"
		short = "RUN echo short"
	)
	p := scenario.New(t, scenario.Start(t), rebuild{
		Dockerfile: "FROM $BASE AS build\nCOPY file /file\n" + long + "\n" + short + "\n",
		Files:      map[string]string{"file": "1 $ID"},
	})
	built := func(n string, columns uint16, progress string) string {
		p.Write("file", n+" $ID")
		cmd, err := p.Sandbox.BuildxCommand(t.Context(), append([]string{"build", "--output=type=cacheonly", "--progress=" + progress}, p.BuildxArgs()...)...)
		p.Must(err)
		out, err := sandbox.OnTerminal(cmd, columns, 50)
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		if progress == "tty" {
			return strings.Join(sandbox.LastScreen(out), "\n")
		}
		return strings.ReplaceAll(string(out), "\r", "")
	}
	if first := built("1", 80, "plain"); strings.Contains(first, "←") {
		t.Errorf("a note in\n%s", first)
	}
	plain := built("2", 80, "plain")
	for _, name := range []string{
		"[build 2/4] COPY file /file  ← file changed", "[build 3/4] ← follows 2/4 · " + long, "[build 4/4] RUN echo short  ← follows 2/4",
	} {
		if !slices.ContainsFunc(strings.Split(plain, "\n"), func(line string) bool { return strings.HasSuffix(line, name) }) {
			t.Errorf("no line ends with %q in\n%s", name, plain)
		}
	}
	tty := built("3", 80, "tty")
	for _, name := range []string{
		" => [build 2/4] COPY file /file  ← file changed ", " => [build 3/4] ← follows 2/4 · RUN --mount=type=cache,target=/root/", " => [build 4/4] RUN echo short  ← follows 2/4 ",
	} {
		if !strings.Contains(tty, "\n"+name) {
			t.Errorf("no line begins with %q in\n%s", name, tty)
		}
	}
}

// TestOddNames changes files whose names read like causes, or are not text. The client
// is buildx: others do not send a name that is not UTF-8.
func TestOddNames(t *testing.T) {
	t.Parallel()
	const misleading, binary = "src/x, removed, base moved", "src/bad\xff"
	p := scenario.New(t, scenario.Start(t), rebuild{
		Dockerfile: "FROM $BASE\nCOPY src /src\nRUN ls /src\n",
		Files:      map[string]string{misleading: "1 $ID", binary: "1", "src/bad\xfe": "1", "src/line\n← y": "1"},
	})
	quiet(p, "first build", buildx(p))
	p.Write(misleading, "2 $ID")
	p.Write(binary, "2")
	expect(p, "second build", buildx(p), expected{notes: map[string]string{
		"COPY src /src": `"src/bad\xff" changed, "src/x, removed, base moved" changed`, "RUN ls /src": "follows 2/3",
	}})
	p.Write("src/line\n← y", "2")
	expect(p, "third build", buildx(p), expected{notes: map[string]string{"COPY src /src": `"src/line\n← y" changed`, "RUN ls /src": "follows 2/3"}})
}
