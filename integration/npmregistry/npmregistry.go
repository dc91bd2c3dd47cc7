// Package npmregistry makes what npm's registry answers, of packages that a test
// makes up, so that the package managers for Node.js install without another machine.
package npmregistry

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// Package is one version of a package.
type Package struct {
	Name, Version string
	// Index is the text of its only file but package.json, index.js.
	Index string
}

// Path returns where a registry has the package's archive.
func (p Package) Path() string { return fmt.Sprintf("/%s/-/%[1]s-%s.tgz", p.Name, p.Version) }

// Archive returns the package as a registry keeps it, the same bytes each time.
func (p Package) Archive() ([]byte, error) {
	return tarball(map[string]string{
		"package/package.json": fmt.Sprintf(`{"name":%q,"version":%q,"license":"MIT"}`, p.Name, p.Version),
		"package/index.js":     p.Index,
	})
}

// Integrity returns an archive's digest as lock files have it.
func Integrity(archive []byte) string {
	sum := sha512.Sum512(archive)
	return "sha512-" + base64.StdEncoding.EncodeToString(sum[:])
}

// Pages returns what a registry at url answers, by path: the archives, and a document
// for each name. Of a name's versions the one that is last in the list is the latest.
func Pages(url string, packages []Package) (map[string][]byte, error) {
	type document struct {
		Name     string            `json:"name"`
		Tags     map[string]string `json:"dist-tags"`
		Versions map[string]any    `json:"versions"`
	}
	documents := map[string]document{}
	out := map[string][]byte{}
	for _, p := range packages {
		archive, err := p.Archive()
		if err != nil {
			return nil, err
		}
		out[p.Path()] = archive
		d, ok := documents[p.Name]
		if !ok {
			d = document{Name: p.Name, Tags: map[string]string{}, Versions: map[string]any{}}
			documents[p.Name] = d
		}
		d.Tags["latest"] = p.Version
		d.Versions[p.Version] = map[string]any{"name": p.Name, "version": p.Version, "license": "MIT", "dist": map[string]string{
			"tarball": url + p.Path(), "integrity": Integrity(archive),
		}}
	}
	for name, d := range documents {
		data, err := json.Marshal(d)
		if err != nil {
			return nil, err
		}
		out["/"+name] = data
	}
	return out, nil
}

// tarball returns a gzipped tar archive.
func tarball(files map[string]string) ([]byte, error) {
	var b bytes.Buffer
	zip := gzip.NewWriter(&b)
	archive := tar.NewWriter(zip)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := archive.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(files[name]))}); err != nil {
			return nil, err
		}
		if _, err := archive.Write([]byte(files[name])); err != nil {
			return nil, err
		}
	}
	if err := archive.Close(); err != nil {
		return nil, err
	}
	if err := zip.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
