# Runs the tests that need no daemon: `docker buildx bake test`. A step of a build may
# not set a file's label; `make test` runs the test of that too.

FROM golang:1.26
WORKDIR /src
RUN --mount=type=bind,target=. \
    --mount=type=cache,target=/go/pkg/mod \
    --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 go test -skip TestWhatCounts/label ./cmd/... ./frontend/... ./llbconv/... ./cachepolicy/...
