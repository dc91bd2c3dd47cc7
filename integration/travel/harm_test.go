package travel_test

import (
	"archive/tar"
	"bytes"
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

	"github.com/cachewright/cachewright/integration/sandbox"
	digest "github.com/opencontainers/go-digest"
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
// and without attestations in it, for one platform and for two. Provenance says the same,
// but for when it was built.
func TestSameImage(t *testing.T) {
	sb := start(t)
	for name, attrs := range map[string]map[string]string{
		"one platform":   {"attest:provenance": "mode=min,inline-only=true"},
		"two platforms":  {"attest:provenance": "mode=max", "platform": "linux/amd64,linux/arm64"},
		"max provenance": {"attest:provenance": "mode=max,version=v1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newProject(t, registry(sb, "mode", "max"), reproducible)
			p.Attrs = maps.Clone(attrs)
			p.Args["SOURCE_DATE_EPOCH"] = "1700000000"
			var images []map[string]string
			for i := range 3 {
				p.fresh()
				if i == 2 {
					p.transport = transport{}
				}
				path := filepath.Join(t.TempDir(), "image.tar")
				export := sandbox.ExportOCI(path, map[string]string{"rewrite-timestamp": "true"})
				_, r := p.build(export)
				if saves := i == 0; len(own(r)) > 0 != saves || slices.Contains(recordSteps(r), "note") != saves {
					t.Errorf("build %d ran %q, %q", i, own(r), recordSteps(r))
				}
				images = append(images, blobs(t, path))
			}
			for i, image := range images[:2] {
				if !maps.Equal(image, images[2]) {
					t.Errorf("build %d: %s\nwant %s", i, list(image), list(images[2]))
				}
			}
			if attested := len(statements(images[0])) > 0; attested != strings.Contains(attrs["attest:provenance"], "mode=max") {
				t.Errorf("statements: %v", attested)
			}
		})
	}
}

// blobs returns the blobs of an OCI archive by their digest. Of provenance it has what
// does not depend on when and where it was built, without a digest, and of the lists that
// have one nothing.
func blobs(t *testing.T, path string) map[string]string {
	t.Helper()
	f, err := os.Open(path)
	must(t, err)
	defer f.Close()
	out := map[string]string{}
	for r := tar.NewReader(f); ; {
		h, err := r.Next()
		if err == io.EOF {
			return out
		}
		must(t, err)
		data, err := io.ReadAll(r)
		must(t, err)
		switch {
		case !strings.HasPrefix(h.Name, "blobs/") || h.Typeflag != tar.TypeReg:
		case !json.Valid(data):
			out[h.Name] = string(data)
		case bytes.Contains(data, []byte(`"_type":"https://in-toto.io/Statement`)):
			statement := lasting(t, data)
			out["statement "+string(digest.FromString(statement))] = statement
		case !bytes.Contains(data, []byte("in-toto")) && !bytes.Contains(data, []byte("attestation-manifest")):
			out[h.Name] = string(data)
		}
	}
}

// statements returns what an image is said to be, of its blobs.
func statements(image map[string]string) (out []string) {
	for name, text := range image {
		if strings.HasPrefix(name, "statement ") {
			out = append(out, text)
		}
	}
	return out
}

// lasting returns of a statement what is the same in each build. Beside times and IDs
// that is not the names of steps, which come from the digests of the client's session,
// and which of them had which layers at hand.
func lasting(t *testing.T, data []byte) string {
	t.Helper()
	var statement any
	decode(t, data, &statement)
	drop(statement, "invocationId", "startedOn", "finishedOn", "buildInvocationID", "buildStartedOn", "buildFinishedOn", "digestMapping", "layers")
	return string(encode(t, statement))
}

// drop removes members of objects, wherever they are in a JSON value.
func drop(value any, names ...string) {
	switch v := value.(type) {
	case map[string]any:
		for name, item := range v {
			if slices.Contains(names, name) {
				delete(v, name)
			}
			drop(item, names...)
		}
	case []any:
		for _, item := range v {
			drop(item, names...)
		}
	}
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

// Of two builders that export to one cache at the same time the last one wins. Both
// builds are fine, and what is left can be used.
func TestTwoBuildersAtOnce(t *testing.T) {
	for _, tr := range []transport{registry(start(t), "mode", "max"), gha(t, "max")} {
		t.Run(tr.exports[0].Type, func(t *testing.T) { twoBuildersAtOnce(t, newProject(t, tr, counting)) })
	}
}

func twoBuildersAtOnce(t *testing.T, p *project) {
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
