package advice

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/cachewright/cachewright/integration/sandbox"
	"github.com/cachewright/cachewright/integration/scenario"
)

// TestClient asks as a user does, with buildx in a directory of a repository, and gives
// what is printed to git in the repository's root.
func TestClient(t *testing.T) {
	for _, c := range []struct {
		name, dir string
		files     map[string]string
		ignore    string // the file that gets a line, in the repository
		want      string // its content
	}{
		{name: "no ignore file", ignore: ".dockerignore", want: "coverage\n"},
		{name: "in a directory", dir: "svc", files: map[string]string{".dockerignore": "# none"}, ignore: "svc/.dockerignore", want: "# none\ncoverage\n"},
		{name: "of the Dockerfile", files: map[string]string{"Dockerfile.dockerignore": "x\n", ".dockerignore": "y\n"}, ignore: "Dockerfile.dockerignore", want: "x\ncoverage\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			sb := scenario.Start(t, sandbox.Busybox)
			p := &scenario.Project{T: t, Sandbox: sb, ID: scenario.NewID()}
			p.Context = t.TempDir()
			git(p, "", "init", "-q")
			git(p, "", "remote", "add", "origin", "https://example.org/"+p.ID)
			root := *p
			p.Context = p.Path(c.dir)
			p.Must(os.MkdirAll(p.Context, 0o755))
			for name, text := range c.files {
				p.Write(name, text)
			}
			p.Write("Dockerfile", "FROM busybox\nWORKDIR /w\nCOPY . .\nRUN ls | sort; echo $ID\n")
			for i := range 5 {
				p.Write("coverage/lcov.info", fmt.Sprint(i))
				buildx(p, "--output=type=cacheonly")
			}
			text := buildx(p, "--call=cache-advice")
			if !strings.Contains(text, "saves 4 of 5 runs.") {
				t.Errorf("the advice is\n%s", text)
			}
			git(&root, text, "apply")
			got, err := os.ReadFile(root.Path(c.ignore))
			if err != nil || string(got) != c.want {
				t.Errorf("%s is %q, %v; want %q", c.ignore, got, err, c.want)
			}
			if again := buildx(p, "--call=cache-advice"); strings.Contains(again, "saves") {
				t.Errorf("the same is advised again:\n%s", again)
			}
		})
	}
}

// buildx runs buildx build in the project's directory, as git's directories are found
// from there.
func buildx(p *scenario.Project, args ...string) string {
	p.T.Helper()
	r, err := p.Sandbox.Buildx(p.T.Context(), p.BuildxArgs(args...)...)
	p.Must(err)
	return r.Stdout
}

func git(p *scenario.Project, input string, args ...string) {
	p.T.Helper()
	cmd := exec.CommandContext(p.T.Context(), "git", args...)
	cmd.Dir, cmd.Stdin = p.Context, strings.NewReader(input)
	if out, err := cmd.CombinedOutput(); err != nil {
		p.T.Fatalf("git %s: %v\n%s\n%s", strings.Join(args, " "), err, out, input)
	}
}
