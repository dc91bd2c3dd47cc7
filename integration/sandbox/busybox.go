package sandbox

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Busybox is library/busybox:latest for linux/amd64 and linux/arm64, from
// Debian's busybox-static.
var Busybox = Image{ref: "library/busybox:latest", name: "busybox", version: 2, build: buildBusybox}

// Alpine is a stand-in for library/alpine:latest: busybox with Alpine's layout,
// without apk. For linux/amd64 and linux/arm64.
var Alpine = Image{ref: "library/alpine:latest", name: "alpine", version: 2, build: buildAlpine}

// Debian's busybox has no adduser and addgroup, which many Dockerfiles call.
var (
	//go:embed rootfs/adduser
	adduserScript string
	//go:embed rootfs/addgroup
	addgroupScript string
	//go:embed rootfs/passwd
	passwdFile string
	//go:embed rootfs/group
	groupFile string
)

func buildBusybox(ctx context.Context, work string) (v1.ImageIndex, error) {
	dirs := "bin/ dev/ etc/ home/ lib/ usr/ usr/bin/ usr/sbin/ var/ var/spool/ var/spool/mail/ var/www/"
	return busyboxIndex(ctx, work, []string{"sh"}, dirs, func(applet string) File {
		return File{Path: "bin/" + applet, Mode: 0o755, Link: "bin/busybox"}
	})
}

func buildAlpine(ctx context.Context, work string) (v1.ImageIndex, error) {
	dirs := "bin/ dev/ etc/ etc/apk/ home/ lib/ media/ mnt/ opt/ proc/ run/ sbin/ srv/ sys/ usr/ usr/bin/ usr/lib/ " +
		"usr/local/ usr/local/bin/ usr/sbin/ var/ var/cache/ var/lib/ var/log/ var/spool/"
	release := []File{
		{Path: "etc/alpine-release", Body: "3.22.0\n"},
		{Path: "etc/os-release", Body: "NAME=\"Alpine Linux\"\nID=alpine\nVERSION_ID=3.22.0\n"},
	}
	return busyboxIndex(ctx, work, []string{"/bin/sh"}, dirs, func(applet string) File {
		return File{Path: "bin/" + applet, Sym: "/bin/busybox"}
	}, release...)
}

// busyboxIndex returns the images for both platforms. The applets become links
// made by link.
func busyboxIndex(ctx context.Context, work string, cmd []string, dirs string, link func(string) File, more ...File) (v1.ImageIndex, error) {
	binaries := map[string]string{}
	for _, arch := range []string{"amd64", "arm64"} {
		path, err := busyboxBinary(ctx, filepath.Join(work, arch), arch)
		if err != nil {
			return nil, err
		}
		binaries[arch] = path
	}
	native, ok := binaries[runtime.GOARCH]
	if !ok {
		return nil, fmt.Errorf("no busybox for this machine's architecture %s", runtime.GOARCH)
	}
	applets, err := exec.CommandContext(ctx, native, "--list").Output()
	if err != nil {
		return nil, fmt.Errorf("busybox --list: %w", err)
	}
	var images []v1.Image
	for _, arch := range []string{"amd64", "arm64"} {
		body, err := os.ReadFile(binaries[arch])
		if err != nil {
			return nil, err
		}
		layer, err := NewLayer(slices.Concat(busyboxFiles(string(body), strings.Fields(string(applets)), dirs, link), more)...)
		if err != nil {
			return nil, err
		}
		image, err := newImage("linux/"+arch, v1.Config{Cmd: cmd, Env: withPath()}, layer)
		if err != nil {
			return nil, err
		}
		images = append(images, image)
	}
	return newIndex(images...)
}

func busyboxFiles(binary string, applets []string, dirs string, link func(string) File) []File {
	var files []File
	for dir := range strings.FieldsSeq(dirs) {
		files = append(files, File{Path: dir})
	}
	files = append(files,
		File{Path: "root/", Mode: 0o700},
		File{Path: "tmp/", Mode: 0o1777},
		File{Path: "var/tmp/", Mode: 0o1777},
		File{Path: "bin/busybox", Mode: 0o755, Body: binary},
		File{Path: "bin/adduser", Mode: 0o755, Body: adduserScript},
		File{Path: "bin/addgroup", Mode: 0o755, Body: addgroupScript},
		File{Path: "etc/passwd", Body: passwdFile},
		File{Path: "etc/group", Body: groupFile},
		File{Path: "usr/bin/env", Sym: "../../bin/env"},
	)
	for _, applet := range applets {
		if applet != "busybox" {
			files = append(files, link(applet))
		}
	}
	return files
}

// busyboxBinary downloads Debian's static busybox for an architecture into dir
// and returns its path. The machine's own package lists are left alone.
func busyboxBinary(ctx context.Context, dir, arch string) (string, error) {
	for _, sub := range []string{"lists/partial", "archives/partial", "root"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			return "", err
		}
	}
	apt := []string{
		"apt-get", "-q", "-o", "Dir::State::lists=" + dir + "/lists", "-o", "Dir::Cache=" + dir,
		"-o", "Dir::State::status=/dev/null", "-o", "APT::Sandbox::User=root",
		"-o", "APT::Architecture=" + arch, "-o", "APT::Architectures::=" + arch,
	}
	for _, argv := range [][]string{
		slices.Concat(apt, []string{"update"}),
		slices.Concat(apt, []string{"download", "busybox-static"}),
		{"/bin/sh", "-c", "dpkg-deb -x busybox-static_*.deb root"},
	} {
		cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			return "", fmt.Errorf("busybox for %s: %s: %w\n%s", arch, strings.Join(argv, " "), err, out)
		}
	}
	for _, path := range []string{"root/bin/busybox", "root/usr/bin/busybox"} {
		if _, err := os.Stat(filepath.Join(dir, path)); err == nil {
			return filepath.Join(dir, path), nil
		}
	}
	return "", fmt.Errorf("busybox for %s: no bin/busybox in the package", arch)
}
