package transports_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cachewright/cachewright/integration/sandbox"
)

// hung is a server for a step that waits. It tells of each request that arrives,
// and that the client of one is gone.
type hung struct {
	url           string
	arrived, gone chan struct{}
	release       chan struct{} // closed: answer from now on
}

func newHung(t *testing.T) *hung {
	h := &hung{arrived: make(chan struct{}, 8), gone: make(chan struct{}, 8), release: make(chan struct{})}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.arrived <- struct{}{}
		select {
		case <-r.Context().Done():
			h.gone <- struct{}{}
		case <-h.release:
			io.WriteString(w, "FROM busybox\nRUN echo built\n")
		}
	}))
	t.Cleanup(srv.Close)
	h.url = srv.URL
	return h
}

// TestCutShort cuts builds short: while the frontend waits for its remote context,
// and while a step runs. The build fails, its containers end, nothing stays in use,
// and the daemon builds the same again. With the daemon's own frontend ("") it is
// the same.
func TestCutShort(t *testing.T) {
	waiting := sandbox.Files(t, map[string]string{"Dockerfile": "FROM busybox\nARG URL\nRUN wget -qO /f $URL\n"})
	remote := func(url string) sandbox.Build { return sandbox.Build{Attrs: map[string]string{"context": url}} }
	step := func(url string) sandbox.Build {
		return sandbox.Build{Context: waiting, Args: map[string]string{"URL": url}}
	}
	kill := func(t *testing.T, sb *sandbox.Sandbox, _ func()) { killFrontend(t, sb) }
	cancel := func(_ *testing.T, _ *sandbox.Sandbox, cancel func()) { cancel() }
	for _, test := range []struct {
		name     string
		frontend string
		build    func(url string) sandbox.Build
		cut      func(t *testing.T, sb *sandbox.Sandbox, cancel func())
		want     string // in the error
	}{
		{"frontend-killed", sandbox.FrontendRef, remote, kill, "exit code: 137"},
		{"frontend-cancelled", sandbox.FrontendRef, remote, cancel, "context canceled"},
		{"step-cancelled", sandbox.FrontendRef, step, cancel, "context canceled"},
		{"step-cancelled-upstream", "", step, cancel, "context canceled"},
	} {
		t.Run(test.name, func(t *testing.T) {
			sb := sandbox.New(t, sandbox.Options{Registry: start(t).Registry()})
			h := newHung(t)
			b := test.build(h.url)
			b.Frontend = test.frontend
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			result := make(chan error, 1)
			go func() {
				_, err := sb.Solve(ctx, b)
				result <- err
			}()
			await(t, h.arrived)
			test.cut(t, sb, cancel)
			if err := await(t, result); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("the build ended with %v, want %q", err, test.want)
			}
			await(t, h.gone)
			eventually(t, "containers end", func() bool { return len(containers(t, sb)) == 0 })
			eventually(t, "nothing stays in use", func() bool { return len(inUse(t, sb)) == 0 })

			close(h.release)
			solve(t, sb, b, "ran")
		})
	}
}

// inUse returns the descriptions of the cache records in use.
func inUse(t *testing.T, sb *sandbox.Sandbox) []string {
	t.Helper()
	records, err := sb.Client().DiskUsage(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, r := range records {
		if r.InUse {
			found = append(found, r.Description)
		}
	}
	return found
}

// process is one of the machine's.
type process struct {
	parent  int
	command string
}

// containers returns what runs in the daemon's containers: the processes below
// buildkitd that are not its runc.
func containers(t *testing.T, sb *sandbox.Sandbox) map[int]process {
	t.Helper()
	all := processes(t)
	found := map[int]process{}
	for pid, p := range all {
		for parent, ok := all[p.parent]; ok; parent, ok = all[parent.parent] {
			if strings.Contains(parent.command, "/buildkitd --config "+sb.Dir()) && !strings.Contains(p.command, "runc ") {
				found[pid] = p
			}
		}
	}
	return found
}

func processes(t *testing.T) map[int]process {
	t.Helper()
	dirs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		t.Fatal(err)
	}
	all := map[int]process{}
	for _, dir := range dirs {
		stat, _ := os.ReadFile(filepath.Join(dir, "stat")) // it may have ended by now
		command, _ := os.ReadFile(filepath.Join(dir, "cmdline"))
		// After the name, which may have spaces: state and parent.
		fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
		if len(fields) < 2 || len(command) == 0 {
			continue
		}
		pid, _ := strconv.Atoi(filepath.Base(dir))
		parent, _ := strconv.Atoi(fields[1])
		all[pid] = process{parent, strings.ReplaceAll(string(command), "\x00", " ")}
	}
	return all
}

// killFrontend kills the one process in the daemon's containers.
func killFrontend(t *testing.T, sb *sandbox.Sandbox) {
	t.Helper()
	found := containers(t, sb)
	if len(found) != 1 {
		t.Fatalf("want the frontend alone: %v", found)
	}
	for pid := range found {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
}

const patience = 30 * time.Second

func await[T any](t *testing.T, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatal("nothing happens")
		panic("unreachable")
	}
}

// eventually waits until what holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline, tick := time.After(patience), time.NewTicker(20*time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-deadline:
			t.Fatalf("never: %s", what)
		case <-tick.C:
		}
	}
}
