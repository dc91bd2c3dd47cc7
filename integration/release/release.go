// Package release builds the frontend image that is published, from the
// Dockerfile at the root of the repository and with the frontend of this tree:
// the frontend's first user is the frontend.
package release

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"

	"github.com/moby/buildkit/client"

	"github.com/cachewright/cachewright/integration/sandbox"
)

// Platforms are the platforms of the published image.
const Platforms = "linux/amd64,linux/arm64"

// bootstrapRef and scannerRef are where the sandbox has the frontend that builds
// the image, and the scanner that makes its SBOM.
const (
	bootstrapRef = "cachewright/dockerfile:bootstrap"
	scannerRef   = "cachewright/gosbom:bootstrap"
)

// Build builds the image for Platforms on the sandbox and writes it to out as an
// OCI archive, with a line on progress for each step. An SBOM and the complete
// provenance are attached to the image of each platform. The same commit gives the
// same images and SBOMs: its time is the time of every file and of the image.
// Provenance tells when it was built. Build fails with the daemon's error.
func Build(ctx context.Context, s *sandbox.Sandbox, out string, progress io.Writer) (*sandbox.Result, error) {
	root, err := sandbox.RepoRoot()
	if err != nil {
		return nil, err
	}
	epoch, err := commit(ctx, root, "%ct")
	if err != nil {
		return nil, err
	}
	revision, err := commit(ctx, root, "%H")
	if err != nil {
		return nil, err
	}
	if err := prepare(ctx, s); err != nil {
		return nil, err
	}
	return s.Solve(ctx, sandbox.Build{
		Context:  root,
		Filename: "Dockerfile", // said, so that the provenance says it
		Progress: progress,
		Args: map[string]string{
			"BUILDKIT_SYNTAX": bootstrapRef, "SOURCE_DATE_EPOCH": epoch, "VERSION": tag(ctx, root), "REVISION": revision,
		},
		Attrs: map[string]string{
			"platform":          Platforms,
			"attest:sbom":       "generator=" + scannerRef + ",SOURCE_DATE_EPOCH=" + epoch,
			"attest:provenance": "mode=max",
		},
		Exports: []client.ExportEntry{sandbox.ExportOCI(out, map[string]string{
			"rewrite-timestamp": "true",
			"compression":       "gzip", // every daemon reads it
			"compression-level": "9",
			"force-compression": "true",
		})},
	})
}

// Bake builds the image with docker-bake.hcl, as a release does, on the sandbox, and
// pushes it to the sandbox's registry: repository has no host and no tag, version is
// the tag of a release such as v1.2.3. It fails with what buildx printed.
func Bake(ctx context.Context, s *sandbox.Sandbox, repository, version string) error {
	root, err := sandbox.RepoRoot()
	if err != nil {
		return err
	}
	epoch, err := commit(ctx, root, "%ct")
	if err != nil {
		return err
	}
	if err := prepare(ctx, s); err != nil {
		return err
	}
	cmd, err := s.BuildxCommand(ctx, "bake", "--push", "--progress=plain", "image-all")
	if err != nil {
		return err
	}
	cmd.Dir = root
	cmd.Env = append(cmd.Env, "REPOSITORY="+s.Registry()+"/"+repository, "VERSION="+version, "REVISION=release",
		"SYNTAX="+bootstrapRef, "SBOM_GENERATOR="+scannerRef, "SOURCE_DATE_EPOCH="+epoch)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("buildx bake: %w\n%s", err, out)
	}
	return nil
}

// prepare pushes what the recipe builds from and with.
func prepare(ctx context.Context, s *sandbox.Sandbox) error {
	if err := s.Seed(ctx, sandbox.Golang); err != nil {
		return err
	}
	if err := s.PushFrontend(ctx, bootstrapRef); err != nil {
		return err
	}
	return s.PushProgram(ctx, scannerRef, "./integration/cmd/gosbom")
}

// Archive builds the image on a sandbox of its own, whose cache is kept for the
// next time, and otherwise does what Build does.
func Archive(ctx context.Context, out string, progress io.Writer) (_ *sandbox.Result, err error) {
	dir, err := sandbox.BuildDir("release")
	if err != nil {
		return nil, err
	}
	s, err := sandbox.Start(ctx, sandbox.Options{Dir: dir})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return Build(ctx, s, out, progress)
}

// commit returns what the checked-out commit has for a format of git log.
func commit(ctx context.Context, root, format string) (string, error) {
	out, err := exec.CommandContext(ctx, "git", "-C", root, "log", "-1", "--format="+format).Output()
	if err != nil {
		return "", fmt.Errorf("git log --format=%s: %w", format, err)
	}
	return strings.TrimSpace(string(out)), nil
}

// tag returns the tag of a release that the checked-out commit has, empty if none.
func tag(ctx context.Context, root string) string {
	out, err := exec.CommandContext(ctx, "git", "-C", root, "describe", "--tags", "--exact-match", "--match=v[0-9]*").Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}
