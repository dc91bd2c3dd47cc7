package sandbox

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"time"
)

// reportAfter is when a compilation says for the first time that it takes place, and
// reportEvery how often it says how far it is. Of one that is quick, all of it in
// Go's cache, nothing is said.
const (
	reportAfter = 5 * time.Second
	reportEvery = 10 * time.Second
)

// reportCompile runs go build -v and says on standard error what is compiled, how far
// that is and how long it took. It fails with what the go command printed.
func reportCompile(cmd *exec.Cmd, what string) error {
	start, said := time.Now(), false
	packages := &packageCounter{}
	cmd.Stdout, cmd.Stderr = packages, packages
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("compile %s: %w", what, err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	next := time.NewTimer(reportAfter)
	defer next.Stop()
	for {
		select {
		case err := <-ended:
			if err != nil {
				return fmt.Errorf("compile %s: %w\n%s", what, err, packages.text())
			}
			if said {
				fmt.Fprintf(os.Stderr, "compile %s: done, %s\n", what, packages.progress(start))
			}
			return nil
		case <-next.C:
			said = true
			next.Reset(reportEvery)
			fmt.Fprintf(os.Stderr, "compile %s: %s\n", what, packages.progress(start))
		}
	}
}

// packageCounter takes the output of go build -v, which names each package that it
// begins to compile.
type packageCounter struct {
	mu  sync.Mutex
	out bytes.Buffer
}

var _ io.Writer = (*packageCounter)(nil)

func (c *packageCounter) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.out.Write(p)
}

func (c *packageCounter) text() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.out.String()
}

// progress says how many packages were compiled and how long that took; packages
// that an earlier compilation has left in Go's cache are not among them.
func (c *packageCounter) progress(start time.Time) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return fmt.Sprintf("%d packages, %d s", bytes.Count(c.out.Bytes(), []byte("\n")), int(time.Since(start).Seconds()))
}
