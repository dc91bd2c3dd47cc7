package fields_test

import (
	"archive/zip"
	"bytes"
	"crypto/sha1" //nolint:gosec // what Composer's repositories have
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/cachewright/cachewright/integration/npmregistry"
)

// served are the packages that each registry has, and their versions.
var (
	servedPackages = []string{"left", "right"}
	servedVersions = []string{"1.0.0", "1.1.0"}
)

// serve serves files by their paths. They are made with the server's URL.
func serve(t *testing.T, pages func(url string) map[string][]byte) string {
	t.Helper()
	var files map[string][]byte
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		data, ok := files[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		if strings.HasSuffix(r.URL.Path, "/") {
			w.Header().Set("Content-Type", "text/html")
		}
		_, _ = w.Write(data)
	}))
	t.Cleanup(server.Close)
	files = pages(server.URL)
	return server.URL
}

// npmRegistry serves the packages as npm's registry does, and returns its URL.
func npmRegistry(t *testing.T) string {
	return serve(t, func(url string) map[string][]byte {
		var packages []npmregistry.Package
		for _, name := range servedPackages {
			for _, version := range servedVersions {
				packages = append(packages, npmregistry.Package{Name: name, Version: version, Index: fmt.Sprintf("module.exports = %q\n", version)})
			}
		}
		pages, err := npmregistry.Pages(url, packages)
		if err != nil {
			t.Fatal(err)
		}
		return pages
	})
}

// pythonIndex serves the packages as PyPI's simple index does, and returns the
// index's URL.
func pythonIndex(t *testing.T) string {
	return serve(t, func(string) map[string][]byte {
		out := map[string][]byte{}
		for _, name := range servedPackages {
			var page strings.Builder
			for _, version := range servedVersions {
				file := fmt.Sprintf("%s-%s-py3-none-any.whl", name, version)
				info := fmt.Sprintf("%s-%s.dist-info/", name, version)
				files := map[string]string{
					name + "/__init__.py": fmt.Sprintf("version = %q\n", version),
					info + "METADATA":     fmt.Sprintf("Metadata-Version: 2.1\nName: %s\nVersion: %s\n", name, version),
					info + "WHEEL":        "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
				}
				record := info + "RECORD,,\n"
				for _, f := range slices.Sorted(maps.Keys(files)) {
					sum := sha256.Sum256([]byte(files[f]))
					record += fmt.Sprintf("%s,sha256=%s,%d\n", f, base64.RawURLEncoding.EncodeToString(sum[:]), len(files[f]))
				}
				files[info+"RECORD"] = record
				data := zipped(t, files)
				sum := sha256.Sum256(data)
				out["/files/"+file] = data
				fmt.Fprintf(&page, "<a href=\"/files/%s#sha256=%x\">%s</a>\n", file, sum, file)
			}
			out["/simple/"+name+"/"] = []byte("<!DOCTYPE html><html><body>\n" + page.String() + "</body></html>\n")
		}
		return out
	}) + "/simple/"
}

// composerRepository serves the packages as a Composer repository, and returns its
// URL.
func composerRepository(t *testing.T) string {
	return serve(t, func(url string) map[string][]byte {
		out := map[string][]byte{}
		packages := map[string]any{}
		for _, name := range servedPackages {
			versions := map[string]any{}
			for _, version := range servedVersions {
				file := fmt.Sprintf("/%s-%s.zip", name, version)
				out[file] = zipped(t, map[string]string{
					"composer.json": fmt.Sprintf(`{"name":"served/%s"}`, name),
					"src/f.php":     fmt.Sprintf("<?php return %q;\n", version),
				})
				sum := sha1.Sum(out[file]) //nolint:gosec // what Composer's repositories have
				versions[version] = map[string]any{
					"name": "served/" + name, "version": version, "type": "library", "autoload": map[string]any{"classmap": []string{"src"}},
					"dist": map[string]string{"type": "zip", "url": url + file, "shasum": hex.EncodeToString(sum[:])},
				}
			}
			packages["served/"+name] = versions
		}
		out["/packages.json"] = encoded(t, map[string]any{"packages": packages})
		return out
	})
}

func encoded(t *testing.T, v any) []byte {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// zipped returns a zip archive.
func zipped(t *testing.T, files map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	archive := zip.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		w, err := archive.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(files[name])); err != nil {
			t.Fatal(err)
		}
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
