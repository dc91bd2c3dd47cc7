package llbconv

import (
	"maps"
	"slices"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/util/system"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

// imageConfig is the config of the image that a stage would make. Env and
// History are kept outside img until image assembles the result, because a
// stage's children share them.
type imageConfig struct {
	img     dockerspec.DockerOCIImage
	env     *orderedEnv
	history *history
}

// newImageConfig takes over a base image's config.
func newImageConfig(img *dockerspec.DockerOCIImage) *imageConfig {
	c := &imageConfig{img: *img, env: newOrderedEnv(img.Config.Env), history: &history{inherited: img.History}}
	c.img.Config.Env, c.img.History = nil, nil
	return c
}

// child returns the config for a stage based on this one. ONBUILD triggers are
// not inherited.
func (c *imageConfig) child() *imageConfig {
	n := &imageConfig{img: *cloneImage(&c.img), env: c.env.clone(), history: &history{parent: c.history}}
	n.img.Config.OnBuild = nil
	return n
}

func (c *imageConfig) onBuild() []string {
	triggers := c.img.Config.OnBuild
	c.img.Config.OnBuild = nil
	return triggers
}

// image assembles the result.
func (c *imageConfig) image(d decisions) *dockerspec.DockerOCIImage {
	img := c.img
	img.Config.Env = c.env.list
	img.History = c.history.entries(d)
	return &img
}

// setTarget records the platform that was asked for in a target's config.
func setTarget(img *dockerspec.DockerOCIImage, p ocispecs.Platform, implicit bool) {
	if !implicit {
		same := p.OS == img.OS && p.Architecture == img.Architecture
		img.OS, img.Architecture = p.OS, p.Architecture
		if p.Variant != "" || !same {
			img.Variant = p.Variant
		}
		if p.OSVersion != "" || !same {
			img.OSVersion = p.OSVersion
		}
		if p.OSFeatures != nil {
			img.OSFeatures = slices.Clone(p.OSFeatures)
		}
	}
	img.Platform = platforms.Normalize(img.Platform)
}

// cloneImage copies a config so that changes to one do not show in the other.
func cloneImage(src *dockerspec.DockerOCIImage) *dockerspec.DockerOCIImage {
	if src == nil {
		return nil
	}
	img := *src
	cfg := &img.Config
	cfg.Env = slices.Clone(cfg.Env)
	cfg.Cmd = slices.Clone(cfg.Cmd)
	cfg.Entrypoint = slices.Clone(cfg.Entrypoint)
	cfg.OnBuild = slices.Clone(cfg.OnBuild)
	cfg.Shell = slices.Clone(cfg.Shell)
	cfg.ExposedPorts = maps.Clone(cfg.ExposedPorts)
	cfg.Volumes = maps.Clone(cfg.Volumes)
	cfg.Labels = maps.Clone(cfg.Labels)
	if hc := cfg.Healthcheck; hc != nil {
		copied := *hc
		copied.Test = slices.Clone(hc.Test)
		cfg.Healthcheck = &copied
	}
	img.History = slices.Clone(img.History)
	return &img
}

// emptyImage is the config of a stage that starts from scratch.
func emptyImage(p ocispecs.Platform) *dockerspec.DockerOCIImage {
	img := &dockerspec.DockerOCIImage{}
	img.Platform = p
	img.OSFeatures = slices.Clone(p.OSFeatures)
	img.RootFS.Type = "layers"
	img.Config.WorkingDir = "/"
	if p.OS != "windows" {
		img.Config.Env = []string{defaultPath(p.OS)}
	}
	return img
}

func defaultPath(os string) string {
	return "PATH=" + system.DefaultPathEnv(os)
}
