package explain_test

import (
	"strings"
	"testing"

	"github.com/cachewright/cachewright/integration/scenario"
)

// TestSummary asks for the line after a build. Without being asked nothing is on
// standard output, where scripts read the image's ID or its files.
func TestSummary(t *testing.T) {
	t.Parallel()
	p := scenario.New(t, scenario.Start(t), rebuild{
		Dockerfile: "FROM $BASE\nRUN echo before\nCOPY file /\nRUN cat /file\n", Files: map[string]string{"file": "1 $ID"},
	})
	for _, b := range []struct {
		name, file, want string
		args             []string
	}{
		{"first", "1", "", []string{"--build-arg=CACHEWRIGHT_EXPLAIN=summary"}},
		{"changed", "2", "\nCache, as predicted: 1 of 3 steps reused. Cause: file changed\n", []string{"--build-arg=CACHEWRIGHT_EXPLAIN=summary"}},
		{"not asked", "3", "", nil},
		{"asked for nothing", "4", "", []string{"--build-arg=CACHEWRIGHT_EXPLAIN=off"}},
	} {
		p.Write("file", b.file+" $ID")
		r, err := p.Sandbox.Buildx(t.Context(), p.BuildxArgs(b.args...)...)
		p.Must(err)
		if r.Stdout != b.want {
			t.Errorf("%s: %q on standard output, want %q", b.name, r.Stdout, b.want)
		}
	}
	cmd, err := p.Sandbox.BuildxCommand(t.Context(), append([]string{"build", "--quiet", "--output=type=docker,dest=/dev/null"}, p.BuildxArgs()...)...)
	p.Must(err)
	out, err := cmd.Output()
	p.Must(err)
	if !strings.HasPrefix(string(out), "sha256:") || strings.Count(string(out), "\n") != 1 {
		t.Errorf("--quiet prints %q, want the ID alone", out)
	}
}
