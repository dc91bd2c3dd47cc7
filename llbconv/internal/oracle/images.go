package oracle

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/distribution/reference"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

// Images is a fake registry. Any name that is a valid reference is an image; its
// config depends on words in the repository's name:
//
//	missing     there is no such image, nor "alpin"
//	broken      the config is not JSON
//	nopath      no PATH in its environment
//	env         more variables
//	user        a USER
//	workdir     a WORKDIR; relworkdir a relative one
//	onbuild     ONBUILD triggers, onbuildfrom one that needs another image,
//	            onbuildbad one that cannot be parsed
//	empty       no layers at all; schema1 layers that only history tells of
//	arm         linux/arm64, whatever was asked for
//	intel       linux/amd64, whatever was asked for
//	windows     windows/amd64
//	shell       a SHELL, CMD and ENTRYPOINT
//	labels      labels, ports, volumes, a healthcheck and history
//	moved       a policy replaces the reference by another one
//	nodigest    no digest is known
type Images struct {
	// Delay is how long a lookup takes at most.
	Delay time.Duration
}

// ResolveImageConfig implements llb.ImageMetaResolver.
func (r Images) ResolveImageConfig(ctx context.Context, ref string, opt sourceresolver.Opt) (string, digest.Digest, []byte, error) {
	if r.Delay > 0 {
		select {
		case <-ctx.Done():
			return "", "", nil, ctx.Err()
		case <-time.After(rand.N(r.Delay)):
		}
	}
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return "", "", nil, err
	}
	repo := reference.Path(named)
	has := func(word string) bool { return strings.Contains(repo, word) }
	if has("missing") || repo == "library/alpin" {
		return "", "", nil, fmt.Errorf("%s: not found", ref)
	}
	dgst := digest.FromString(ref)
	if d, ok := named.(reference.Digested); ok {
		dgst = d.Digest()
	}
	if has("moved") {
		ref = strings.Replace(ref, "moved", "target", 1)
	}
	if has("nodigest") {
		dgst = ""
	}
	if has("broken") {
		return ref, dgst, []byte("{"), nil
	}
	var platform *ocispecs.Platform
	if opt.ImageOpt != nil {
		platform = opt.ImageOpt.Platform
	} else if opt.OCILayoutOpt != nil {
		platform = opt.OCILayoutOpt.Platform
	}
	dt, err := json.Marshal(imageConfig(platform, has))
	return ref, dgst, dt, err
}

// imageConfig makes a config; has tells which of the words of Images apply.
func imageConfig(platform *ocispecs.Platform, has func(string) bool) *dockerspec.DockerOCIImage {
	img := &dockerspec.DockerOCIImage{}
	img.OS, img.Architecture = "linux", "amd64"
	img.Created = &lastChange
	if platform != nil {
		img.Platform = *platform
	}
	img.RootFS = ocispecs.RootFS{Type: "layers", DiffIDs: []digest.Digest{digest.FromString("layer")}}
	cfg := &img.Config
	cfg.Env = []string{"PATH=/usr/local/bin:/bin"}
	if has("nopath") {
		cfg.Env = nil
	}
	if has("env") {
		cfg.Env = append(cfg.Env, "LANG=C.UTF-8", "EMPTY=", "A=from-image", "A=twice")
	}
	if has("user") {
		cfg.User = "app:staff"
	}
	switch {
	case has("relworkdir"):
		cfg.WorkingDir = "rel/dir"
	case has("workdir"):
		cfg.WorkingDir = "/srv/app/"
	}
	if has("onbuild") {
		cfg.OnBuild = []string{"ARG TRIGGER=1", "RUN echo $TRIGGER", "COPY . /src", "WORKDIR /src"}
	}
	if has("onbuildfrom") {
		cfg.OnBuild = []string{"COPY --from=alpine /etc /etc", "RUN --mount=type=cache,target=/c true"}
	}
	if has("onbuildbad") {
		cfg.OnBuild = []string{"COPY"}
	}
	if has("empty") || has("schema1") {
		img.RootFS.DiffIDs = nil
		img.History = []ocispecs.History{{CreatedBy: "ENV", EmptyLayer: true}}
	}
	if has("schema1") {
		img.History = append(img.History, ocispecs.History{CreatedBy: "RUN"})
	}
	if has("arm") {
		img.Platform = ocispecs.Platform{OS: "linux", Architecture: "arm64", Variant: "v8"}
	}
	if has("intel") {
		img.Platform = ocispecs.Platform{OS: "linux", Architecture: "amd64"}
	}
	if has("windows") {
		img.Platform = ocispecs.Platform{OS: "windows", Architecture: "amd64", OSVersion: "10.0.20348"}
		cfg.Env = nil
	}
	if has("shell") {
		cfg.Shell = []string{"/bin/bash", "-c"}
		cfg.Cmd = []string{"bash"}
		cfg.Entrypoint = []string{"/entry"}
	}
	if has("labels") {
		cfg.Labels = map[string]string{"a": "1", "b": "2"}
		cfg.ExposedPorts = map[string]struct{}{"80/tcp": {}}
		cfg.Volumes = map[string]struct{}{"/data": {}}
		cfg.Healthcheck = &dockerspec.HealthcheckConfig{Test: []string{"CMD", "true"}}
		img.Author = "somebody"
		img.History = []ocispecs.History{{CreatedBy: "layer"}}
	}
	return img
}
