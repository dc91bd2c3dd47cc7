package release_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/cachewright/cachewright/integration/release"
	"github.com/cachewright/cachewright/integration/sandbox"
)

const syntax = "cachewright/dockerfile:1"

// TestImage builds the release image with the frontend of this tree, publishes
// it in the registry and builds with what was published.
func TestImage(t *testing.T) {
	sb := sandbox.Shared(t, sandbox.Busybox)
	archive := filepath.Join(t.TempDir(), "frontend.tar")
	if _, err := release.Build(t.Context(), sb, archive, t.Output()); err != nil {
		t.Fatal(err)
	}
	if err := sb.PushArchive(t.Context(), syntax, archive); err != nil {
		t.Fatal(err)
	}
	checkPublished(t, sb)
	checkAttested(t, sb)

	dir := sandbox.Files(t, map[string]string{
		"Dockerfile": "# syntax=" + syntax + "\nFROM busybox\nRUN echo built\n",
	})
	r, err := sb.Solve(t.Context(), sandbox.Build{Context: dir})
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []string{"resolve image config for docker-image://docker.io/" + syntax, "[2/2] RUN echo built"} {
		if s, err := r.Step(step); err != nil || !s.Ran() {
			t.Errorf("%s did not run: %v\n%s", step, err, r)
		}
	}
}

// checkPublished reads the image back from the registry.
func checkPublished(t *testing.T, sb *sandbox.Sandbox) {
	t.Helper()
	ref, err := name.NewTag(sb.Registry()+"/"+syntax, name.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	for platform := range strings.SplitSeq(release.Platforms, ",") {
		p, err := v1.ParsePlatform(platform)
		if err != nil {
			t.Fatal(err)
		}
		image, err := remote.Image(ref, remote.WithPlatform(*p))
		if err != nil {
			t.Fatalf("%s: %v", platform, err)
		}
		file, err := image.ConfigFile()
		if err != nil {
			t.Fatal(err)
		}
		if file.Architecture != p.Architecture {
			t.Errorf("%s: the image is for %s", platform, file.Architecture)
		}
		if got := file.Config.Labels["moby.buildkit.frontend.network.none"]; got != "true" {
			t.Errorf("%s: label network.none is %q", platform, got)
		}
		if caps := file.Config.Labels["moby.buildkit.frontend.caps"]; len(strings.Split(caps, ",")) != 5 {
			t.Errorf("%s: capabilities %q", platform, caps)
		}
		if len(file.Config.Entrypoint) != 1 || file.Config.Entrypoint[0] != "/bin/cachewright" {
			t.Errorf("%s: entry point %q", platform, file.Config.Entrypoint)
		}
		if layers, err := image.Layers(); err != nil || len(layers) != 1 {
			t.Errorf("%s: %d layers, %v", platform, len(layers), err)
		}
	}
}
