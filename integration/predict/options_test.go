package predict_test

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/cachewright/cachewright/integration/sandbox"
	"github.com/cachewright/cachewright/integration/scenario"
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
		"used":            scenario.Given("USED", "2"),
		"unused":          scenario.Given("UNUSED", "2"),
		"the default":     scenario.Given("USED", "1"),
		"default changed": scenario.Edited("USED=1", "USED=2"),
		"global":          scenario.Given("GLOBAL", "2"),
		"global default":  scenario.Edited("GLOBAL=g", "GLOBAL=h"),
		"not declared":    scenario.Given("NOTHING", "2"),
		"proxy":           scenario.Given("HTTP_PROXY", "http://127.0.0.1:1"),
		"secret changed":  scenario.Between(scenario.Given("NPM_TOKEN", "first"), scenario.Given("NPM_TOKEN", "second")),
		"declared later":  scenario.All(scenario.Edited("ARG UNUSED=1\n", ""), scenario.Edited("RUN echo last", "ARG UNUSED=1\nRUN echo last")),
		"secret reverted": scenario.Between(scenario.Given("NPM_TOKEN", "first"), scenario.Given("NPM_TOKEN", "second"), scenario.Given("NPM_TOKEN", "first")),
		"ENV for ARG":     scenario.Edited("ARG UNUSED=1", "ENV UNUSED=1"),
	} {
		out = append(out, combination{Name: name, Dockerfile: file, Files: map[string]string{"file": "$ID"}, Change: change})
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
		{Name: "no-cache", Dockerfile: file, Files: files, Change: scenario.Asked("no-cache", "")},
		{Name: "no-cache of a stage", Dockerfile: file, Files: files, Change: scenario.Asked("no-cache", "build"), Want: []string{"app 4/5", "app 5/5"}},
		{Name: "no-cache of a stage, another result", Files: files, Change: scenario.Asked("no-cache", "build"), Want: []string{"app 4/5", "app 5/5"},
			Dockerfile: strings.ReplaceAll(file, "cat /file", "cat /proc/sys/kernel/random/uuid")},
		{Name: "no-cache of the last stage", Dockerfile: file, Files: files, Change: scenario.Asked("no-cache", "app")},
		{Name: "no-cache of a step", Dockerfile: file, Files: files, Change: scenario.Asked("no-cache", "app/3")},
		{Name: "no-cache of a line", Dockerfile: file, Files: files, Change: scenario.Asked("no-cache", "@11")},
		{Name: "no-cache of nothing", Dockerfile: file, Files: files, Change: scenario.Asked("no-cache", "other")},
		{Name: "no-cache and a change", Dockerfile: file, Files: files, Change: scenario.All(scenario.Asked("no-cache", "app/3"), scenario.Edited("echo before", "echo after"))},
		{Name: "no-cache before", Dockerfile: file, Files: files, Change: scenario.Between(scenario.Asked("no-cache", ""), func(p *project) { delete(p.Attrs, "no-cache") })},
		{Name: "hostname", Dockerfile: file, Files: files, Change: scenario.Asked("hostname", "other")},
		{Name: "label", Dockerfile: file, Files: files, Change: scenario.Asked("label:a", "b")},
		{Name: "extra host", Dockerfile: file, Files: files, Change: scenario.Asked("add-hosts", "one=127.0.0.1")},
		{Name: "address of an extra host", Dockerfile: file, Files: files, Options: sandbox.Build{Attrs: map[string]string{"add-hosts": "one=127.0.0.1"}},
			Change: scenario.Asked("add-hosts", "one=127.0.0.2")},
	}
}

// contexts are named contexts and what .dockerignore keeps out.
func contexts() []combination {
	const local = "FROM $BASE\nRUN echo before\nCOPY --from=lib one /one\nRUN --mount=from=lib,source=two,target=/two cat /two\nRUN ls\n"
	lib := func(p *project) {
		dir := p.T.TempDir()
		p.Must(os.WriteFile(filepath.Join(dir, "one"), []byte("1 "+p.ID), 0o644))
		p.Must(os.WriteFile(filepath.Join(dir, "two"), []byte("2 "+p.ID), 0o644))
		p.Contexts = map[string]string{"lib": dir}
	}
	change := func(name string) func(*project) {
		return func(p *project) { p.Must(os.WriteFile(filepath.Join(p.Contexts["lib"], name), []byte("new"), 0o644)) }
	}
	const image = "FROM $BASE\nRUN echo before\nCOPY --from=img /file /file\nRUN ls\n"
	push := func(name string) func(p *project) {
		return func(p *project) {
			ref := p.PushImage("project/"+p.ID+":"+name, p.NewBase(sandbox.File{Path: "file", Body: name}))
			p.Attr("context:img", "docker-image://docker.io/"+ref)
		}
	}
	const ignored = "FROM $BASE\nRUN echo before\nCOPY . /all\nRUN ls\n"
	files := map[string]string{".dockerignore": "*.md\n", "a": "a $ID", "b.md": "b"}
	return []combination{
		{Name: "local unchanged", Dockerfile: local, Prepare: lib},
		{Name: "local file", Dockerfile: local, Prepare: lib, Change: change("one")},
		{Name: "local bound file", Dockerfile: local, Prepare: lib, Change: change("two")},
		{Name: "local file not selected", Dockerfile: local, Prepare: lib, Change: change("three")},
		{Name: "image unchanged", Dockerfile: image, Prepare: push("1")},
		{Name: "image changed", Dockerfile: image, Prepare: push("1"), Change: push("2"), Want: []string{"stage-0 3/4", "stage-0 4/4"}},
		{Name: "image as the base", Dockerfile: "FROM img\nRUN echo one\n", Prepare: push("1"), Change: push("2")},
		{Name: "ignored file", Dockerfile: ignored, Files: files, Change: scenario.Written("b.md", "B")},
		{Name: "file not ignored", Dockerfile: ignored, Files: files, Change: scenario.Written("a", "A")},
		{Name: "less ignored", Dockerfile: ignored, Files: files, Change: scenario.Written(".dockerignore", "*.html\n")},
		{Name: "dockerfile in the context", Dockerfile: ignored, Files: files, Change: scenario.Edited("RUN ls", "RUN ls /")},
	}
}
