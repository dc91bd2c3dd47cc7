package sandbox

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Debian is library/debian:bookworm-slim for this machine's architecture, made
// with debootstrap. Making it takes the better part of a minute.
var Debian = Image{ref: "library/debian:bookworm-slim", name: "debian", version: 2, build: buildDebian}

// slim are paths of a minimal Debian that the slim images leave out: caches and
// documentation.
const slim = `cd "$1"
rm -rf debootstrap var/cache/apt/* var/lib/apt/lists/* var/log/*.log var/log/apt
rm -rf usr/share/doc/* usr/share/man/* usr/share/info/* usr/share/locale/* usr/share/lintian
printf '%s\n' 'path-exclude /usr/share/doc/*' 'path-exclude /usr/share/man/*' 'path-exclude /usr/share/locale/*' >etc/dpkg/dpkg.cfg.d/docker
printf '%s\n' 'APT::Install-Recommends "false";' 'APT::Sandbox::User "root";' >etc/apt/apt.conf.d/sandbox
rm -f etc/hostname etc/resolv.conf
`

func buildDebian(ctx context.Context, work string) (v1.ImageIndex, error) {
	err := RequirePrograms(ctx, map[string]string{"debootstrap": "debootstrap", "tar": "tar"})
	if err != nil {
		return nil, err
	}
	debootstrap, err := findProgram("debootstrap")
	if err != nil {
		return nil, err
	}
	root := filepath.Join(work, "root")
	// What debootstrap mounts must not outlive it, even if it is killed.
	if err := run(ctx, "unshare", "--mount", debootstrap, "--variant=minbase", "bookworm", root); err != nil {
		return nil, err
	}
	if err := run(ctx, "/bin/sh", "-ec", slim, "slim", root); err != nil {
		return nil, err
	}
	layer, err := treeLayer(ctx, work, root, ".", "./dev/*", "./proc/*", "./sys/*")
	if err != nil {
		return nil, err
	}
	image, err := newImage("linux/"+runtime.GOARCH, v1.Config{Cmd: []string{"bash"}, Env: withPath()}, layer)
	if err != nil {
		return nil, err
	}
	return newIndex(image)
}

// treeLayer returns a layer of the files below dir, which land below the
// directory at of the image. Owners are kept; exclude are tar patterns. The tar
// file is written to work and has to stay until the image is stored.
func treeLayer(ctx context.Context, work, dir, at string, exclude ...string) (v1.Layer, error) {
	file := filepath.Join(work, "layer-"+filepath.Base(at)+".tar")
	args := []string{
		"-C", dir, "-cf", file, "--numeric-owner", "--sort=name",
		fmt.Sprintf("--mtime=@%d", layerTime.Unix()), `--transform=flags=r;s,^\.,` + at + ",",
	}
	for _, pattern := range exclude {
		args = append(args, "--exclude="+pattern)
	}
	if err := run(ctx, "tar", append(args, ".")...); err != nil {
		return nil, err
	}
	return tarLayer(func() (io.ReadCloser, error) { return os.Open(file) })
}

// run runs a program and puts its output into the error if it fails.
func run(ctx context.Context, program string, args ...string) error {
	out, err := exec.CommandContext(ctx, program, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", filepath.Base(program), err, out[max(0, len(out)-4096):])
	}
	return nil
}
