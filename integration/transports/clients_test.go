package transports_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cachewright/cachewright/integration/sandbox"
)

// Only this frontend finds a stage whatever the case of its letters, so what
// starts with these lines proves who built it.
const (
	ours   = "FROM scratch AS first\nFROM FIRST\n"
	syntax = "# syntax=" + sandbox.FrontendRef + "\n" + ours
)

// call is one run of a client. In its arguments and files, {dir} is the directory
// of the files, {out} the one to export to, and what run gets as values stands for more.
type call struct {
	name  string
	files map[string]string
	args  string // buildctl or buildx, and what follows
	stdin string // the name of a file
	want  map[string]string
}

// run makes the call and checks the exported files, all of them.
func (c call) run(t *testing.T, sb *sandbox.Sandbox, values ...string) {
	t.Helper()
	dir, out := t.TempDir(), t.TempDir()
	fill := strings.NewReplacer(append(values, "{dir}", dir, "{out}", out)...)
	for name, content := range c.files {
		write(t, filepath.Join(dir, name), fill.Replace(content))
	}
	cmd := client(t, sb, strings.Fields(fill.Replace(c.args)))
	cmd.Dir = dir
	if c.stdin != "" {
		f, err := os.Open(filepath.Join(dir, c.stdin))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		cmd.Stdin = f
	}
	if log, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, log)
	}
	checkFiles(t, out, c.want)
}

// client returns the command of a client for the sandbox's daemon.
func client(t *testing.T, sb *sandbox.Sandbox, args []string) *exec.Cmd {
	t.Helper()
	if args[0] == "buildctl" {
		buildctl, err := sandbox.Current.Program(t.Context(), "buildctl")
		if err != nil {
			t.Fatal(err)
		}
		return exec.CommandContext(t.Context(), buildctl, append([]string{"--addr", sb.Addr()}, args[1:]...)...)
	}
	cmd, err := sb.BuildxCommand(context.WithoutCancel(t.Context()), args[1:]...)
	if err != nil {
		t.Fatal(err)
	}
	return cmd
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// checkFiles compares the files below dir with their wanted contents.
func checkFiles(t *testing.T, dir string, want map[string]string) {
	t.Helper()
	found := 0
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		found++
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		content, err := os.ReadFile(path)
		if text, ok := want[name]; err == nil && (!ok || string(content) != text) {
			t.Errorf("%s: %q, want %q", name, content, text)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if found != len(want) {
		t.Errorf("%d files, want %d", found, len(want))
	}
}

func TestClients(t *testing.T) {
	const plain = "COPY f /\n"
	withFile := func(dockerfile string) map[string]string {
		return map[string]string{"Dockerfile": dockerfile, "f": "content"}
	}
	f := map[string]string{"f": "content"}
	const buildctl = "buildctl build --local context={dir} --local dockerfile={dir} --output type=local,dest={out} "
	const buildx = "buildx build -o {out} "
	sb := start(t)
	for _, test := range []call{
		{"buildctl-source", withFile(ours + plain), buildctl + "--frontend gateway.v0 --opt source=" + sandbox.FrontendRef, "", f},
		{"buildctl-syntax", withFile(syntax + plain), buildctl + "--frontend dockerfile.v0", "", f},
		{"buildctl-cmdline", withFile(ours + plain), buildctl + "--frontend gateway.v0 --opt source=" + sandbox.FrontendRef +
			" --opt cmdline=" + sandbox.FrontendRef, "", f},
		{"buildx-syntax", withFile(syntax + plain), buildx + "{dir}", "", f},
		{"buildx-BUILDKIT_SYNTAX", withFile(ours + plain), buildx + "--build-arg BUILDKIT_SYNTAX=" + sandbox.FrontendRef + " {dir}", "", f},
		{"dockerfile-from-stdin", map[string]string{"in": syntax + plain, "ctx/f": "content"}, buildx + "-f - ctx", "in", f},
		{"no-context", map[string]string{"in": syntax + "COPY <<END f\ncontent\nEND\n"}, buildx + "-", "in", map[string]string{"f": "content\n"}},
		{"file-outside", map[string]string{"files/D": syntax + plain, "ctx/f": "content"}, buildx + "-f files/D ctx", "", f},
		{"dockerignore-of-the-file", map[string]string{"files/D": syntax + "COPY . /\n", "files/D.dockerignore": "*\n!f\n",
			"ctx/f": "content", "ctx/g": "", "ctx/.dockerignore": "f\n"}, buildx + "-f files/D ctx", "", f},
		{"dockerignore", map[string]string{"D": syntax + "COPY . /\n", "f": "content", "g": "", ".dockerignore": "g\n.dockerignore\nD\n"},
			buildx + "-f D {dir}", "", f},
		{"bake", map[string]string{"Dockerfile": syntax + "ARG NAME\nCOPY f $NAME\n", "f": "content",
			"docker-bake.hcl": "target \"default\" {\n args = { NAME = \"f\" }\n output = [\"{out}\"]\n}\n"}, "buildx bake --allow=fs.write={out}", "", f},
		{"bake-linked-targets", map[string]string{"f": "content", "docker-bake.json": `{"target": {
			"base": {"dockerfile-inline": "` + strings.ReplaceAll(syntax, "\n", `\n`) + `COPY f /old\n"},
			"default": {"dockerfile-inline": "` + strings.ReplaceAll(syntax, "\n", `\n`) + `COPY --from=linked old f\n",
				"contexts": {"linked": "target:base"}, "output": ["{out}"]}}}`}, "buildx bake --allow=fs.write={out}", "", f},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, sb) })
	}
}
