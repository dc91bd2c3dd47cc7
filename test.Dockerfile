# Runs the tests that need no daemon: `docker buildx bake test`.

FROM golang:1.26
WORKDIR /src
RUN --mount=type=bind,target=. \
    --mount=type=cache,target=/go/pkg/mod \
    --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 go test ./cmd/... ./frontend/... ./llbconv/... ./cachepolicy/...
