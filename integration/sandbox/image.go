package sandbox

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/match"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Image is a base image that the sandbox can make on this machine, without a
// registry to pull it from. It is kept in build/images once made.
type Image struct {
	ref string
	// name and version identify the recipe; raise the version with each change
	// of what build makes.
	name    string
	version int
	// inputs returns what else the image depends on, nil if nothing.
	inputs func() (string, error)
	// build makes the image. It may use the empty directory work.
	build func(ctx context.Context, work string) (v1.ImageIndex, error)
}

// As returns the image under another reference, a repository with a tag such as
// library/busybox:stable.
func (i Image) As(ref string) Image {
	i.ref = ref
	return i
}

// Native makes the image, if build/images does not have it, and returns it for
// this machine's architecture.
func (i Image) Native(ctx context.Context) (v1.Image, error) {
	index, err := i.load(ctx)
	if err != nil {
		return nil, fmt.Errorf("make image %s: %w", i.ref, err)
	}
	images, err := partial.FindImages(index, match.Platforms(v1.Platform{OS: "linux", Architecture: runtime.GOARCH}))
	if err != nil {
		return nil, err
	}
	if len(images) != 1 {
		return nil, fmt.Errorf("image %s has %d images for linux/%s", i.ref, len(images), runtime.GOARCH)
	}
	return images[0], nil
}

// Seed pushes images to the sandbox's registry, where the daemon finds them as
// docker.io images. It makes those that build/images does not have.
func (s *Sandbox) Seed(ctx context.Context, images ...Image) error {
	for _, image := range images {
		index, err := image.load(ctx)
		if err != nil {
			return fmt.Errorf("make image %s: %w", image.ref, err)
		}
		if err := s.PushIndex(ctx, image.ref, index); err != nil {
			return err
		}
	}
	return nil
}

// PushIndex pushes an index to the sandbox's registry as ref, a repository with
// a tag and without a host.
func (s *Sandbox) PushIndex(ctx context.Context, ref string, index v1.ImageIndex) error {
	tag, err := s.tag(ref)
	if err == nil {
		err = remote.WriteIndex(tag, index, remote.WithContext(ctx))
	}
	if err != nil {
		return fmt.Errorf("push %s: %w", ref, err)
	}
	return nil
}

// PushImage pushes a single image to the sandbox's registry as ref, a repository
// with a tag and without a host.
func (s *Sandbox) PushImage(ctx context.Context, ref string, image v1.Image) error {
	tag, err := s.tag(ref)
	if err == nil {
		err = remote.Write(tag, image, remote.WithContext(ctx))
	}
	if err != nil {
		return fmt.Errorf("push %s: %w", ref, err)
	}
	return nil
}

func (s *Sandbox) tag(ref string) (name.Tag, error) {
	return name.NewTag(s.registryAddr+"/"+ref, name.Insecure)
}

// load returns the image from build/images, and makes it first if need be.
func (i Image) load(ctx context.Context) (v1.ImageIndex, error) {
	images, err := BuildDir("images")
	if err != nil {
		return nil, err
	}
	key, err := i.key()
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(images, i.name+"-"+key)
	err = withLock(ctx, filepath.Join(images, "."+i.name+".lock"), func() error {
		if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		fmt.Fprintln(os.Stderr, "sandbox: making the base image", i.name)
		return i.make(ctx, dir)
	})
	if err != nil {
		return nil, err
	}
	return layout.ImageIndexFromPath(dir)
}

func (i Image) key() (string, error) {
	var inputs string
	if i.inputs != nil {
		var err error
		if inputs, err = i.inputs(); err != nil {
			return "", err
		}
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d %s", i.name, i.version, inputs))
	return fmt.Sprintf("%x", sum[:6]), nil
}

// make writes the image to dir as an OCI layout, all of it or nothing.
func (i Image) make(ctx context.Context, dir string) error {
	tmp, err := os.MkdirTemp(filepath.Dir(dir), ".making-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	work := filepath.Join(tmp, "work")
	if err := os.Mkdir(work, 0o755); err != nil {
		return err
	}
	index, err := i.build(ctx, work)
	if err != nil {
		return err
	}
	done := filepath.Join(tmp, "layout")
	if _, err := layout.Write(done, index); err != nil {
		return err
	}
	return os.Rename(done, dir)
}

// newImage returns an image for a platform such as linux/arm64, in OCI format.
func newImage(platform string, config v1.Config, layers ...v1.Layer) (v1.Image, error) {
	p, err := v1.ParsePlatform(platform)
	if err != nil {
		return nil, err
	}
	file := &v1.ConfigFile{
		OS: p.OS, Architecture: p.Architecture, Variant: p.Variant, Config: config,
		RootFS: v1.RootFS{Type: "layers"},
	}
	image, err := mutate.ConfigFile(mutate.MediaType(empty.Image, types.OCIManifestSchema1), file)
	if err != nil {
		return nil, err
	}
	image = mutate.ConfigMediaType(image, types.OCIConfigJSON)
	for n, layer := range layers {
		image, err = mutate.Append(image, mutate.Addendum{
			Layer:   layer,
			History: v1.History{CreatedBy: fmt.Sprintf("layer %d of %d", n+1, len(layers))},
		})
		if err != nil {
			return nil, err
		}
	}
	if len(config.Cmd) == 0 {
		return image, nil
	}
	return mutate.Append(image, mutate.Addendum{ // the history of docker build has a line for CMD too
		History: v1.History{CreatedBy: fmt.Sprintf("CMD %q", config.Cmd), EmptyLayer: true},
	})
}

// newIndex returns an OCI index of images, one for each platform.
func newIndex(images ...v1.Image) (v1.ImageIndex, error) {
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, image := range images {
		config, err := image.ConfigFile()
		if err != nil {
			return nil, err
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add:        image,
			Descriptor: v1.Descriptor{Platform: config.Platform()},
		})
	}
	return index, nil
}

// defaultPath is the PATH of the usual Linux base images.
const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

func withPath(extra ...string) []string {
	return []string{"PATH=" + strings.Join(append(extra, defaultPath), ":")}
}
