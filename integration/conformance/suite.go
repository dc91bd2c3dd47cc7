package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"syscall"
)

// suite is the test binary with one frontend in one mode.
type suite struct {
	binary   string   // the test binary
	path     []string // folders of the daemon and the other tools, before the system's own
	env      []string // what selects the frontend
	worker   string   // the daemon's worker
	mirror   string   // the filled mirror folder; every invocation gets a copy
	logs     string   // folder for the raw output of every invocation
	runs     int      // invocations so far, to number the logs
	progress func(format string, args ...any)
}

// selection is what one invocation of the test binary runs.
type selection struct {
	cases    string   // regular expression on the case's name
	skip     []string // cases left out
	parallel int
}

// invocationLimit ends a test binary that hangs; the suite stops a single test
// after five minutes by itself.
const invocationLimit = "40m"

// inNamespaces is the script that becomes the test binary, as process 1 of process,
// mount and network namespaces of its own. Nothing that a crash leaves behind
// (daemons, registries, mounts, bridges) outlives it, and no test depends on what
// the machine can reach: there are only the loopback interface, with a stand-in for
// a web server on it, and the bridge of the containers. (A daemon makes the bridge
// if it is not there, and takes it away when it ends, from under the others.)
const inNamespaces = `set -e
mount --make-rprivate /
mount -t proc proc /proc
mkdir -p /var/lib/cni /run/containerd
mount -t tmpfs cni /var/lib/cni
mount -t tmpfs containerd /run/containerd
ip link set lo up
ip link add buildkit0 type bridge
mkfifo "$TMPDIR/web"
"$WEB" ` + webCommand + ` "$TMPDIR" >"$TMPDIR/web" &
read -r _ <"$TMPDIR/web"
mount --bind "$TMPDIR/` + webHosts + `" /etc/hosts
exec "$@"`

// invoke runs the test binary once. complete is false when it ended before its
// tests did (a panic, or the limit): then results holds what is known.
func (s *suite) invoke(ctx context.Context, sel selection) (_ results, complete bool, err error) {
	tmp, err := os.MkdirTemp("", "cw") // short: the tests put sockets below it
	if err != nil {
		return nil, false, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(tmp)) }()
	if err := copyTree(filepath.Join(s.mirror, "registry"), filepath.Join(tmp, "mirror", "data")); err != nil {
		return nil, false, err
	}
	home := filepath.Join(tmp, "home")
	if err := os.Mkdir(home, 0o755); err != nil {
		return nil, false, err
	}
	s.runs++
	log, err := os.Create(filepath.Join(s.logs, fmt.Sprintf("run-%d.log", s.runs)))
	if err != nil {
		return nil, false, err
	}
	defer log.Close()

	self, err := os.Executable()
	if err != nil {
		return nil, false, err
	}
	cmd := exec.CommandContext(ctx, "sh", append([]string{"-c", inNamespaces, "sh", s.binary}, s.args(sel)...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNS | syscall.CLONE_NEWNET,
		Pdeathsig:  syscall.SIGKILL,
	}
	cmd.Dir = home
	cmd.Env = append([]string{
		"PATH=" + strings.Join(append(s.path, os.Getenv("PATH")), string(os.PathListSeparator)),
		"HOME=" + home,
		"TMPDIR=" + tmp,
		"WEB=" + self,
		"SSL_CERT_FILE=" + filepath.Join(tmp, webCertificates),
		"GOMAXPROCS=" + strconv.Itoa(max(sel.parallel, runtime.NumCPU())), // the suite runs no more daemons than that at a time
		"BUILDKIT_REGISTRY_MIRROR_DIR=" + filepath.Join(tmp, "mirror"),
		"BUILDKIT_RUN_NETWORK_INTEGRATION_TESTS=1",
		"BUILDKIT_NETWORK_BRIDGE_AUTO=1",
		"BUILDKIT_CNI_INIT_LOCK_PATH=" + filepath.Join(tmp, "cni.lock"),
	}, s.env...)
	return s.watch(ctx, cmd, log)
}

// watch runs the test binary with its output through test2json.
func (s *suite) watch(ctx context.Context, cmd *exec.Cmd, log io.Writer) (results, bool, error) {
	convert := exec.CommandContext(ctx, "go", "tool", "test2json")
	convert.Stderr = os.Stderr
	raw, err := convert.StdinPipe()
	if err != nil {
		return nil, false, err
	}
	events, err := convert.StdoutPipe()
	if err != nil {
		return nil, false, err
	}
	if err := convert.Start(); err != nil {
		return nil, false, err
	}
	cmd.Stdout = io.MultiWriter(raw, log)
	cmd.Stderr = cmd.Stdout
	ended := make(chan error, 1)
	go func() {
		// The kernel sends Pdeathsig when the starting thread ends, so this thread
		// has to live as long as the child. Run returns when all processes of the
		// child's namespace have ended.
		runtime.LockOSThread()
		err := cmd.Run()
		raw.Close()
		ended <- err
	}()
	all, complete, err := readEvents(events)
	if err != nil {
		return nil, false, err
	}
	var exit *exec.ExitError
	if err := <-ended; err != nil && !errors.As(err, &exit) {
		return nil, false, err // a failed test is no error of the run
	}
	if err := convert.Wait(); err != nil && ctx.Err() == nil {
		return nil, false, fmt.Errorf("go tool test2json: %w", err)
	}
	return all, complete, ctx.Err()
}

// args are the test binary's arguments for the selection.
func (s *suite) args(sel selection) []string {
	cases := sel.cases
	if cases == "" {
		cases = "."
	}
	args := []string{
		"-test.v=test2json",
		"-test.timeout=" + invocationLimit,
		"-test.parallel=" + strconv.Itoa(sel.parallel),
		"-test.run=^" + rootTest + "$/(" + cases + ")/^worker=" + s.worker + "$",
	}
	if len(sel.skip) > 0 {
		args = append(args, "-test.skip=^"+rootTest+"$/"+anyOf(sel.skip))
	}
	return args
}

// anyOf is the regular expression that matches the cases and nothing else.
func anyOf(cases []string) string {
	quoted := make([]string, len(cases))
	for i, c := range cases {
		quoted[i] = regexp.QuoteMeta(c)
	}
	return "^(" + strings.Join(quoted, "|") + ")$"
}
