package explain_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/cachewright/cachewright/integration/sandbox"
	"github.com/cachewright/cachewright/integration/scenario"
)

// TestStatus runs the documented jq program on the status of real builds: it prints
// the steps of a stage that ran.
func TestStatus(t *testing.T) {
	t.Parallel()
	if err := sandbox.RequirePrograms(t.Context(), map[string]string{"jq": "jq"}); err != nil {
		t.Fatal(err)
	}
	root, err := sandbox.RepoRoot()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := os.ReadFile(filepath.Join(root, "docs/explain.md"))
	if err != nil {
		t.Fatal(err)
	}
	program := regexp.MustCompile(`ran=\$\(jq -rs '(.*)' status\.json\)`).FindSubmatch(doc)
	if program == nil {
		t.Fatal("docs/explain.md has no jq program")
	}
	p := scenario.New(t, scenario.Start(t), rebuild{
		Dockerfile: "FROM $BASE AS deps\nCOPY file /\nRUN cat /file\nFROM deps\nRUN echo other\n", Files: map[string]string{"file": "1 $ID"},
	})
	for _, b := range []struct{ file, want string }{
		{"1", "[deps 2/3] COPY file /\n[deps 3/3] RUN cat /file\n"},
		{"1", ""},
		{"2", "[deps 2/3] COPY file /  ← file changed\n[deps 3/3] RUN cat /file  ← follows 2/3\n"},
	} {
		p.Write("file", b.file+" $ID")
		cmd, err := p.Sandbox.BuildxCommand(t.Context(), append([]string{"build", "--progress=rawjson", "--output=type=cacheonly"}, p.BuildxArgs()...)...)
		p.Must(err)
		var status strings.Builder
		cmd.Stderr = &status
		p.Must(cmd.Run())
		jq := exec.CommandContext(t.Context(), "jq", "-rs", string(program[1]))
		jq.Stdin = strings.NewReader(sandbox.WithoutSessionLog(status.String()))
		out, err := jq.CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		lines := strings.SplitAfter(string(out), "\n")
		for _, want := range strings.SplitAfter(b.want, "\n") {
			if !strings.Contains(string(out), want) || len(lines) != strings.Count(b.want, "\n")+1 {
				t.Errorf("%q, want %q", out, b.want)
			}
		}
	}
}
