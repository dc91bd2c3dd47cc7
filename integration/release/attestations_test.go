package release_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	spdxjson "github.com/spdx/tools-golang/json"

	"github.com/cachewright/cachewright/integration/release"
	"github.com/cachewright/cachewright/integration/sandbox"
)

// checkAttested reads what is attached to the published image: for each platform
// one SBOM and one provenance.
func checkAttested(t *testing.T, sb *sandbox.Sandbox) {
	t.Helper()
	attestations, err := sb.Attestations(syntax)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]int{}
	for _, a := range attestations {
		found[a.Platform+" "+a.Type]++
		switch a.Type {
		case "https://spdx.dev/Document":
			checkSBOM(t, a)
		case "https://slsa.dev/provenance/v1":
			checkProvenance(t, a)
		}
	}
	want := map[string]int{}
	for platform := range strings.SplitSeq(release.Platforms, ",") {
		want[platform+" https://spdx.dev/Document"] = 1
		want[platform+" https://slsa.dev/provenance/v1"] = 1
	}
	if d := cmp.Diff(want, found); d != "" {
		t.Errorf("attestations: -want +got\n%s", d)
	}
}

// checkSBOM compares the packages with the modules that the go command links, and
// the file with what BuildKit found in the layers.
func checkSBOM(t *testing.T, a sandbox.Attestation) {
	t.Helper()
	doc, err := spdxjson.Read(bytes.NewReader(a.Predicate))
	if err != nil {
		t.Fatal(err)
	}
	want, err := release.Dependencies(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want["github.com/cachewright/cachewright"] = ""
	want["stdlib"] = strings.TrimPrefix(runtime.Version(), "go")
	got := map[string]string{}
	for _, p := range doc.Packages {
		got[p.PackageName] = p.PackageVersion
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s: modules of the SBOM: -want +got\n%s", a.Platform, d)
	}
	if len(doc.Files) != 1 || doc.Files[0].FileName != "/bin/cachewright" || !strings.HasPrefix(doc.Files[0].FileComment, "layerID: sha256:") {
		t.Errorf("%s: files of the SBOM: %+v", a.Platform, doc.Files)
	}
}

// checkProvenance looks for the frontend that built the image, the recipe and what
// it was built from.
func checkProvenance(t *testing.T, a sandbox.Attestation) {
	t.Helper()
	var p struct {
		BuildDefinition struct {
			ExternalParameters struct {
				ConfigSource struct{ Path string }
				Request      struct {
					Args map[string]string
				}
			}
			ResolvedDependencies []struct {
				URI    string
				Digest map[string]string
			}
		}
		RunDetails struct {
			Metadata struct {
				BuildKit struct {
					Source struct {
						Infos []struct {
							Filename string
							Data     []byte
						}
					}
				} `json:"buildkit_metadata"`
			}
		}
	}
	if err := json.Unmarshal(a.Predicate, &p); err != nil {
		t.Fatal(err)
	}
	parameters := p.BuildDefinition.ExternalParameters
	if got := parameters.ConfigSource.Path; got != "Dockerfile" {
		t.Errorf("%s: the recipe is %q", a.Platform, got)
	}
	if got := parameters.Request.Args["source"]; got != "cachewright/dockerfile:bootstrap" {
		t.Errorf("%s: the frontend is %q of %v", a.Platform, got, parameters.Request.Args)
	}
	pinned := map[string]bool{}
	for _, d := range p.BuildDefinition.ResolvedDependencies {
		name, _, _ := strings.Cut(strings.TrimPrefix(d.URI, "pkg:docker/"), "@")
		pinned[name] = d.Digest["sha256"] != ""
	}
	if want := map[string]bool{"cachewright/dockerfile": true, "cachewright/gosbom": true, "golang": true}; !maps.Equal(pinned, want) {
		t.Errorf("%s: built from %v, want %v", a.Platform, pinned, slices.Sorted(maps.Keys(want)))
	}
	root, err := sandbox.RepoRoot()
	if err != nil {
		t.Fatal(err)
	}
	recipe, err := os.ReadFile(filepath.Join(root, "Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	infos := p.RunDetails.Metadata.BuildKit.Source.Infos
	if len(infos) == 0 || infos[0].Filename != "Dockerfile" || !bytes.Equal(infos[0].Data, recipe) {
		t.Errorf("%s: the text of the recipe is not in the provenance", a.Platform)
	}
}
