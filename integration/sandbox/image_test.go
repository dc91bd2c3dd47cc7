package sandbox_test

import (
	"debug/elf"
	"path/filepath"
	"testing"

	bkclient "github.com/moby/buildkit/client"

	"github.com/cachewright/cachewright/integration/sandbox"
)

// TestBaseImages runs in each base image what Dockerfiles rely on there.
func TestBaseImages(t *testing.T) {
	for _, tc := range []struct {
		name  string
		image sandbox.Image
		from  string
		run   string
	}{
		{"busybox", sandbox.Busybox, "busybox", `set -e; adduser -D -u 1234 ann; addgroup team; addgroup ann team
			test "$(id -u ann)" = 1234; id -nG ann | grep team; test "$(stat -c %a /tmp)" = 1777; env | grep PATH; test "$HOME" = /root`},
		{"alpine", sandbox.Alpine, "alpine", `. /etc/os-release && test "$ID" = alpine && test -L /bin/sh`},
		{"debian", sandbox.Debian, "debian:bookworm-slim", `. /etc/os-release && test "$VERSION_CODENAME" = bookworm && dpkg -l apt >/dev/null`},
		{"golang", sandbox.Golang, "golang:1.26", `test "$(pwd)" = /go && go version && go env GOPROXY | grep . && go vet cmp`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			sb := sandbox.Shared(t, tc.image)
			dir := sandbox.Files(t, map[string]string{"Dockerfile": "FROM " + tc.from + "\nRUN <<E\n" + tc.run + "\nE\n"})
			r, err := sb.Solve(t.Context(), sandbox.Build{Context: dir})
			if err != nil {
				t.Fatalf("%v\n%s", err, logs(r))
			}
		})
	}
}

// TestBusyboxForArm64 copies a file out of the image for another architecture.
func TestBusyboxForArm64(t *testing.T) {
	sb := sandbox.Shared(t, sandbox.Busybox)
	out := t.TempDir()
	dir := sandbox.Files(t, map[string]string{
		"Dockerfile": "FROM --platform=linux/arm64 busybox AS b\nFROM scratch\nCOPY --from=b /bin/sh /\n",
	})
	build := sandbox.Build{Context: dir, Exports: []bkclient.ExportEntry{sandbox.ExportDir(out)}}
	if _, err := sb.Solve(t.Context(), build); err != nil {
		t.Fatal(err)
	}
	f, err := elf.Open(filepath.Join(out, "sh"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if f.Machine != elf.EM_AARCH64 {
		t.Errorf("machine is %s", f.Machine)
	}
}

func logs(r *sandbox.Result) string {
	var all string
	for _, step := range r.Steps {
		all += step.Logs
	}
	return all
}
