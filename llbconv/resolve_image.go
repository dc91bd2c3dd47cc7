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
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/solver/pb"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/pkg/errors"
)

// foundImage is what a registry says about an image.
type foundImage struct {
	asked, name string // as it was asked for, and found; a source policy may name another image
	digest      digest.Digest
	config      []byte
}

// pin returns the reference of the image, which was found for ref, with its digest.
func (f *foundImage) pin(ref reference.Named) (reference.Named, error) {
	if f.name != f.asked {
		var err error
		if ref, err = reference.ParseNormalizedNamed(f.name); err != nil {
			return nil, errors.Wrapf(err, "failed to parse ref %q", f.name)
		}
	}
	if f.digest == "" {
		return ref, nil
	}
	return reference.WithDigest(ref, f.digest)
}

// lookupImage asks for an image's config and digest.
func (c *conversion) lookupImage(ctx context.Context, ref reference.Named, platform *ocispecs.Platform) (*foundImage, error) {
	name, prefix := ref.String(), ""
	if c.opt.Config.MultiPlatformRequested {
		prefix = platforms.FormatAll(*platform) + " "
	}
	resolved, dgst, dt, err := c.opt.MetaResolver.ResolveImageConfig(ctx, name, sourceresolver.Opt{
		LogName: fmt.Sprintf("[%sinternal] load metadata for %s", prefix, name),
		ImageOpt: &sourceresolver.ResolveImageOpt{
			Platform:    platform,
			ResolveMode: c.opt.Config.ImageResolveMode.String(),
		},
	})
	if err != nil {
		return nil, err
	}
	return &foundImage{asked: name, name: resolved, digest: dgst, config: dt}, nil
}

// setImageRoot makes the image source of a stage whose base is an image.
func (c *conversion) setImageRoot(s *stage) {
	s.prefix = s.stepPrefix(c, false, s.platform, nil)
	v := newVertex(imageSource(s.ref, c.opt.Config.ImageResolveMode), s.prefix+"FROM "+s.pinned, pb.CapSourceImage)
	if c.opt.Config.ImageResolveMode == llb.ResolveModeForcePull {
		v.needs(pb.CapSourceImageResolveMode)
	}
	v.platform = s.platform
	v.meta.Description[keyCommand] = s.decl.SourceCode
	v.source, v.location = c.opt.SourceMap, s.decl.Location
	s.root = rootfs{out: v.Output()}
	s.root.setPlatform(*s.platform)
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
func (c *conversion) takeImage(s *stage) error {
	if s.found == nil {
		return nil
	}
	platform, img := c.platformOf(s), &dockerspec.DockerOCIImage{}
	pinned, err := s.found.pin(s.ref)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(s.found.config, img); err != nil {
		return errors.Wrap(err, "failed to parse image config")
	}
	s.baseImage = cloneImage(img)
	img.Created = nil
	if s.platform == nil && c.implicitPlatform {
		platform = c.imagePlatform(img, platform)
	}
	s.platform = platform
	s.config = newImageConfig(img)
	if isEmptyImage(img) {
		return nil
	}
	if c.notText && !utf8.ValidString(s.decl.SourceCode) {
		return errNotText
	}
	s.ref, s.pinned = pinned, pinned.String()
	return nil
}

// isEmptyImage tells whether an image has no layers. Old manifests do not list
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
