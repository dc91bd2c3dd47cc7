package travel_test

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	bkclient "github.com/moby/buildkit/client"

	"github.com/cachewright/cachewright/integration/cacheapi"
	"github.com/cachewright/cachewright/integration/sandbox"
)

// transports are the ways in which something travels, each used by the tests of all that
// does. docs/ci.md lists them.
func transports(sb *sandbox.Sandbox) map[string]func(*testing.T) transport {
	return map[string]func(*testing.T) transport{
		"registry":          func(*testing.T) transport { return registry(sb, "mode", "max") },
		"registry min zstd": func(*testing.T) transport { return registry(sb, "mode", "min", "compression", "zstd") },
		"registry index":    func(*testing.T) transport { return registry(sb, "mode", "max", "image-manifest", "false") },
		"registry Docker": func(*testing.T) transport {
			return registry(sb, "mode", "min", "image-manifest", "false", "oci-mediatypes", "false")
		},
		"local":       func(t *testing.T) transport { return local(t, "mode", "max") },
		"local index": func(t *testing.T) transport { return local(t, "mode", "max", "image-manifest", "false") },
		"local min Docker": func(t *testing.T) transport {
			return local(t, "mode", "min", "image-manifest", "false", "oci-mediatypes", "false")
		},
		"s3":      func(t *testing.T) transport { return s3(t, "max") },
		"gha":     func(t *testing.T) transport { return gha(t, "max") },
		"gha min": func(t *testing.T) transport { return gha(t, "min") },
		"azblob":  func(t *testing.T) transport { return azblob(t, "max") },
	}
}

// The table in the documentation has the kinds of caches that are tested, and no others.
func TestTable(t *testing.T) {
	docs, err := os.ReadFile("../../docs/ci.md")
	must(t, err)
	listed := map[string]bool{}
	for row := range strings.Lines(string(docs)) {
		if kind, rest, ok := strings.Cut(strings.TrimPrefix(row, "| `type="), "`"); ok && strings.HasPrefix(row, "| `type=") {
			_, rest, _ = strings.Cut(rest, "| ")
			listed[kind] = listed[kind] || strings.HasPrefix(rest, "yes")
		}
	}
	tested := map[string]bool{"inline": false} // in a test of its own
	for _, tr := range transports(start(t)) {
		tested[tr(t).exports[0].Type] = true
	}
	if !maps.Equal(listed, tested) {
		t.Errorf("the table has %v, tested are %v", listed, tested)
	}
}

// s3 is a bucket of its own on an S3 server.
func s3(t *testing.T, mode string) transport {
	t.Helper()
	backend := s3mem.New()
	if err := backend.CreateBucket("cache"); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(gofakes3.New(backend).Server())
	t.Cleanup(server.Close)
	attrs := []string{"bucket", "cache", "region", "us-east-1", "name", "app", "endpoint_url", server.URL,
		"use_path_style", "true", "access_key_id", "id", "secret_access_key", "secret"}
	return transport{
		imports: []bkclient.CacheOptionsEntry{entry("s3", attrs...)},
		exports: []bkclient.CacheOptionsEntry{entry("s3", append(attrs, "mode", mode)...)},
	}
}

// main is the branch of most builds.
var main = cacheapi.Scope{Name: "refs/heads/main", Right: cacheapi.Read | cacheapi.Write}

// gha is GitHub's cache of a repository of its own.
func gha(t *testing.T, mode string) transport {
	server := cacheapi.NewGitHub(t)
	return github(server, server.Token(main), mode)
}

// github is GitHub's cache for who has a token.
func github(server *cacheapi.GitHub, token, mode string) transport {
	attrs := []string{"url_v2", server.URL, "token", token}
	return transport{
		imports: []bkclient.CacheOptionsEntry{entry("gha", attrs...)},
		exports: []bkclient.CacheOptionsEntry{entry("gha", append(attrs, "mode", mode)...)},
	}
}

// azblob is a storage account of its own.
func azblob(t *testing.T, mode string) transport {
	t.Helper()
	attrs := []string{"account_url", cacheapi.NewBlobs(t).URL, "account_name", "account",
		"secret_access_key", base64.StdEncoding.EncodeToString([]byte("key"))}
	return transport{
		imports: []bkclient.CacheOptionsEntry{entry("azblob", attrs...)},
		exports: []bkclient.CacheOptionsEntry{entry("azblob", append(attrs, "mode", mode)...)},
	}
}

// An inline cache has the layers of the image and nothing else: nothing travels in it,
// nothing is said, and the image is the one without the rule.
func TestInline(t *testing.T) {
	p := newProject(t, transport{}, `FROM busybox
# cache=mounts=share
RUN --mount=type=cache,target=/c,id=inline-$ID cat /c/list 2>/dev/null; echo x >>/c/list; touch -d @1700000000 /done
`)
	p.Args["SOURCE_DATE_EPOCH"] = "1700000000"
	repository := registry(start(t)).imports[0].Attrs["ref"]
	p.imports = []bkclient.CacheOptionsEntry{entry("registry", "ref", repository)}
	p.exports = []bkclient.CacheOptionsEntry{entry("inline")}
	configs := map[string]bool{}
	for i, rules := range []string{"", "", "off"} {
		p.fresh()
		p.Args["CACHEWRIGHT_RULES"] = rules
		if i == 2 {
			p.imports = nil // else the step comes from there
		}
		path := filepath.Join(t.TempDir(), "image.tar")
		_, r := p.build(
			bkclient.ExportEntry{Type: bkclient.ExporterImage, Attrs: map[string]string{"name": repository, "push": "true", "rewrite-timestamp": "true"}},
			sandbox.ExportOCI(path, map[string]string{"rewrite-timestamp": "true"}))
		if w := warnings(r); len(w) > 0 {
			t.Errorf("build %d: %q", i, w)
		}
		for _, blob := range blobs(t, path) {
			if strings.Contains(blob, `"moby.buildkit.cache.v0"`) {
				configs[inlineCache(t, blob)] = true
			}
		}
	}
	if len(configs) != 1 {
		t.Errorf("%d configs: %v", len(configs), configs)
	}
}

// inlineCache returns the cache in an image's config, without the times.
func inlineCache(t *testing.T, config string) string {
	t.Helper()
	var image struct {
		Cache []byte `json:"moby.buildkit.cache.v0"`
	}
	decode(t, []byte(config), &image)
	var records []struct {
		Digest string `json:"digest"`
		Layers []struct {
			Layer int `json:"layer"`
		} `json:"layers"`
		Inputs json.RawMessage `json:"inputs"`
	}
	decode(t, image.Cache, &records)
	return string(encode(t, records))
}
