// Command picture makes the pictures of the README from real builds. It builds an
// example on a private buildkitd and changes a file. Then it asks for the page of
// --call=cache-html and photographs it in a headless Chromium, builds again with
// buildx on a pseudo-terminal, and writes what that shows last as an SVG. Lines about
// parts of a step, such as a transfer, are left out of that.
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
	dir := flag.String("o", ".", "the directory to write terminal.svg and page.png into")
	flag.Parse()
	if err := run(ctx, *dir); err != nil {
		fmt.Fprintln(os.Stderr, "picture:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, dir string) error {
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
	project, err := changedProject(ctx, s)
	if err != nil {
		return err
	}
	defer os.RemoveAll(project)
	page, err := photograph(ctx, s, project)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "page.png"), page, 0o644); err != nil {
		return err
	}
	screen, err := record(ctx, s, project)
	if err != nil {
		return err
	}
	var lines []line
	for _, command := range typed {
		lines = append(lines, commandLine(command))
	}
	return os.WriteFile(filepath.Join(dir, "terminal.svg"), draw(append(lines, steps(screen)...), columns), 0o644)
}

// changedProject returns the directory of a copy of the example that was built and
// changed. It is the caller's to remove.
func changedProject(ctx context.Context, s *sandbox.Sandbox) (string, error) {
	root, err := sandbox.RepoRoot()
	if err != nil {
		return "", err
	}
	project, err := os.MkdirTemp("", "cachewright-picture-")
	if err != nil {
		return "", err
	}
	if err := os.CopyFS(project, os.DirFS(filepath.Join(root, "examples", example))); err != nil {
		return project, err
	}
	first, err := s.BuildxCommand(ctx, "build", "--progress=quiet", "--output=type=cacheonly", project)
	if err != nil {
		return project, err
	}
	change := exec.CommandContext(ctx, "sh", "-c", typed[0])
	change.Dir = project
	for _, cmd := range []*exec.Cmd{first, change} {
		if text, err := cmd.CombinedOutput(); err != nil {
			return project, fmt.Errorf("%s: %w\n%s", cmd, err, text)
		}
	}
	return project, nil
}

// record builds the project again and returns what the terminal shows.
func record(ctx context.Context, s *sandbox.Sandbox, project string) ([]byte, error) {
	second, err := s.BuildxCommand(ctx, "build", "--output=type=cacheonly", ".")
	if err != nil {
		return nil, err
	}
	second.Dir = project
	return sandbox.OnTerminal(second, columns, rows)
}
