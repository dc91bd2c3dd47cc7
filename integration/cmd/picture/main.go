// Command picture draws the terminal of a user whose build says why steps run
// again: it builds an example on a private buildkitd, changes a file, builds again
// with buildx on a pseudo-terminal, and writes what that shows last as an SVG. Lines
// about parts of a step, such as a transfer, are left out.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/cachewright/cachewright/integration/sandbox"
)

const (
	example = "layers"
	columns = 96
	rows    = 60
)

// typed are the commands in the picture: what changes the project, and the build.
// The build has an option more in truth, since its result goes nowhere.
var typed = []string{`echo 'router.listen(8080)' >>src/server.js`, "docker buildx build ."}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	out := flag.String("o", "terminal.svg", "the file to write")
	flag.Parse()
	if err := run(ctx, *out); err != nil {
		fmt.Fprintln(os.Stderr, "picture:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out string) error {
	s, err := sandbox.Start(ctx, sandbox.Options{})
	if err != nil {
		return err
	}
	defer s.Close()
	if err := s.Seed(ctx, sandbox.Alpine); err != nil {
		return err
	}
	if err := s.PushFrontend(ctx, sandbox.FrontendRef); err != nil {
		return err
	}
	screen, err := record(ctx, s)
	if err != nil {
		return err
	}
	var lines []line
	for _, command := range typed {
		lines = append(lines, commandLine(command))
	}
	return os.WriteFile(out, draw(append(lines, steps(screen)...), columns), 0o644)
}

// record plays the commands and returns what the last one shows.
func record(ctx context.Context, s *sandbox.Sandbox) ([]byte, error) {
	root, err := sandbox.RepoRoot()
	if err != nil {
		return nil, err
	}
	project, err := os.MkdirTemp("", "cachewright-picture-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(project)
	if err := os.CopyFS(project, os.DirFS(filepath.Join(root, "examples", example))); err != nil {
		return nil, err
	}
	first, err := s.BuildxCommand(ctx, "build", "--progress=quiet", "--output=type=cacheonly", project)
	if err != nil {
		return nil, err
	}
	change := exec.CommandContext(ctx, "sh", "-c", typed[0])
	change.Dir = project
	for _, cmd := range []*exec.Cmd{first, change} {
		if text, err := cmd.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("%s: %w\n%s", cmd, err, text)
		}
	}
	second, err := s.BuildxCommand(ctx, "build", "--output=type=cacheonly", ".")
	if err != nil {
		return nil, err
	}
	second.Dir = project
	return onTerminal(second)
}
