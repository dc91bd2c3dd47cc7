package sandbox

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// RequirePrograms makes sure that programs are installed. The keys are program
// names, the values the Debian packages they come from, more than one separated by
// blanks. What is missing is installed with apt-get; without root or apt-get the
// error says what to install.
func RequirePrograms(ctx context.Context, programs map[string]string) error {
	var packages []string
	for program, pkg := range programs {
		if _, err := findProgram(program); err != nil {
			packages = append(packages, strings.Fields(pkg)...)
		}
	}
	if len(packages) == 0 {
		return nil
	}
	need := "apt-get install " + strings.Join(packages, " ")
	if os.Geteuid() != 0 {
		return fmt.Errorf("missing Debian packages, and not running as root; run: %s", need)
	}
	build, err := BuildDir()
	if err != nil {
		return err
	}
	return withLock(ctx, filepath.Join(build, ".apt.lock"), func() error {
		fmt.Fprintln(os.Stderr, "sandbox:", need)
		install := append([]string{"install", "-y", "--no-install-recommends"}, packages...)
		for _, args := range [][]string{{"update"}, install} {
			cmd := exec.CommandContext(ctx, "apt-get", append([]string{"-q"}, args...)...)
			cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
			if out, err := cmd.CombinedOutput(); err != nil {
				return fmt.Errorf("%s: %w\n%s", need, err, out)
			}
		}
		return nil
	})
}

// findProgram looks a program up in PATH and in the directories for the
// administrator's programs, which PATH may lack.
func findProgram(name string) (string, error) {
	path, err := exec.LookPath(name)
	for _, dir := range []string{"/usr/local/sbin", "/usr/sbin", "/sbin"} {
		if err == nil {
			break
		}
		path, err = exec.LookPath(filepath.Join(dir, name))
	}
	return path, err
}
