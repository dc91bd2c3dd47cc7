package travel_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-containerregistry/pkg/crane"
	"github.com/klauspost/compress/zstd"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/cachewright/cachewright/integration/sandbox"
	"github.com/cachewright/cachewright/integration/scenario"
)

// reproducible gives the same image whenever it is built.
const reproducible = `FROM --platform=$BUILDPLATFORM busybox AS build
ARG TARGETARCH
# cache=mounts=share
RUN --mount=type=cache,target=/c,id=image-$ID echo x >>/c/list && echo $TARGETARCH >/done && touch -d @1700000000 /done
FROM busybox
ARG TARGETARCH
COPY --link --from=build /done /
LABEL arch=$TARGETARCH
`

// An image is byte for byte the one that is built without anything travelling, with
// and without attestations in it, for one platform and for two.
func TestSameImage(t *testing.T) {
	sb := start(t)
	for name, attrs := range map[string]map[string]string{
		"one platform":  {"attest:provenance": "mode=min,inline-only=true"},
		"two platforms": {"attest:provenance": "mode=max", "platform": "linux/amd64,linux/arm64"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newProject(t, registry(sb, "mode", "max"), reproducible)
			p.Attrs = maps.Clone(attrs)
			p.Args["SOURCE_DATE_EPOCH"] = "1700000000"
			var images []map[string]string
			for _, rules := range []string{"", "", "off"} {
				p.fresh()
				p.Args["CACHEWRIGHT_RULES"] = rules
				path := filepath.Join(t.TempDir(), "image.tar")
				export := sandbox.ExportOCI(path, map[string]string{"rewrite-timestamp": "true"})
				_, r := p.build(export)
				if rules == "" && len(own(r)) == 0 {
					t.Error("nothing travelled")
				}
				images = append(images, blobs(t, path))
			}
			for i, image := range images[:2] {
				if !maps.Equal(image, images[2]) {
					t.Errorf("build %d: %s\nwant %s", i, list(image), list(images[2]))
				}
			}
		})
	}
}

// blobs returns the blobs of an OCI archive by their digest, but for provenance, which
// says when it was built.
func blobs(t *testing.T, path string) map[string]string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	out := map[string]string{}
	for r := tar.NewReader(f); ; {
		h, err := r.Next()
		if err == io.EOF {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(h.Name, "blobs/") || h.Typeflag != tar.TypeReg || ofProvenance(data) {
			continue
		}
		out[h.Name] = string(data)
	}
}

// ofProvenance reports whether a blob is a provenance, or a list of what has one.
func ofProvenance(data []byte) bool {
	return json.Valid(data) && (bytes.Contains(data, []byte("in-toto")) || bytes.Contains(data, []byte("attestation-manifest")))
}

func list(image map[string]string) string {
	return strings.Join(slices.Sorted(maps.Keys(image)), "\n\t")
}

// Two platforms that are built at once have their mounts in common.
func TestPlatforms(t *testing.T) {
	p := newProject(t, registry(start(t), "mode", "max"), `FROM --platform=$BUILDPLATFORM busybox AS build
ARG TARGETARCH
ARG N
# cache=mounts=share
RUN --mount=type=cache,target=/c,id=platforms-$ID,sharing=locked echo $N >>/c/$TARGETARCH && cat /c/$TARGETARCH >/list
FROM scratch
COPY --from=build /list /
`)
	p.Attrs["platform"] = "linux/amd64,linux/arm64"
	want := ""
	for i := range 3 {
		p.fresh()
		p.Args["N"] = strconv.Itoa(i)
		want += strconv.Itoa(i) + "\n"
		out := t.TempDir()
		_, r := p.build(sandbox.ExportDir(out))
		for _, arch := range []string{"amd64", "arm64"} {
			if got := filesIn(t, filepath.Join(out, "linux_"+arch))["list"]; got != want {
				t.Errorf("build %d, %s: got %q, want %q, %q", i, arch, got, want, warnings(r))
			}
		}
	}
}

// Of two builders that export to one reference at the same time the last one wins.
// Both builds are fine, and what is left can be used.
func TestTwoBuildersAtOnce(t *testing.T) {
	sb := start(t)
	p := newProject(t, registry(sb, "mode", "max"), counting)
	p.fresh()
	p.Args["N"] = "0"
	p.build()
	var work sync.WaitGroup
	for _, n := range []string{"1", "2"} {
		q := *p
		q.Args = map[string]string{"N": n}
		q.fresh()
		work.Go(func() {
			if files, r := q.build(); files["list"] != "0\n"+n+"\n" || len(r.Warnings) > 0 {
				t.Errorf("builder %s: got %q, %q", n, files["list"], warnings(r))
			}
		})
	}
	work.Wait()
	p.fresh()
	p.Args["N"] = "3"
	files, r := p.build()
	if got := files["list"]; got != "0\n1\n3\n" && got != "0\n2\n3\n" || len(r.Warnings) > 0 {
		t.Errorf("got %q, %q", got, warnings(r))
	}
}

