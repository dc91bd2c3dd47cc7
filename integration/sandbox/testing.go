package sandbox

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// shared is the sandbox that all tests of one test binary use.
var shared = sync.OnceValues(func() (*Sandbox, error) {
	return Start(context.Background(), Options{})
})

// Shared returns the one sandbox that the tests of a test binary share, with the
// given images in its registry. It ends with the test binary. Tests that prune,
// or that need a builder without a past, take New. Under the race detector a failed
// test shows the end of the daemon's log, where the frontend's races are.
func Shared(t testing.TB, images ...Image) *Sandbox {
	t.Helper()
	s, err := shared()
	if err != nil {
		t.Fatalf("start the shared sandbox: %v", err)
	}
	if raceDetector {
		t.Cleanup(func() { s.showLog(t) })
	}
	s.mustSeed(t, images)
	return s
}

// New returns a sandbox of the test's own, with the given images in its
// registry. It ends with the test. A failed test shows the end of the daemon's log.
func New(t testing.TB, opts Options, images ...Image) *Sandbox {
	t.Helper()
	s, err := Start(t.Context(), opts)
	if err != nil {
		t.Fatalf("start a sandbox: %v", err)
	}
	t.Cleanup(func() {
		s.showLog(t)
		if err := s.Close(); err != nil {
			t.Errorf("close the sandbox: %v", err)
		}
	})
	s.mustSeed(t, images)
	return s
}

// showLog logs the end of the daemon's log if the test has failed.
func (s *Sandbox) showLog(t testing.TB) {
	t.Helper()
	if t.Failed() {
		t.Logf("buildkitd.log:\n%s", s.daemon.logTail())
	}
}

func (s *Sandbox) mustSeed(t testing.TB, images []Image) {
	t.Helper()
	if err := s.Seed(t.Context(), images...); err != nil {
		t.Fatalf("seed the registry: %v", err)
	}
}

// Files writes files into a new temporary directory of the test and returns it.
// The keys are slash-separated paths below it; parents are created. Files whose
// content starts with "#!" are executable.
func Files(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		if err := writeFile(filepath.Join(dir, filepath.FromSlash(name)), content); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func writeFile(path, content string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	mode := os.FileMode(0o644)
	if len(content) > 2 && content[:2] == "#!" {
		mode = 0o755
	}
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
