package llbconv_test

import (
	"context"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"syscall"
	"testing"

	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/dockerfile/dockerfile2llb"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	digest "github.com/opencontainers/go-digest"

	"github.com/cachewright/cachewright/llbconv/internal/oracle"
)

// typical is a file as projects have them: 25 steps in 3 stages.
const typical = `# syntax=docker/dockerfile:1
ARG GO_VERSION=1.26
FROM --platform=$BUILDPLATFORM golang:${GO_VERSION} AS build
ARG TARGETOS TARGETARCH
WORKDIR /src
ENV CGO_ENABLED=0 GOFLAGS=-trimpath
RUN apt-get update && apt-get install -y git make
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build GOOS=$TARGETOS GOARCH=$TARGETARCH make
RUN make test
RUN --mount=type=secret,id=token,env=TOKEN ./publish
RUN ./check a && ./check b

FROM node:22 AS web
WORKDIR /web
COPY package.json package-lock.json ./
RUN --mount=type=cache,target=/root/.npm npm ci
COPY web/ .
ARG API_URL=http://localhost
RUN npm run build -- --api=${API_URL}
RUN npm test
RUN <<EOF
npm prune --production
rm -rf /tmp/*
EOF

FROM debian:bookworm-slim
LABEL org.opencontainers.image.title=app org.opencontainers.image.vendor="some one"
RUN apt-get update && apt-get install -y ca-certificates && rm -rf /var/lib/apt/lists/*
RUN useradd -r app
WORKDIR /app
COPY --from=build /src/bin/ ./bin/
COPY --from=web --chown=app:app /web/dist ./public
COPY --chmod=755 <<EOF /entrypoint.sh
#!/bin/sh
exec /app/bin/app "$@"
EOF
ENV PORT=8080 PATH=/app/bin:$PATH
RUN chown -R app /app && app --version
RUN app self-test
EXPOSE ${PORT}
VOLUME /data
USER app
HEALTHCHECK CMD curl -f http://localhost:$PORT/
ENTRYPOINT ["/entrypoint.sh"]
CMD ["serve"]
`

// small is a file whose conversion is mostly what any file costs.
const small = `FROM alpine:3.22
RUN apk add --no-cache ca-certificates
WORKDIR /app
COPY . .
CMD ["./app"]
`

// BenchmarkConvert converts a file to the definition that the daemon is sent, with
// this project's converter ("ours") and docker/dockerfile's ("upstream").
func BenchmarkConvert(b *testing.B) {
	files := map[string]string{
		"small":                small,
		"typical":              typical,
		"arg-and-run-1000":     shapes["arg and run"](1000),
		"env-chain-2000":       shapes["env chain"](2000),
		"run-chain-2000":       shapes["run chain"](2000),
		"copy-chain-2000":      shapes["copy chain"](2000),
		"linear-stages-800":    shapes["linear stages"](800),
		"diamonds-200":         shapes["diamonds"](200),
		"mounts-of-images-200": shapes["mounts of images"](200),
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		dt := []byte(files[name])
		b.Run(name+"/ours", func(b *testing.B) { bench(b, marshalOurs, dt) })
		b.Run(name+"/upstream", func(b *testing.B) { bench(b, marshalUpstream, dt) })
	}
}

// BenchmarkGrowth shows how this project's converter grows with the file.
func BenchmarkGrowth(b *testing.B) {
	for _, name := range []string{"arg and run", "copy chain", "diamonds", "env chain", "linear stages", "mounts of images", "run chain"} {
		for _, n := range []int{1000, 10_000} {
			dt := []byte(shapes[name](n))
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) { bench(b, marshalOurs, dt) })
		}
	}
}

// bench reports the processor time too: on a busy machine it says more than the
// time on the clock.
func bench(b *testing.B, convert func([]byte) error, dt []byte) {
	b.ReportAllocs()
	runtime.GC() // or the heap of the benchmark before decides how often this one collects
	before := cpuTime(b)
	for b.Loop() {
		if err := convert(dt); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(cpuTime(b)-before)/float64(b.N), "cpu-ns/op")
}

// cpuTime is the processor time that the process has had, in nanoseconds.
func cpuTime(b *testing.B) int64 {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return used.Utime.Nano() + used.Stime.Nano()
}

// marshalUpstream converts and marshals with docker/dockerfile's converter, as its
// frontend does.
func marshalUpstream(dt []byte) error {
	res, err := dockerfile2llb.Dockerfile2LLB(context.Background(), dt, upstreamOptions(dt))
	if err != nil {
		return err
	}
	def, err := res.State.Marshal(context.Background())
	if err != nil {
		return err
	}
	def.ToPB()
	return nil
}

// allCaps is what a current daemon can do.
var allCaps = (&oracle.Case{}).Caps()

// sameImage is a registry in which every name is the same image. It costs nothing,
// so that only conversion is measured.
type sameImage []byte

var images = sameImage(`{"architecture":"amd64","os":"linux","config":{"Env":["PATH=/bin"]},"rootfs":{"type":"layers","diff_ids":["sha256:aa"]}}`)

// ResolveImageConfig implements llb.ImageMetaResolver.
func (i sameImage) ResolveImageConfig(_ context.Context, ref string, _ sourceresolver.Opt) (string, digest.Digest, []byte, error) {
	return ref, digest.FromBytes(i), i, nil
}

func ignoreWarning(_, _, _, _ string, _ []parser.Range) {}
