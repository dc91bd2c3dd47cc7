package sandbox

import (
	"encoding/json"
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// Attestation is what an image in the registry says about the image of one of its
// platforms.
type Attestation struct {
	Platform  string          // such as linux/arm64
	Type      string          // URI of the predicate's type
	Predicate json.RawMessage // the SBOM or provenance
}

// Attestations returns the attestations in an index of the sandbox's registry; ref
// is a repository with a tag and without a host. It fails when ref is no index.
func (s *Sandbox) Attestations(ref string) ([]Attestation, error) {
	tag, err := s.tag(ref)
	if err != nil {
		return nil, err
	}
	index, err := remote.Index(tag)
	if err != nil {
		return nil, err
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		return nil, err
	}
	platforms := map[string]string{}
	for _, m := range manifest.Manifests {
		platforms[m.Digest.String()] = m.Platform.String()
	}
	var found []Attestation
	for _, m := range manifest.Manifests {
		platform, ok := platforms[m.Annotations["vnd.docker.reference.digest"]]
		if !ok {
			continue // the image of a platform
		}
		image, err := index.Image(m.Digest)
		if err != nil {
			return nil, err
		}
		statements, err := statements(image)
		if err != nil {
			return nil, fmt.Errorf("attestations of %s for %s: %w", ref, platform, err)
		}
		for _, a := range statements {
			a.Platform = platform
			found = append(found, a)
		}
	}
	return found, nil
}

// statements reads the layers of an attestation manifest.
func statements(image v1.Image) ([]Attestation, error) {
	layers, err := image.Layers()
	if err != nil {
		return nil, err
	}
	var found []Attestation
	for _, layer := range layers {
		r, err := layer.Uncompressed()
		if err != nil {
			return nil, err
		}
		defer r.Close()
		var statement struct {
			Type      string          `json:"predicateType"`
			Predicate json.RawMessage `json:"predicate"`
		}
		if err := json.NewDecoder(r).Decode(&statement); err != nil {
			return nil, err
		}
		found = append(found, Attestation{Type: statement.Type, Predicate: statement.Predicate})
	}
	return found, nil
}
