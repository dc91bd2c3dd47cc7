package release_test

import (
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/cachewright/cachewright/integration/release"
	"github.com/cachewright/cachewright/integration/sandbox"
)

// TestRelease builds and pushes a release as the workflow does, but for its signature,
// and looks for the version where it is shown.
func TestRelease(t *testing.T) {
	const repository, version = "acme/dockerfile", "v1.2.3"
	sb := sandbox.Shared(t, sandbox.Busybox)
	if err := release.Bake(t.Context(), sb, repository, version); err != nil {
		t.Fatal(err)
	}
	digests := map[string]bool{}
	for _, tag := range []string{"1", "1.2", "1.2.3"} {
		ref, err := name.NewTag(sb.Registry()+"/"+repository+":"+tag, name.Insecure)
		if err != nil {
			t.Fatal(err)
		}
		index, err := remote.Index(ref)
		if err != nil {
			t.Fatal(err)
		}
		digest, err := index.Digest()
		if err != nil {
			t.Fatal(err)
		}
		digests[digest.String()] = true
		if tag == "1" {
			checkLabels(t, ref, version)
		}
	}
	if len(digests) != 1 {
		t.Errorf("the tags are %d different images", len(digests))
	}
	attestations, err := sb.Attestations(repository + ":1")
	if err != nil || len(attestations) != 4 {
		t.Errorf("%d attestations, want an SBOM and provenance of both platforms (%v)", len(attestations), err)
	}
	checkVersion(t, sb, repository+":1", version)
}

// checkLabels reads the labels that tell what the image is.
func checkLabels(t *testing.T, ref name.Tag, version string) {
	t.Helper()
	for platform := range strings.SplitSeq(release.Platforms, ",") {
		p, err := v1.ParsePlatform(platform)
		if err != nil {
			t.Fatal(err)
		}
		image, err := remote.Image(ref, remote.WithPlatform(*p))
		if err != nil {
			t.Fatal(err)
		}
		config, err := image.ConfigFile()
		if err != nil {
			t.Fatal(err)
		}
		for label, want := range map[string]string{
			"version": version, "revision": "release", "licenses": "Apache-2.0", "title": "Cachewright",
			"source": "https://github.com/cachewright/cachewright",
		} {
			if got := config.Config.Labels["org.opencontainers.image."+label]; got != want {
				t.Errorf("%s: the label %s is %q, want %q", platform, label, got, want)
			}
		}
	}
}

// checkVersion asks the frontend and its binary for the version.
func checkVersion(t *testing.T, sb *sandbox.Sandbox, ref, version string) {
	t.Helper()
	dir := sandbox.Files(t, map[string]string{
		"Dockerfile": "# syntax=" + ref + "\nFROM busybox\nCOPY --from=" + ref + " /bin/cachewright /\nRUN /cachewright version >/version\n" +
			"FROM scratch\nCOPY --from=0 /version /\n",
	})
	for call, want := range map[string]string{
		"subrequests.describe": "of cachewright " + version,
		"cache,format=json":    `"frontend": "` + version + `"`,
	} {
		r, err := sb.Buildx(t.Context(), "--call="+call, dir)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(r.Stdout, want) {
			t.Errorf("--call=%s does not print %q:\n%s", call, want, r.Stdout)
		}
	}
	r, err := sb.Buildx(t.Context(), "--output=type=tar,dest=-", dir)
	if err != nil {
		t.Fatal(err)
	}
	if want := "cachewright " + version + "\n"; !strings.Contains(r.Stdout, want) {
		t.Errorf("the command version does not print %q", want)
	}
}
