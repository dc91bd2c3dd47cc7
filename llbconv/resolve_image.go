package llbconv

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/containerd/platforms"
	"github.com/distribution/reference"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/pkg/errors"

	"github.com/cachewright/cachewright/llbconv/internal/source"
	"github.com/cachewright/cachewright/llbconv/internal/vertex"
)

// lookupImage asks for an image's config and digest.
func (c *conversion) lookupImage(ctx context.Context, ref reference.Named, platform *ocispecs.Platform) (*source.Image, error) {
	name, prefix := ref.String(), ""
	if c.opt.Config.MultiPlatformRequested {
		prefix = platforms.FormatAll(*platform) + " "
	}
	return c.lookup.Image(ctx, name, platform, fmt.Sprintf("[%sinternal] load metadata for %s", prefix, name))
}

// setImageRoot makes the image source of a stage whose base is an image. It is the
// stage's first step.
func (c *conversion) setImageRoot(s *stage, b *base) {
	b.prefix = c.stepPrefix(s, 1, false, b.platform, nil)
	v := vertex.New(source.NewImage(b.ref, c.opt.Config.ImageResolveMode), b.prefix+"FROM "+b.pinned, pb.CapSourceImage)
	if c.opt.Config.ImageResolveMode == llb.ResolveModeForcePull {
		v.Needs(pb.CapSourceImageResolveMode)
	}
	v.Platform = b.platform
	v.Meta.Description[keyCommand] = s.decl.SourceCode
	v.SourceMap, v.Location = c.opt.SourceMap, s.decl.Location
	b.root = rootfs{out: v.Output()}
	b.root.setPlatform(*b.platform)
}

// imagePlatform picks the platform of an image when none was asked for: the
// image's own if the builder supports it.
func (c *conversion) imagePlatform(img *dockerspec.DockerOCIImage, target *ocispecs.Platform) *ocispecs.Platform {
	same := func(p ocispecs.Platform) bool { return p.OS == img.OS && p.Architecture == img.Architecture }
	if same(*target) {
		return target
	}
	if i := slices.IndexFunc(c.buildPlatforms, same); i >= 0 {
		return &c.buildPlatforms[i]
	}
	return target
}

// platformOf is the platform that a stage's FROM asks for, or else the build's.
func (c *conversion) platformOf(s *stage) *ocispecs.Platform {
	if s.platform != nil {
		return s.platform
	}
	return &c.targetPlatform
}

// takeImage reads the config of the image that was found for a stage, if it has
// one. This is not done where images are looked up: each of those goroutines would
// have to grow its stack for it.
func (c *conversion) takeImage(s *stage, b *base) error {
	if b.found == nil {
		return nil
	}
	platform, img := c.platformOf(s), &dockerspec.DockerOCIImage{}
	pinned, err := b.found.Pin(b.ref)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b.found.Config, img); err != nil {
		return errors.Wrap(err, "failed to parse image config")
	}
	b.baseImage = cloneImage(img)
	img.Created = nil
	if s.platform == nil && c.implicitPlatform {
		platform = c.imagePlatform(img, platform)
	}
	b.platform = platform
	b.config = newImageConfig(img)
	if isEmptyImage(img) {
		return nil
	}
	if c.notText && !utf8.ValidString(s.decl.SourceCode) {
		return vertex.ErrNotText
	}
	b.ref, b.pinned = pinned, pinned.String()
	return nil
}

// isEmptyImage reports whether an image has no layers. Old manifests do not list
// layers; their history does.
func isEmptyImage(img *dockerspec.DockerOCIImage) bool {
	return len(img.RootFS.DiffIDs) == 0 &&
		!slices.ContainsFunc(img.History, func(h ocispecs.History) bool { return !h.EmptyLayer })
}

// commonImages are well-known names to suggest when a base cannot be found.
func commonImages() []string {
	var out []string
	for _, name := range []string{"alpine", "busybox", "centos", "debian", "golang", "ubuntu", "fedora"} {
		out = append(out, name, "docker.io/library/"+name, name+":latest", "docker.io/library/"+name+":latest")
	}
	return out
}
