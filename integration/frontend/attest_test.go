package frontend_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/moby/buildkit/client"

	"github.com/cachewright/cachewright/integration/sandbox"
)

// scanner is the recipe of an SBOM scanner. Each SBOM has the name of the filesystem
// that it is of, what is at its top, and a parameter.
const scanner = `FROM busybox
COPY --chmod=755 <<'END' /scan
#!/bin/sh
set -e
for src in "$BUILDKIT_SCAN_SOURCE" "$BUILDKIT_SCAN_SOURCE_EXTRAS"/*; do
  if [ ! -d "$src" ]; then continue; fi
  files="$(cd "$src" && echo *)"
  cat >"$BUILDKIT_SCAN_DESTINATION/$(basename "$src").spdx.json" <<E
{"_type": "https://in-toto.io/Statement/v0.1", "predicateType": "https://spdx.dev/Document",
 "predicate": {"spdxVersion": "SPDX-2.3", "SPDXID": "$(basename "$src")", "name": "$files", "comment": "$BUILDKIT_SCAN_KEY"}}
E
done
END
ENTRYPOINT ["/scan"]
`

const scanned = `FROM --platform=$BUILDPLATFORM busybox AS build
ARG BUILDKIT_SBOM_SCAN_STAGE=true
ARG BUILDKIT_SBOM_SCAN_CONTEXT=true
RUN touch /made
FROM scratch AS unscanned
COPY f /unscanned
FROM scratch
ARG BUILDKIT_SBOM_SCAN_CONTEXT=true
COPY --from=build /made /app
COPY --from=unscanned / /
`

// TestAttestations builds for two platforms with SBOM and provenance. Both
// frontends have to attest the same, but for who built.
func TestAttestations(t *testing.T) {
	sb := start(t)
	generator := pushScanner(t, sb)
	dir := sandbox.Files(t, map[string]string{"Dockerfile": scanned, "f": "content", "g": ""})
	var found []map[string]any
	for i, frontend := range frontends {
		image := fmt.Sprintf("attested:%d", i)
		r, err := sb.Solve(t.Context(), sandbox.Build{
			Frontend: frontend,
			Context:  dir,
			Attrs: map[string]string{
				"platform":          "linux/amd64,linux/arm64",
				"attest:sbom":       "generator=" + generator + ",KEY=value",
				"attest:provenance": "mode=max",
			},
			Exports: []client.ExportEntry{sb.ExportImage(image)},
		})
		if err != nil {
			t.Fatalf("%v\n%s", err, r)
		}
		found = append(found, attestations(t, sb, image))
	}
	ours := found[0]
	for _, platform := range []string{"linux/amd64", "linux/arm64"} {
		for kind, want := range map[string]string{"sbom": "app unscanned", "sbom-build": " made ", "sbom-context": "f"} {
			got, _ := ours[platform+" "+kind].(sbom)
			if !strings.Contains(got.Files, want) || got.Comment != "value" {
				t.Errorf("%s of %s: %+v, want one with %q and the parameter", kind, platform, got, want)
			}
		}
		if ours[platform+" provenance"] == nil {
			t.Errorf("no provenance of %s", platform)
		}
	}
	if d := cmp.Diff(found[1], ours); d != "" {
		t.Errorf("-upstream +ours\n%s", d)
	}
}

// pushScanner builds the scanner and returns its reference.
func pushScanner(t *testing.T, sb *sandbox.Sandbox) string {
	t.Helper()
	_, err := sb.Solve(t.Context(), sandbox.Build{
		Frontend: sandbox.FrontendRef,
		Context:  sandbox.Files(t, map[string]string{"Dockerfile": scanner}),
		Exports:  []client.ExportEntry{sb.ExportImage("scanner:1")},
	})
	if err != nil {
		t.Fatal(err)
	}
	return sb.Registry() + "/scanner:1"
}

// attestations reads the predicates that are attached to an image: the key is the
// platform and the kind.
func attestations(t *testing.T, sb *sandbox.Sandbox, image string) map[string]any {
	t.Helper()
	all, err := sb.Attestations(image)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]any{}
	for _, a := range all {
		if !strings.Contains(a.Type, "spdx") {
			found[a.Platform+" provenance"] = comparableProvenance(t, a.Predicate)
			continue
		}
		var list sbom
		if err := json.Unmarshal(a.Predicate, &list); err != nil {
			t.Fatal(err)
		}
		found[a.Platform+" "+list.Source] = list
	}
	return found
}

// sbom is what the scanner makes.
type sbom struct {
	Source  string `json:"SPDXID"` // sbom, or sbom-NAME of a stage or the context
	Files   string `json:"name"`
	Comment string `json:"comment"`
}

// provenance has the parts of SLSA provenance that do not depend on the time, the
// session and the frontend's name.
type provenance struct {
	BuildDefinition struct {
		InternalParameters struct {
			BuildConfig struct {
				LLBDefinition []any `json:"llbDefinition"`
			} `json:"buildConfig"`
		} `json:"internalParameters"`
		ResolvedDependencies []struct {
			URI    string            `json:"uri"`
			Digest map[string]string `json:"digest"`
		} `json:"resolvedDependencies"`
	} `json:"buildDefinition"`
	RunDetails struct {
		Metadata struct {
			BuildKit struct {
				Layers map[string]any `json:"layers"`
				Source struct {
					Locations map[string]any `json:"locations"`
				} `json:"source"`
			} `json:"buildkit_metadata"`
		} `json:"metadata"`
	} `json:"runDetails"`
}

// comparableProvenance returns what two frontends' provenance has in common. The
// image of the frontend itself is among the dependencies.
func comparableProvenance(t *testing.T, dt []byte) provenance {
	t.Helper()
	var p provenance
	if err := json.Unmarshal(dt, &p); err != nil {
		t.Fatal(err)
	}
	d := &p.BuildDefinition
	before := len(d.ResolvedDependencies)
	for i, dep := range d.ResolvedDependencies {
		if strings.HasPrefix(dep.URI, "pkg:docker/cachewright/dockerfile@") {
			d.ResolvedDependencies = slices.Delete(d.ResolvedDependencies, i, i+1)
			break
		}
	}
	if len(d.InternalParameters.BuildConfig.LLBDefinition) == 0 || before == 0 || len(p.RunDetails.Metadata.BuildKit.Source.Locations) == 0 {
		t.Errorf("provenance is not complete: %s", dt)
	}
	return p
}
