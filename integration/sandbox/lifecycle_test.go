package sandbox_test

import (
	"bufio"
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cachewright/cachewright/integration/sandbox"
)

// ownerEnv makes the test binary play a program that starts a sandbox, says
// where, and is then killed.
const ownerEnv = "SANDBOX_TEST_OWNER"

func TestMain(m *testing.M) {
	if os.Getenv(ownerEnv) != "" {
		playOwner()
	}
	os.Exit(m.Run())
}

func playOwner() {
	sb, err := sandbox.Start(context.Background(), sandbox.Options{})
	if err != nil {
		panic(err)
	}
	if err := sb.Seed(context.Background(), sandbox.Busybox); err != nil {
		panic(err)
	}
	dir, err := os.MkdirTemp(sb.Dir(), "context")
	if err != nil {
		panic(err)
	}
	// A secret is a file in the daemon's directory for temporary ones.
	const text = "FROM busybox\nRUN --mount=type=secret,id=one echo running; cat /dev/zero >/dev/null\n"
	if err := os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte(text), 0o644); err != nil {
		panic(err)
	}
	os.Stdout.WriteString(sb.Dir() + "\n")
	_, err = sb.Solve(context.Background(), sandbox.Build{Context: dir, Secrets: map[string][]byte{"one": nil}})
	panic(err)
}

func TestCloseLeavesNothing(t *testing.T) {
	sb, err := sandbox.Start(t.Context(), sandbox.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(traces(t, sb.Dir())) == 0 {
		t.Error("no trace of a running sandbox: the test looks in the wrong places")
	}
	if err := sb.Close(); err != nil {
		t.Error(err)
	}
	if left := traces(t, sb.Dir()); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

func TestKilledOwnerLeavesNothing(t *testing.T) {
	cmd := exec.Command(os.Args[0])
	tmp := t.TempDir()
	cmd.Env = append(os.Environ(), ownerEnv+"=1", "TMPDIR="+tmp)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	dir := strings.TrimSpace(line)
	// Wait for the container, which is what is hardest to get rid of.
	waitFor(t, dir, func(traces []string) bool { return strings.Contains(strings.Join(traces, "\n"), "cat /dev/zero") })
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	waitFor(t, dir, func(traces []string) bool { return len(traces) == 0 })
	left, err := filepath.Glob(filepath.Join(tmp, "*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left among the temporary files: %q %v", left, err)
	}
}

func TestDirIsKept(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "kept")
	sb, err := sandbox.Start(t.Context(), sandbox.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if err := sb.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "root")); err != nil {
		t.Error(err)
	}
	sb = sandbox.New(t, sandbox.Options{Dir: dir})
	if _, err := sb.Client().ListWorkers(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestAttach(t *testing.T) {
	sb := sandbox.New(t, sandbox.Options{})
	attached, err := sandbox.Attach(t.Context(), sb.Dir())
	if err != nil {
		t.Fatal(err)
	}
	if attached.Registry() != sb.Registry() || attached.Addr() != sb.Addr() || attached.Owner() != os.Getpid() {
		t.Errorf("attached to %s, %s of process %d", attached.Addr(), attached.Registry(), attached.Owner())
	}
	if err := attached.Close(); err != nil {
		t.Error(err)
	}
	if _, err := sb.Client().ListWorkers(t.Context()); err != nil {
		t.Errorf("closing the attached sandbox stopped it: %v", err)
	}
	if _, err := sandbox.Attach(t.Context(), t.TempDir()); err == nil {
		t.Error("attached to a sandbox that does not run")
	}
}

// waitFor waits until the traces of the sandbox in dir are as they should be.
func waitFor(t *testing.T, dir string, done func(traces []string) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		found := traces(t, dir)
		if done(found) {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("after a minute there is: %q", found)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// traces returns what there is of the sandbox with directory dir: files,
// processes that have the directory in their command line or root, mounts and
// control groups.
func traces(t *testing.T, dir string) []string {
	t.Helper()
	var found []string
	if _, err := os.Lstat(dir); !errors.Is(err, fs.ErrNotExist) {
		found = append(found, "directory "+dir)
	}
	procs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		t.Fatal(err)
	}
	base := filepath.Base(dir)
	for _, proc := range procs {
		cgroup, _ := os.ReadFile(filepath.Join(proc, "cgroup"))
		line, _ := os.ReadFile(filepath.Join(proc, "cmdline"))
		if len(line) > 0 && (strings.Contains(string(line), base) || strings.Contains(string(cgroup), base)) {
			found = append(found, "process "+strings.ReplaceAll(string(line), "\x00", " "))
		}
	}
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(mounts), base) {
		found = append(found, "a mount")
	}
	for _, pattern := range []string{"/sys/fs/cgroup/*", "/sys/fs/cgroup/*/*"} {
		groups, err := filepath.Glob(pattern + base)
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, groups...)
	}
	return found
}