// What a build is given in secret is in no blob of the registry afterwards.
func TestSecretsStay(t *testing.T) {
	sb := start(t)
	p := newProject(t, registry(sb, "mode", "max"), `FROM busybox AS build
ARG NPM_TOKEN
ENV DB_PASSWORD=$NPM_TOKEN
# cache=mounts=share
RUN --mount=type=cache,target=/c,id=secrets-$ID --mount=type=secret,id=key,env=KEY test -n "$KEY" && test -n "$DB_PASSWORD" && date >/c/list
FROM scratch
COPY --from=build /etc/group /
`)
	secret := "planted" + scenario.NewID()
	p.Args["NPM_TOKEN"] = secret
	p.Secrets = map[string][]byte{"key": []byte(secret)}
	var travelled []byte
	for range 2 {
		p.fresh()
		p.Args["CACHEWRIGHT_NOW"] = "0"
		_, r := p.build()
		if len(own(r)) == 0 {
			t.Error("nothing travelled")
		}
	}
	ref := p.imports[0].Attrs["ref"]
	image, err := crane.Pull(ref, crane.Insecure)
	must(t, err)
	layers, err := image.Layers()
	must(t, err)
	for _, layer := range layers {
		r, err := layer.Uncompressed()
		must(t, err)
		data, err := io.ReadAll(r)
		must(t, err)
		r.Close()
		travelled = append(append(travelled, data...), savedIn(t, data)...)
	}
	config, err := image.RawConfigFile()
	must(t, err)
	travelled = append(travelled, config...)
	if !bytes.Contains(travelled, []byte(`"path":"list"`)) {
		t.Error("the mount did not travel")
	}
	for name, text := range map[string]string{"plain": secret, "base64": base64.StdEncoding.EncodeToString([]byte(secret))} {
		if bytes.Contains(travelled, []byte(text)) {
			t.Errorf("the secret is in the cache, %s", name)
		}
	}
}

// savedIn returns what is saved of cache mounts in a layer, uncompressed.
func savedIn(t *testing.T, layer []byte) []byte {
	t.Helper()
	z, err := zstd.NewReader(nil)
	must(t, err)
	defer z.Close()
	for r := tar.NewReader(bytes.NewReader(layer)); ; {
		h, err := r.Next()
		if err == io.EOF {
			return nil
		}
		must(t, err)
		if filepath.Base(h.Name) == "layer.tar.zst" {
			data, err := io.ReadAll(r)
			must(t, err)
			data, err = z.DecodeAll(data, nil)
			must(t, err)
			return data
		}
	}
}

// A build that fails saves nothing.
func TestFailedBuild(t *testing.T) {
	p := newProject(t, registry(start(t), "mode", "max"), counting)
	p.fresh()
	b := p.Build
	b.Args = map[string]string{"N": "x"}
	b.Context = sandbox.Files(t, map[string]string{"Dockerfile": "FROM busybox\n# cache=mounts=share\nRUN --mount=type=cache,target=/c echo x >/c/x && false\n"})
	b.Attrs = map[string]string{"attest:provenance": "mode=min"}
	b.CacheImports, b.CacheExports = cloned(p.imports), cloned(p.exports)
	r, err := p.builder.Solve(t.Context(), b)
	if err == nil || !strings.Contains(err.Error(), "exit code: 1") {
		t.Errorf("got %v", err)
	}
	if ran := own(r); slices.Contains(ran, "save cache mounts") || len(r.Warnings) > 0 {
		t.Errorf("ran %q, %q", ran, warnings(r))
	}
}

