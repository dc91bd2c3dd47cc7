// Package reports_test asks a real builder for every form of a report, with buildx,
// and reads the answers as those do whom they are for: a schema, a browser.
package reports_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cachewright/cachewright/integration/sandbox"
	"github.com/cachewright/cachewright/integration/scenario"
)

// start returns a project whose builder has built it once.
func start(t *testing.T, dockerfile string, files map[string]string) *scenario.Project {
	t.Helper()
	sb := scenario.Start(t, sandbox.Busybox)
	p := &scenario.Project{T: t, Sandbox: sb, ID: scenario.NewID()}
	p.Context = t.TempDir()
	for name, text := range files {
		p.Write(name, text)
	}
	p.Write("Dockerfile", dockerfile)
	return p
}

// build builds the project with buildx and returns its metadata file.
func build(p *scenario.Project, more ...string) string {
	p.T.Helper()
	file := filepath.Join(p.T.TempDir(), "metadata.json")
	args := append([]string{"--output=type=cacheonly", "--metadata-file=" + file}, more...)
	_, err := p.Sandbox.Buildx(p.T.Context(), p.BuildxArgs(args...)...)
	p.Must(err)
	return file
}

// many is a Dockerfile with every kind of input that needs no network.
const many = `# syntax=cachewright/dockerfile:1
ARG TAG=latest
FROM busybox:$TAG AS base
ARG VERSION=1
ARG NPM_TOKEN
ENV MODE=test DB_PASSWORD=hunter2
USER 1000
WORKDIR /work
SHELL ["/bin/sh", "-ec"]
# cache=ttl=24h;key=arg:OTHER,text:2,file:list
RUN --mount=type=cache,target=/cache --mount=type=tmpfs,target=/tmp/t --mount=type=secret,id=npmrc \
    --network=none echo $ID

FROM busybox AS app
# cache=off
RUN date
COPY --from=base /etc/passwd /
# cache=modes=ignore
COPY --exclude=*.md src /src
COPY <<EOF /text
some
EOF
RUN --mount=type=bind,source=src,target=/src ls /src
ONBUILD RUN true
CMD ["x"]
`

// stages is a Dockerfile of about 60 steps in ten stages.
func stages() string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("# syntax=cachewright/dockerfile:1\n# What all services start from.\nFROM busybox AS tools\nENV LANG=C.UTF-8")
	line("# cache=ttl=7d\nRUN mkdir -p /opt/tools \\\n    && echo installed >/opt/tools/list \\\n    && echo $ID >>/opt/tools/list\nWORKDIR /src\n")
	for _, s := range []string{"api", "web", "worker"} {
		line("# %[1]s: its dependencies change rarely.\nFROM tools AS %[1]s-deps\nCOPY %[1]s/package.json %[1]s/package-lock.json ./", s)
		line("RUN cat package.json package-lock.json >installed\n")
		line("FROM %s-deps AS %[1]s-build", s)
		for i := range 9 {
			line("COPY %s/assets/%d assets/%[2]d", s, i)
		}
		line("COPY %s/src src\nRUN cat src/* >bundle\n", s)
	}
	line("FROM tools AS docs\nCOPY docs docs\nRUN cat docs/* >all.txt\nWORKDIR /out\n")
	line("FROM tools AS runtime\nRUN adduser -D app\nWORKDIR /app\nCOPY config ./\n")
	line("FROM runtime")
	for _, s := range []string{"api", "web", "worker"} {
		line("COPY --from=%s-build /src/bundle %[1]s", s)
	}
	line("COPY --from=docs /src/all.txt docs.txt\nRUN cat * >/dev/null\nCMD [\"cat\", \"api\"]")
	return b.String()
}

func stagesFiles() map[string]string {
	files := map[string]string{"docs/index.md": "# Docs\n", "config/app.conf": "a=1\n"}
	for _, s := range []string{"api", "web", "worker"} {
		files[s+"/package.json"], files[s+"/package-lock.json"] = s, s
		files[s+"/src/main.js"], files[s+"/src/util.js"] = s, s
		for i := range 9 {
			files[fmt.Sprintf("%s/assets/%d", s, i)] = s
		}
	}
	return files
}
