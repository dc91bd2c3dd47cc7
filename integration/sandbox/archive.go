package sandbox

import (
	"context"
	"fmt"
	"os"

	"github.com/google/go-containerregistry/pkg/v1/layout"
)

// PushArchive pushes an OCI archive with one multi-platform image, such as
// ExportOCI and make image write, to the sandbox's registry as ref, a repository
// with a tag and without a host.
func (s *Sandbox) PushArchive(ctx context.Context, ref, path string) error {
	dir, err := os.MkdirTemp("", "cachewright-archive-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := run(ctx, "tar", "-C", dir, "-xf", path); err != nil {
		return err
	}
	outer, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		return err
	}
	manifest, err := outer.IndexManifest()
	if err != nil {
		return err
	}
	if len(manifest.Manifests) != 1 || !manifest.Manifests[0].MediaType.IsIndex() {
		return fmt.Errorf("%s does not hold one multi-platform image", path)
	}
	index, err := outer.ImageIndex(manifest.Manifests[0].Digest)
	if err != nil {
		return err
	}
	return s.PushIndex(ctx, ref, index)
}