// What is put into the cache instead of what was saved is not restored, said once, and
// the build goes on with an empty mount.
func TestForeignCache(t *testing.T) {
	for name, damage := range map[string]func(t *testing.T, dir string){
		"contents lost": func(t *testing.T, dir string) {
			rewrite(t, dir, "layer.tar.zst", func([]byte) []byte { return nil })
		},
		"contents cut short": func(t *testing.T, dir string) {
			rewrite(t, dir, "layer.tar.zst", func(data []byte) []byte { return data[:len(data)/2] })
		},
		"pointer of a newer version": func(t *testing.T, dir string) {
			rewrite(t, dir, "data", func(data []byte) []byte { return bytes.Replace(data, []byte(`"version":1`), []byte(`"version":9`), 1) })
		},
		"pointer without sense": func(t *testing.T, dir string) {
			rewrite(t, dir, "data", func(data []byte) []byte { return data[:len(data)/2] })
		},
		"pointer to another mount": func(t *testing.T, dir string) {
			rewrite(t, dir, "data", func(data []byte) []byte { return bytes.Replace(data, []byte(`"index":"`), []byte(`"index":"00`), 1) })
		},
	} {
		t.Run(name, func(t *testing.T) {
			cache := local(t, "mode", "max")
			p := newProject(t, cache, counting)
			p.fresh()
			for _, n := range []string{"first", "0"} { // a client does not import what is not there
				p.Args["N"] = n
				p.build()
			}
			damage(t, cache.exports[0].Attrs["dest"])
			p.fresh()
			p.Args["N"] = "1"
			files, r := p.build()
			if w := warnings(r); files["list"] != "1\n" || len(w) != 1 || !strings.Contains(w[0], "cache mount") {
				t.Errorf("got %q, %q\n%s", files["list"], w, r)
			}
			p.fresh()
			p.Args["N"] = "2"
			if files, r := p.build(); files["list"] != "1\n2\n" || len(r.Warnings) > 0 {
				t.Errorf("afterwards: got %q, %q", files["list"], warnings(r))
			}
		})
	}
}

// rewrite changes a file in the layers of a local cache, and all digests along with it.
// Without data the file goes.
func rewrite(t *testing.T, dir, name string, change func([]byte) []byte) {
	t.Helper()
	var top ocispecs.Index
	var manifest ocispecs.Manifest
	decode(t, readFile(t, filepath.Join(dir, "index.json")), &top)
	decode(t, readFile(t, blobPath(dir, top.Manifests[0].Digest)), &manifest)
	config := readFile(t, blobPath(dir, manifest.Config.Digest))
	found := false
	for i := range manifest.Layers {
		layer := &manifest.Layers[i]
		tarball, ok := changed(t, readFile(t, blobPath(dir, layer.Digest)), name, change)
		if !ok {
			continue
		}
		found = true
		var buf bytes.Buffer
		z := gzip.NewWriter(&buf)
		_, err := z.Write(tarball)
		must(t, err)
		must(t, z.Close())
		old := layer.Digest
		layer.Digest, layer.Size = addBlob(t, dir, buf.Bytes())
		layer.Annotations["containerd.io/uncompressed"] = digest.FromBytes(tarball).String()
		config = bytes.ReplaceAll(config, []byte(old), []byte(layer.Digest))
	}
	if !found {
		t.Fatalf("no layer has %s", name)
	}
	manifest.Config.Digest, manifest.Config.Size = addBlob(t, dir, config)
	top.Manifests[0].Digest, top.Manifests[0].Size = addBlob(t, dir, encode(t, manifest))
	must(t, os.WriteFile(filepath.Join(dir, "index.json"), encode(t, top), 0o644))
}

// changed returns a layer's archive with a file changed; false if it is not in there.
func changed(t *testing.T, layer []byte, name string, change func([]byte) []byte) ([]byte, bool) {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(layer))
	must(t, err)
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	found := false
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		must(t, err)
		data, err := io.ReadAll(r)
		must(t, err)
		if filepath.Base(h.Name) == name && len(data) > 0 {
			found = true
			if data = change(data); data == nil {
				continue
			}
			h.Size = int64(len(data))
		}
		must(t, w.WriteHeader(h))
		_, err = w.Write(data)
		must(t, err)
	}
	must(t, w.Close())
	return out.Bytes(), found
}

func blobPath(dir string, d digest.Digest) string {
	return filepath.Join(dir, "blobs", "sha256", d.Encoded())
}

func addBlob(t *testing.T, dir string, data []byte) (digest.Digest, int64) {
	t.Helper()
	d := digest.FromBytes(data)
	must(t, os.WriteFile(blobPath(dir, d), data, 0o644))
	return d, int64(len(data))
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	must(t, err)
	return data
}

func decode(t *testing.T, data []byte, v any) {
	t.Helper()
	must(t, json.Unmarshal(data, v))
}

func encode(t *testing.T, v any) []byte {
	t.Helper()
	data, err := json.Marshal(v)
	must(t, err)
	return data
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
