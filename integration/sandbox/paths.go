package sandbox

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// modulePath is the first line of the go.mod at the root of the repository.
const modulePath = "module github.com/cachewright/cachewright\n"

// RepoRoot returns the root directory of the repository that the working
// directory is in. Tests start in their package's directory, so they find it.
func RepoRoot() (string, error) {
	wd, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for dir := wd; ; dir = filepath.Dir(dir) {
		mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && bytes.HasPrefix(mod, []byte(modulePath)) {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("%s is not inside the cachewright repository", wd)
		}
	}
}

// BuildDir returns the directory for generated files (build/, ignored by git)
// joined with elem, and creates it. A go.mod keeps ./... out of build/, where a
// daemon's files have Go packages among them.
func BuildDir(elem ...string) (string, error) {
	root, err := RepoRoot()
	if err != nil {
		return "", err
	}
	build := filepath.Join(root, "build")
	dir := filepath.Join(append([]string{build}, elem...)...)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	mod := filepath.Join(build, "go.mod")
	if _, err := os.Stat(mod); err == nil {
		return dir, nil
	}
	return dir, os.WriteFile(mod, []byte("module build\n"), 0o644)
}

// withLock runs fn while it holds the lock file at path. Test binaries run in
// parallel and must not prepare the same thing twice.
func withLock(ctx context.Context, path string, fn func() error) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return err
	}
	defer f.Close()
	err = poll(ctx, func() (bool, error) {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		return err == nil, ignore(err, syscall.EWOULDBLOCK)
	})
	if err != nil {
		return fmt.Errorf("lock %s: %w", path, err)
	}
	return fn()
}

func ignore(err, ignored error) error {
	if err == ignored {
		return nil
	}
	return err
}

// poll calls ready until it reports true or an error, or ctx ends.
func poll(ctx context.Context, ready func() (bool, error)) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		ok, err := ready()
		if ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
	}
}
