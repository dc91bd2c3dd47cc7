package sandbox

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	goversion "go/version"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// Pins is a directory of the repository with a go.mod whose tool lines are
// programs of pinned versions.
type Pins string

const (
	// Current has buildkitd and buildctl of the BuildKit that the
	// frontend follows, and buildx, registry and crane.
	Current Pins = "tools"
	// Previous has buildkitd and dockerfile-frontend of the BuildKit that the
	// frontend followed before.
	Previous Pins = "tools/previous"
	// Oldest has the oldest buildkitd that the frontend is tested with.
	Oldest Pins = "tools/oldest"
	// EngineDaemon has dockerd, the daemon of Docker Engine.
	EngineDaemon Pins = "tools/engine"
	// EngineClients has docker and compose.
	EngineClients Pins = "tools/clients"
)

// versionVariables are the variables that programs report their version from, by
// the module whose version it is.
var versionVariables = map[string]string{
	"github.com/moby/buildkit":                "github.com/moby/buildkit/version.Version",
	"github.com/docker/buildx":                "github.com/docker/buildx/version.Version",
	"github.com/distribution/distribution/v3": "github.com/distribution/distribution/v3/version.version",
	"github.com/moby/moby/v2":                 "github.com/moby/moby/v2/dockerversion.Version",
	"github.com/docker/cli":                   "github.com/docker/cli/cli/version.Version",
	"github.com/docker/compose/v5":            "github.com/docker/compose/v5/internal.Version",
}

// Program returns the path of one of the programs, in build/. It compiles it,
// static, when it is missing or when go.mod, go.sum or the Go version changed, and
// says on standard error how that goes, because it takes minutes the first time.
// It fails when there is no such tool line, and with the go command's error.
func (p Pins) Program(ctx context.Context, name string) (string, error) {
	bin, err := BuildDir(p.bin())
	if err != nil {
		return "", err
	}
	key, err := p.key()
	if err != nil {
		return "", err
	}
	program, stamp := filepath.Join(bin, name), filepath.Join(bin, "."+name+".key")
	err = withLock(ctx, filepath.Join(bin, "."+name+".lock"), func() error {
		if have, err := os.ReadFile(stamp); err == nil && string(have) == key {
			return nil
		}
		if err := p.compile(ctx, name, program); err != nil {
			return err
		}
		return os.WriteFile(stamp, []byte(key), 0o644)
	})
	return program, err
}

// programs returns the names of all the programs, in the order of the tool lines.
func (p Pins) programs(ctx context.Context) ([]string, error) {
	packages, err := p.packages(ctx)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, pkg := range packages {
		names = append(names, programName(pkg))
	}
	return names, nil
}

// Version returns the version of a module that is pinned, such as v0.34.2.
func (p Pins) Version(ctx context.Context, module string) (string, error) {
	out, err := p.goOutput(ctx, "list", "-m", "-f", "{{.Version}}", module)
	if err != nil {
		return "", fmt.Errorf("version of %s in %s/go.mod: %w", module, p, err)
	}
	return strings.TrimSpace(out), nil
}

// BuildAll compiles all programs of the given directories, as Program does.
func BuildAll(ctx context.Context, all ...Pins) error {
	for _, p := range all {
		names, err := p.programs(ctx)
		if err != nil {
			return err
		}
		for _, name := range names {
			if _, err := p.Program(ctx, name); err != nil {
				return err
			}
		}
	}
	return nil
}

// bin is the directory below build/ for the programs.
func (p Pins) bin() string {
	return filepath.Join("bin", strings.TrimPrefix(strings.TrimPrefix(string(p), "tools"), "/"))
}

// key returns what the built programs depend on, as a digest.
func (p Pins) key() (string, error) {
	root, err := RepoRoot()
	if err != nil {
		return "", err
	}
	h := sha256.New()
	fmt.Fprintln(h, runtime.Version())
	for _, name := range []string{"go.mod", "go.sum"} {
		data, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(string(p)), name))
		if err != nil {
			return "", err
		}
		h.Write(data)
	}
	return fmt.Sprintf("%x", h.Sum(nil)), nil
}

// packages returns the import paths of the tool lines.
func (p Pins) packages(ctx context.Context) ([]string, error) {
	out, err := p.goOutput(ctx, "list", "-f", "{{.ImportPath}}", "tool")
	if err != nil {
		return nil, fmt.Errorf("tools of %s/go.mod: %w", p, err)
	}
	return strings.Fields(out), nil
}

// programName returns the last element of an import path that says something: the
// program in MODULE/v5/cmd is called as the module is.
func programName(pkg string) string {
	name := path.Base(pkg)
	if name == "cmd" {
		return path.Base(path.Dir(path.Dir(pkg)))
	}
	return name
}

// compile builds the named program into the file binary, with the version set that
// it reports to its clients.
func (p Pins) compile(ctx context.Context, name, binary string) error {
	packages, err := p.packages(ctx)
	if err != nil {
		return err
	}
	for _, pkg := range packages {
		if programName(pkg) != name {
			continue
		}
		version, flags, err := p.flags(ctx, pkg)
		if err != nil {
			return err
		}
		cmd, err := p.command(ctx, slices.Concat([]string{"build", "-v", "-trimpath", "-o", binary}, flags, []string{pkg})...)
		if err != nil {
			return err
		}
		return reportCompile(cmd, name+" "+version)
	}
	return fmt.Errorf("%s/go.mod has no tool %s", p, name)
}

// flags returns the version of a package's module and the flags of go build for it:
// the linker tells the program of the version, and the compiler takes a module
// without a go.mod for one of today.
func (p Pins) flags(ctx context.Context, pkg string) (version string, flags []string, err error) {
	out, err := p.goOutput(ctx, "list", "-f", "{{.Module.Path}}\n{{.Module.Version}}\n{{.Module.GoVersion}}", pkg)
	if err != nil {
		return "", nil, fmt.Errorf("module of %s: %w", pkg, err)
	}
	lines := strings.SplitN(out, "\n", 3)
	module, goVersion := lines[0], strings.TrimSpace(lines[2])
	version = strings.TrimSuffix(lines[1], "+incompatible")
	ldflags := "-s -w"
	if variable := versionVariables[module]; variable != "" {
		ldflags += " -X " + variable + "=" + version
	}
	flags = []string{"-ldflags", ldflags}
	if goVersion == "" {
		flags = append(flags, "-gcflags="+module+"/...=-lang="+goversion.Lang(runtime.Version()))
	}
	return version, flags, nil
}

// goOutput runs a go command in the directory and returns its standard output.
func (p Pins) goOutput(ctx context.Context, args ...string) (string, error) {
	cmd, err := p.command(ctx, args...)
	if err != nil {
		return "", err
	}
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		err = fmt.Errorf("%w\n%s", err, exit.Stderr)
	}
	return string(out), err
}

// command returns a go command to be run in the directory.
func (p Pins) command(ctx context.Context, args ...string) (*exec.Cmd, error) {
	root, err := RepoRoot()
	if err != nil {
		return nil, err
	}
	return goCommand(ctx, filepath.Join(root, filepath.FromSlash(string(p))), args...), nil
}

// goCommand returns a go command without cgo, to be run in dir.
func goCommand(ctx context.Context, dir string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	return cmd
}
