package sandbox

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
)

// PackageManagers returns the directory node_modules in build/ in which the package
// managers for Node.js lie that tools/packagemanagers pins: npm, pnpm, yarn and
// @yarnpkg/cli-dist. It installs them when they are missing or when the lock file
// changed, with Debian's npm unless there is another, and fails with npm's output.
func PackageManagers(ctx context.Context) (string, error) {
	if err := RequirePrograms(ctx, map[string]string{"npm": "npm"}); err != nil {
		return "", err
	}
	root, err := RepoRoot()
	if err != nil {
		return "", err
	}
	pins := os.DirFS(filepath.Join(root, "tools", "packagemanagers"))
	dir, err := BuildDir("packagemanagers")
	if err != nil {
		return "", err
	}
	modules := filepath.Join(dir, "node_modules")
	return modules, withLock(ctx, filepath.Join(dir, ".lock"), func() error {
		stamp := filepath.Join(modules, ".key")
		key, err := fs.ReadFile(pins, "package-lock.json")
		if err != nil {
			return err
		}
		if have, err := os.ReadFile(stamp); err == nil && string(have) == string(key) {
			return nil
		}
		for _, name := range []string{"package.json", "package-lock.json"} {
			if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
				return err
			}
		}
		if err := os.CopyFS(dir, pins); err != nil {
			return err
		}
		cmd := exec.CommandContext(ctx, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("npm ci of tools/packagemanagers: %w\n%s", err, out)
		}
		return os.WriteFile(stamp, key, 0o644)
	})
}
