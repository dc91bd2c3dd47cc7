package frontend_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cachewright/cachewright/frontend"
)

// meeting is a place where all of a number of questions have to arrive before
// any is answered.
type meeting struct {
	mu      sync.Mutex
	missing []string
	all     chan struct{}
}

func newMeeting(questions ...string) *meeting {
	return &meeting{missing: questions, all: make(chan struct{})}
}

// arrive waits for the others. Questions that are not expected do not wait.
func (m *meeting) arrive(ctx context.Context, question string) error {
	m.mu.Lock()
	i := slices.Index(m.missing, question)
	if i >= 0 {
		m.missing = slices.Delete(m.missing, i, i+1)
		if len(m.missing) == 0 {
			close(m.all)
		}
	}
	m.mu.Unlock()
	if i < 0 {
		return nil
	}
	select {
	case <-m.all:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func limited(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeoutCause(t.Context(), 30*time.Second, errors.New("a question waits for another one's answer"))
	t.Cleanup(cancel)
	return ctx
}

// TestFilesTogether asks for the Dockerfile's size, its content and its own ignore
// file at once, and so with .dockerignore.
func TestFilesTogether(t *testing.T) {
	g := gateway("FROM busybox\nCOPY src /\n", nil)
	dockerfile := newMeeting("Dockerfile", "Dockerfile", "Dockerfile.dockerignore")
	ignored := newMeeting(".dockerignore", ".dockerignore")
	g.onFile = func(ctx context.Context, path string) error {
		return errors.Join(dockerfile.arrive(ctx, path), ignored.arrive(ctx, path))
	}
	if _, err := frontend.Build(limited(t), g); err != nil {
		t.Fatal(err)
	}
	if left := append(dockerfile.missing, ignored.missing...); len(left) > 0 {
		t.Errorf("not asked for: %q", left)
	}
}

// TestIgnoreFileWithLookups reads .dockerignore while images are looked up.
func TestIgnoreFileWithLookups(t *testing.T) {
	g := gateway("FROM busybox\nCOPY src /\n", nil)
	all := newMeeting("docker.io/library/busybox:latest", ".dockerignore")
	g.onFile, g.onLookup = all.arrive, all.arrive
	if _, err := frontend.Build(limited(t), g); err != nil {
		t.Fatal(err)
	}
}

// TestLargeFile has a Dockerfile that is not read with the first question.
func TestLargeFile(t *testing.T) {
	const end = "\nMAINTAINER me\n"
	for _, size := range []int{64<<10 - 1, 64 << 10, 64<<10 + 1, 1 << 20} {
		file := "FROM busybox\n" + strings.Repeat("#comment\n", size/9-5)
		file += "#" + strings.Repeat("x", size-len(file)-1-len(end)) + end
		g := gateway(file, nil)
		if _, err := frontend.Build(t.Context(), g); err != nil {
			t.Fatal(err)
		}
		if len(g.warnings) == 0 {
			t.Errorf("%d bytes: the last line was not read", size)
		}
	}
}

// TestOwnIgnoreFile has an ignore file for the Dockerfile alone, so that the
// context's is not looked at.
func TestOwnIgnoreFile(t *testing.T) {
	for _, own := range []bool{true, false} {
		g := gateway("FROM busybox\nCOPY . /\n", nil)
		if own {
			g.locals["dockerfile"]["Dockerfile.dockerignore"] = "other\n"
		}
		var mu sync.Mutex
		read := false
		g.onFile = func(_ context.Context, path string) error {
			mu.Lock()
			defer mu.Unlock()
			read = read || path == ".dockerignore"
			return nil
		}
		if _, err := frontend.Build(t.Context(), g); err != nil {
			t.Fatal(err)
		}
		if read == own {
			t.Errorf("own file %t: .dockerignore was read: %t", own, read)
		}
	}
}
