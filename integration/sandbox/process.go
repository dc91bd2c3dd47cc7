package sandbox

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"time"
)

// stopGrace is how long a server may take to end after SIGTERM.
const stopGrace = 10 * time.Second

// server is a child process that the kernel kills when this process ends.
type server struct {
	name    string
	cmd     *exec.Cmd
	logPath string
	done    chan struct{} // closed when the process has ended
}

// startServer starts argv in its own process group with its output in logPath. Its
// temporary files are below dir, which goes with the sandbox: a daemon that is killed
// leaves them behind.
func startServer(name, dir, logPath string, attr syscall.SysProcAttr, env []string, argv ...string) (*server, error) {
	tmp := filepath.Join(dir, "tmp")
	if err := os.MkdirAll(tmp, 0o700); err != nil {
		return nil, err
	}
	logFile, err := os.Create(logPath)
	if err != nil {
		return nil, err
	}
	defer logFile.Close()
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = append(append(os.Environ(), "TMPDIR="+tmp), env...)
	cmd.Stdout, cmd.Stderr = logFile, logFile
	attr.Setpgid = true
	attr.Pdeathsig = syscall.SIGKILL
	cmd.SysProcAttr = &attr
	s := &server{name: name, cmd: cmd, logPath: logPath, done: make(chan struct{})}

	started := make(chan error)
	go func() {
		// The kernel sends Pdeathsig when the starting thread ends, so this
		// thread has to live as long as the child.
		runtime.LockOSThread()
		defer close(s.done)
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // how a killed server ended says nothing
		}
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	return s, nil
}

// exited reports an error with the end of the log when the server has ended.
func (s *server) exited() error {
	select {
	case <-s.done:
		return fmt.Errorf("%s ended: %s\n%s", s.name, s.cmd.ProcessState, s.logTail())
	default:
		return nil
	}
}

func (s *server) logTail() []byte {
	log, err := os.ReadFile(s.logPath)
	if err != nil {
		return []byte(err.Error())
	}
	return log[max(0, len(log)-4096):]
}

// stop ends the server and its process group, by force after stopGrace.
func (s *server) stop() {
	pgid := s.cmd.Process.Pid
	_ = syscall.Kill(-pgid, syscall.SIGTERM)
	select {
	case <-s.done:
	case <-time.After(stopGrace):
		_ = syscall.Kill(-pgid, syscall.SIGKILL)
		<-s.done
	}
	// The rest of the group, which no longer has a leader to wait for.
	_ = syscall.Kill(-pgid, syscall.SIGKILL)
}

// janitorScript waits until its standard input is closed, which the kernel does
// whichever way the owner of the sandbox ends. Then it removes the directory and
// the control groups. The kernel may still be killing the daemon by then:
// hence the repetition.
const janitorScript = `
dir=$1 cgroup=$2
cat >/dev/null
for try in $(seq 300); do
	left=
	rm -rf -- "$dir" 2>/dev/null || left=$dir
	for d in /sys/fs/cgroup/$cgroup /sys/fs/cgroup/*/$cgroup; do
		[ ! -d "$d" ] || find "$d" -depth -type d -exec rmdir {} + 2>/dev/null || left=$d
	done
	[ -n "$left" ] || exit 0
	sleep 0.1
done
echo "sandbox: cannot remove $left"
exit 1
`

// janitor is the process that cleans up after a sandbox, whatever becomes of
// the process that started it.
type janitor struct {
	cmd   *exec.Cmd
	stdin io.Closer
	out   bytes.Buffer
}

// startJanitor starts a janitor for the directory dir and the control groups
// named cgroup.
func startJanitor(dir, cgroup string) (*janitor, error) {
	j := &janitor{cmd: exec.Command("/bin/sh", "-c", janitorScript, "janitor", dir, cgroup)}
	stdin, err := j.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	j.stdin = stdin
	j.cmd.Dir = "/"
	j.cmd.Stdout = &j.out
	// Its own session: Ctrl-C in the terminal must not end it.
	j.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := j.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the janitor: %w", err)
	}
	return j, nil
}

// finish lets the janitor do its work and waits for it.
func (j *janitor) finish() error {
	_ = j.stdin.Close()
	if err := j.cmd.Wait(); err != nil {
		return fmt.Errorf("clean up: %w: %s", err, j.out.String())
	}
	return nil
}
