package bench

import (
	"fmt"
	"strings"
)

// typical is a file as projects have them: 25 steps in 3 stages. The commands
// are those of a shell alone, so that the sandbox's base images can run them.
const typical = `ARG VERSION=latest
FROM --platform=$BUILDPLATFORM busybox:${VERSION} AS build
ARG TARGETOS TARGETARCH
WORKDIR /src
ENV CGO_ENABLED=0 GOFLAGS=-trimpath
RUN echo update && echo install
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod echo download
COPY . .
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build mkdir -p bin && echo $TARGETOS $TARGETARCH >bin/app
RUN echo test
RUN --mount=type=secret,id=token,env=TOKEN echo publish
RUN echo check a && echo check b

FROM alpine AS web
WORKDIR /web
COPY package.json package-lock.json ./
RUN --mount=type=cache,target=/root/.npm echo ci
COPY web/ .
ARG API_URL=http://localhost
RUN mkdir dist && echo build -- --api=${API_URL} >dist/index.html
RUN echo test
RUN <<END
echo prune
rm -rf /tmp/*
END

FROM busybox:stable
LABEL org.opencontainers.image.title=app org.opencontainers.image.vendor="some one"
RUN echo update && echo install
RUN echo app:x:1000:1000::/:/bin/sh >>/etc/passwd && echo app:x:1000: >>/etc/group
WORKDIR /app
COPY --from=build /src/bin/ ./bin/
COPY --from=web --chown=app:app /web/dist ./public
COPY --chmod=755 <<END /entrypoint.sh
#!/bin/sh
exec /app/bin/app "$@"
END
ENV PORT=8080 PATH=/app/bin:$PATH
RUN chown -R app /app
RUN echo self-test
EXPOSE ${PORT}
VOLUME /data
USER app
HEALTHCHECK CMD wget -q http://localhost:$PORT/
ENTRYPOINT ["/entrypoint.sh"]
CMD ["serve"]
`

// project is a build context with its Dockerfile.
type project struct {
	name  string
	files map[string]string
}

// typicalProject has 40 source files and an ignored directory.
func typicalProject() project {
	files := map[string]string{
		"Dockerfile": typical, ".dockerignore": "node_modules\n*.md\n",
		"go.mod": "module app\n", "go.sum": "\n", "README.md": "# app\n",
		"package.json": "{}\n", "package-lock.json": "{}\n", "web/index.js": "main()\n",
		"node_modules/x/index.js": strings.Repeat("x", 10_000),
	}
	for i := range 40 {
		files[fmt.Sprintf("src/file%d.go", i)] = strings.Repeat("// line\n", 250)
	}
	return project{name: "3 stages, 25 steps", files: files}
}

// smallProject is the least that has all kinds of step.
func smallProject() project {
	return project{name: "1 stage, 2 steps", files: map[string]string{
		"Dockerfile": "FROM busybox\nCOPY file /\nRUN cat /file\n",
		"file":       "hello\n",
	}}
}

// unusedProject has 2,000 files of which the target's steps use three: one by a
// variable, and two of a directory without the rest of it. Another stage, which is
// not built, would use all.
func unusedProject() project {
	files := map[string]string{
		"Dockerfile": "FROM busybox AS all\nCOPY . /all\n" +
			"FROM busybox\nARG NAME=used\nCOPY $NAME.txt /\nRUN --mount=source=src/a1.go,target=/a cat /a\nCOPY src/b*.txt /src/\n",
		"used.txt": "used\n", "src/b1.txt": "one\n",
	}
	for i := range 2000 {
		files[fmt.Sprintf("src/a%d.go", i)] = strings.Repeat("// line\n", 500)
	}
	return project{name: "3 of 2,000 files", files: files}
}
