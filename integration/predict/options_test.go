package predict_test

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/cachewright/cachewright/integration/sandbox"
)

// variables are changes of arguments and what is made of them.
func variables() []combination {
	const file = `ARG GLOBAL=g
FROM $BASE
RUN echo before
ARG GLOBAL
ARG USED=1
ARG UNUSED=1
ENV MADE=$USED
COPY file /to-$USED
RUN echo $USED
WORKDIR /$USED
ARG NPM_TOKEN
RUN echo last
`
	var out []combination
	for name, change := range map[string]func(*project){
		"unchanged":       nil,
		"used":            given("USED", "2"),
		"unused":          given("UNUSED", "2"),
		"the default":     given("USED", "1"),
		"default changed": edited("USED=1", "USED=2"),
		"global":          given("GLOBAL", "2"),
		"global default":  edited("GLOBAL=g", "GLOBAL=h"),
		"not declared":    given("NOTHING", "2"),
		"proxy":           given("HTTP_PROXY", "http://127.0.0.1:1"),
		"secret changed":  between(given("NPM_TOKEN", "first"), given("NPM_TOKEN", "second")),
		"declared later":  all(edited("ARG UNUSED=1\n", ""), edited("RUN echo last", "ARG UNUSED=1\nRUN echo last")),
		"secret reverted": between(given("NPM_TOKEN", "first"), given("NPM_TOKEN", "second"), given("NPM_TOKEN", "first")),
		"ENV for ARG":     edited("ARG UNUSED=1", "ENV UNUSED=1"),
	} {
		out = append(out, combination{name: name, dockerfile: file, files: map[string]string{"file": "$ID"}, change: change})
	}
	return out
}

// options are options of the build.
func options() []combination {
	const file = `FROM $BASE AS build
COPY file /file
RUN cat /file > /out
RUN echo built

FROM $BASE AS app
WORKDIR /app
RUN echo before
COPY --from=build /out /out
RUN ls
`
	files := map[string]string{"file": "$ID"}
	return []combination{
		{name: "no-cache", dockerfile: file, files: files, change: asked("no-cache", "")},
		{name: "no-cache of a stage", dockerfile: file, files: files, change: asked("no-cache", "build"), unknown: []string{"app 4/5", "app 5/5"}},
		{name: "no-cache of a stage, another result", files: files, change: asked("no-cache", "build"), unknown: []string{"app 4/5", "app 5/5"},
			dockerfile: strings.ReplaceAll(file, "cat /file", "cat /proc/sys/kernel/random/uuid")},
		{name: "no-cache of the last stage", dockerfile: file, files: files, change: asked("no-cache", "app")},
		{name: "no-cache of a step", dockerfile: file, files: files, change: asked("no-cache", "app/3")},
		{name: "no-cache of a line", dockerfile: file, files: files, change: asked("no-cache", "@11")},
		{name: "no-cache of nothing", dockerfile: file, files: files, change: asked("no-cache", "other")},
		{name: "no-cache and a change", dockerfile: file, files: files, change: all(asked("no-cache", "app/3"), edited("echo before", "echo after"))},
		{name: "no-cache before", dockerfile: file, files: files, change: between(asked("no-cache", ""), func(p *project) { delete(p.Attrs, "no-cache") })},
		{name: "hostname", dockerfile: file, files: files, change: asked("hostname", "other")},
		{name: "label", dockerfile: file, files: files, change: asked("label:a", "b")},
		{name: "extra host", dockerfile: file, files: files, change: asked("add-hosts", "one=127.0.0.1")},
		{name: "address of an extra host", dockerfile: file, files: files, options: sandbox.Build{Attrs: map[string]string{"add-hosts": "one=127.0.0.1"}},
			change: asked("add-hosts", "one=127.0.0.2")},
	}
}

// contexts are named contexts and what .dockerignore keeps out.
func contexts() []combination {
	const local = "FROM $BASE\nRUN echo before\nCOPY --from=lib one /one\nRUN --mount=from=lib,source=two,target=/two cat /two\nRUN ls\n"
	lib := func(p *project) {
		dir := p.t.TempDir()
		p.must(os.WriteFile(filepath.Join(dir, "one"), []byte("1 "+p.id), 0o644))
		p.must(os.WriteFile(filepath.Join(dir, "two"), []byte("2 "+p.id), 0o644))
		p.Contexts = map[string]string{"lib": dir}
	}
	change := func(name string) func(*project) {
		return func(p *project) { p.must(os.WriteFile(filepath.Join(p.Contexts["lib"], name), []byte("new"), 0o644)) }
	}
	const image = "FROM $BASE\nRUN echo before\nCOPY --from=img /file /file\nRUN ls\n"
	push := func(name string) func(p *project) {
		return func(p *project) {
			ref := p.pushBase("predict/"+p.id+":"+name, p.newBase(sandbox.File{Path: "file", Body: name}))
			p.attr("context:img", "docker-image://docker.io/"+ref)
		}
	}
	const ignored = "FROM $BASE\nRUN echo before\nCOPY . /all\nRUN ls\n"
	files := map[string]string{".dockerignore": "*.md\n", "a": "a $ID", "b.md": "b"}
	return []combination{
		{name: "local unchanged", dockerfile: local, prepare: lib},
		{name: "local file", dockerfile: local, prepare: lib, change: change("one")},
		{name: "local bound file", dockerfile: local, prepare: lib, change: change("two")},
		{name: "local file not selected", dockerfile: local, prepare: lib, change: change("three")},
		{name: "image unchanged", dockerfile: image, prepare: push("1"), unknown: []string{"stage-0 3/4", "stage-0 4/4"}},
		{name: "image changed", dockerfile: image, prepare: push("1"), change: push("2"), unknown: []string{"stage-0 3/4", "stage-0 4/4"}},
		{name: "image as the base", dockerfile: "FROM img\nRUN echo one\n", prepare: push("1"), change: push("2"), unknown: []string{"FROM img", "1/2"}},
		{name: "ignored file", dockerfile: ignored, files: files, change: written("b.md", "B")},
		{name: "file not ignored", dockerfile: ignored, files: files, change: written("a", "A")},
		{name: "less ignored", dockerfile: ignored, files: files, change: written(".dockerignore", "*.html\n")},
		{name: "dockerfile in the context", dockerfile: ignored, files: files, change: edited("RUN ls", "RUN ls /")},
	}
}
