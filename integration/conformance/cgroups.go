package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// removeStaleCgroups removes the control groups of containers whose daemon was
// killed, which is the one thing that ending a namespace leaves behind. It takes
// only those without processes that are older than a container takes to start.
func removeStaleCgroups() error {
	const startTime = 10 * time.Minute
	for _, pattern := range []string{"/sys/fs/cgroup/buildkit/*", "/sys/fs/cgroup/*/buildkit/*"} {
		dirs, err := filepath.Glob(pattern)
		if err != nil {
			return err
		}
		for _, dir := range dirs {
			info, err := os.Stat(dir)
			if errors.Is(err, fs.ErrNotExist) || err == nil && (!info.IsDir() || time.Since(info.ModTime()) < startTime) {
				continue
			}
			if err != nil {
				return err
			}
			if err := syscall.Rmdir(dir); err != nil && err != syscall.EBUSY && err != syscall.ENOENT {
				return &fs.PathError{Op: "rmdir", Path: dir, Err: err}
			}
		}
	}
	return nil
}
