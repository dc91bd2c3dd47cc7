# The release recipe of the frontend image: `make image` builds it with the
# frontend of this tree. The labels tell BuildKit that the frontend needs no
# network and which frontend capabilities it has.

# The git tag of a release, such as v1.2.3, and the commit; docker-bake.hcl sets them.
ARG VERSION REVISION

FROM --platform=$BUILDPLATFORM golang:1.26 AS build
WORKDIR /src
ARG TARGETOS TARGETARCH VERSION
RUN --mount=type=bind,target=. \
    --mount=type=cache,target=/go/pkg/mod \
    --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH \
    go build -trimpath -tags grpcnotrace \
    -ldflags "-s -w -X github.com/cachewright/cachewright/frontend.version=$VERSION" -o /out/cachewright ./cmd/frontend

FROM scratch
ARG VERSION REVISION
LABEL moby.buildkit.frontend.network.none="true" \
      moby.buildkit.frontend.caps="moby.buildkit.frontend.inputs,moby.buildkit.frontend.subrequests,moby.buildkit.frontend.contexts,moby.buildkit.frontend.gitquerystring,moby.buildkit.frontend.contexts.zstd" \
      org.opencontainers.image.title="Cachewright" \
      org.opencontainers.image.description="A BuildKit frontend for Dockerfiles that explains and obeys cache rules" \
      org.opencontainers.image.source="https://github.com/cachewright/cachewright" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
COPY --from=build /out/cachewright /bin/cachewright
ENTRYPOINT ["/bin/cachewright"]
