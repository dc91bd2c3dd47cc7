package transports_test

import (
	"path/filepath"
	"testing"

	bkclient "github.com/moby/buildkit/client"

	"github.com/cachewright/cachewright/integration/sandbox"
)

// stages builds for two platforms; only the machine's own runs anything.
const stages = `FROM --platform=$BUILDPLATFORM busybox AS build
ARG TARGETARCH
WORKDIR /src/@
COPY src .
RUN mkdir /out && sed s/x/y/ text >/out/text-$TARGETARCH
FROM --platform=$BUILDPLATFORM busybox AS docs
RUN --mount=source=src,target=/src mkdir /docs && cp /src/text /docs/manual
FROM busybox AS base
ARG TARGETARCH
COPY --link --from=build /out /app
COPY <<END /etc/app.conf
arch=$TARGETARCH
END
FROM base
WORKDIR /app
COPY --from=docs /docs manual
ADD --chmod=640 src/text /app/
`

// chain has one stage, all of whose steps are layers of the image: what an inline
// cache can hold.
const chain = `FROM busybox
WORKDIR /app
COPY src .
COPY --link src/text /copy/
COPY <<END /etc/app.conf
@
END
`

func TestCacheOnAnotherDaemon(t *testing.T) {
	local := filepath.Join(t.TempDir(), "cache")
	entry := func(kind string, attrs ...string) []bkclient.CacheOptionsEntry {
		e := bkclient.CacheOptionsEntry{Type: kind, Attrs: map[string]string{}}
		for i := 0; i < len(attrs); i += 2 {
			e.Attrs[attrs[i]] = attrs[i+1]
		}
		return []bkclient.CacheOptionsEntry{e}
	}
	one := start(t)
	host := one.Registry()
	for _, test := range []struct {
		name, dockerfile string
		exports, imports []bkclient.CacheOptionsEntry
	}{
		{"registry", stages, entry("registry", "ref", host+"/cache/stages", "mode", "max"), entry("registry", "ref", host+"/cache/stages")},
		{"local", stages, entry("local", "dest", local, "mode", "max"), entry("local", "src", local)},
		{"inline", chain, entry("inline"), entry("registry", "ref", host+"/image/inline:1")},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := sandbox.Build{
				Frontend: sandbox.FrontendRef,
				Context: sandbox.Files(t, map[string]string{
					"Dockerfile": unique(t, test.dockerfile),
					"src/text":   "text of " + t.Name(),
				}),
				Attrs: map[string]string{"platform": "linux/amd64,linux/arm64", explain: "off"},
			}
			built := b
			built.CacheExports = test.exports
			built.Exports = []bkclient.ExportEntry{one.ExportImage("image/" + test.name + ":1")}
			first := solve(t, one, built, "ran")

			two := sandbox.New(t, sandbox.Options{Registry: host})
			hit := b
			hit.CacheImports = test.imports
			hit.Exports = []bkclient.ExportEntry{two.ExportImage("image/" + test.name + ":2")}
			second := solve(t, two, hit, "cached")
			sameSteps(t, first, second)
			const image = "containerimage.config.digest"
			if a, b := first.Exporter, second.Exporter; a[image] != b[image] {
				t.Errorf("another image: %v, %v", a, b)
			}

			// Without the cache, the second daemon has nothing to hit.
			solve(t, sandbox.New(t, sandbox.Options{Registry: host}), b, "ran")
		})
	}
}
