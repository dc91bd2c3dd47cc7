package predict_test

import (
	"os"
	"time"

	"github.com/cachewright/cachewright/integration/sandbox"
)

// edits are changes of one stage and its files.
func edits() []combination {
	const file = `FROM $BASE
ENV NAME=one
WORKDIR /work
RUN echo before
COPY src /src
USER 0
RUN echo mid
RUN cat /src/a
COPY other /other
RUN echo last
`
	files := map[string]string{"src/a": "a $ID", "src/dir/b": "b", "other": "o", "unused": "u"}
	var out []combination
	for name, change := range map[string]func(*project){
		"unchanged":             nil,
		"comment":               edited("RUN echo mid", "# why\nRUN echo mid"),
		"blank lines":           edited("RUN echo mid", "\n\nRUN echo mid"),
		"white space":           edited("RUN echo mid", "  RUN    echo mid"),
		"white space in words":  edited("RUN echo mid", "RUN echo  mid"),
		"keyword in lower case": edited("RUN echo mid", "run echo mid"),
		"continued line":        edited("RUN echo mid", "RUN echo \\\n mid"),
		"order":                 edited("RUN echo mid\nRUN cat /src/a\n", "RUN cat /src/a\nRUN echo mid\n"),
		"inserted":              edited("RUN echo mid", "RUN echo more\nRUN echo mid"),
		"removed":               edited("RUN echo mid\n", ""),
		"appended":              edited("RUN echo last\n", "RUN echo last\nRUN echo more\n"),
		"stage renamed":         edited("FROM $BASE", "FROM $BASE AS app"),
		"configuration":         edited("RUN echo mid", "LABEL a=b\nEXPOSE 80\nCMD true\nRUN echo mid"),
		"content":               written("src/a", "A $ID"),
		"content below":         written("src/dir/b", "B"),
		"two contents":          all(written("src/a", "A $ID"), written("other", "O")),
		"later content":         written("other", "O"),
		"unused file":           written("unused", "U"),
		"unused file added":     written("unused2", "U"),
		"file added":            written("src/c", "c"),
		"empty directory":       func(p *project) { p.must(os.Mkdir(p.path("src/empty"), 0o755)) },
		"file removed":          removed("src/dir"),
		"mode":                  moded("src/a", 0o755),
		"mtime":                 func(p *project) { p.must(os.Chtimes(p.path("src/a"), time.Unix(1, 0), time.Unix(1, 0))) },
		"rewritten":             written("src/a", "a $ID"),
		"workdir":               edited("WORKDIR /work", "WORKDIR /elsewhere"),
		"user":                  edited("USER 0", "USER 1"),
		"shell":                 edited("RUN echo mid", "SHELL [\"/bin/busybox\", \"sh\", \"-c\"]\nRUN echo mid"),
		"environment":           edited("NAME=one", "NAME=two"),
		"environment unused":    edited("RUN echo mid", "ENV MORE=1\nRUN echo mid"),
		"base moved":            func(p *project) { p.pushBase(p.Args["BASE"], p.newBase()) },
		"revert":                between(written("src/a", "A $ID"), written("src/a", "a $ID")),
		"revert of text":        between(edited("echo mid", "echo other"), edited("echo other", "echo mid")),
		"revert and more":       between(all(written("src/a", "A $ID"), written("other", "O")), all(written("src/a", "a $ID"), written("other", "O"))),
		"Dockerignore added":    written(".dockerignore", "src/dir\n"),
		"Dockerignore of none":  written(".dockerignore", "unused\n"),
		"link for a file":       all(removed("src/a"), linked("src/a", "dir/b")),
	} {
		out = append(out, combination{name: name, dockerfile: file, files: files, change: change})
	}
	return append(out,
		combination{name: "heredoc", dockerfile: "FROM $BASE\nRUN echo before\nRUN <<E\necho one\nE\nCOPY <<F /f\ntext\nF\nRUN echo after\n", change: edited("text", "texts")},
		combination{name: "heredoc of a command", dockerfile: "FROM $BASE\nRUN echo before\nRUN <<E\necho one\nE\nCOPY <<F /f\ntext\nF\nRUN echo after\n", change: edited("echo one", "echo two")},
		combination{name: "onbuild", dockerfile: "FROM $BASE AS parent\nONBUILD COPY a /a\nONBUILD RUN echo trigger\nFROM parent\nRUN echo own\n",
			files: map[string]string{"a": "a"}, change: written("a", "A")},
		combination{name: "onbuild changed", dockerfile: "FROM $BASE AS parent\nONBUILD COPY a /a\nONBUILD RUN echo trigger\nFROM parent\nRUN echo own\n",
			files: map[string]string{"a": "a"}, change: edited("echo trigger", "echo other")},
	)
}

// stages are changes of files with several stages.
func stages() []combination {
	const file = `FROM $BASE AS deps
COPY lock /lock
RUN cat /lock > /deps

FROM $BASE AS build
COPY --from=deps /deps /deps
COPY src /src
RUN cat /src > /out

FROM $BASE AS tools
RUN echo tools > /tool

FROM $BASE
COPY --from=build /out /out
RUN --mount=from=tools,source=/tool,target=/tool cat /tool
COPY --from=tools /tool /tool2
RUN ls
`
	files := map[string]string{"lock": "l $ID", "src": "s $ID"}
	afterDeps := []string{"build 2/4", "build 3/4", "build 4/4", "stage-3 2/5", "stage-3 3/5", "stage-3 4/5", "stage-3 5/5"}
	return []combination{
		{name: "unchanged", dockerfile: file, files: files},
		{name: "lock", dockerfile: file, files: files, change: written("lock", "L $ID"), unknown: afterDeps},
		{name: "lock command of equal result", dockerfile: file, files: files, change: edited("RUN cat /lock", "RUN cat  /lock"), unknown: afterDeps},
		{name: "source", dockerfile: file, files: files, change: written("src", "S $ID"), unknown: afterDeps[3:]},
		{name: "tools", dockerfile: file, files: files, change: edited("echo tools", "echo others"), unknown: afterDeps[4:]},
		{name: "renamed", dockerfile: file, files: files, change: all(edited("AS tools", "AS tool"), edited("from=tools", "from=tool"))},
		{name: "reordered", dockerfile: file, files: files, change: all(edited("FROM $BASE AS tools\nRUN echo tools > /tool\n\n", ""),
			edited("FROM $BASE AS deps", "FROM $BASE AS tools\nRUN echo tools > /tool\n\nFROM $BASE AS deps"))},
		{name: "last stage", dockerfile: file, files: files, change: edited("RUN ls", "RUN ls /")},
		{name: "selected path", dockerfile: file, files: files, change: edited("--from=tools /tool /tool2", "--from=tools /tool /tool3")},
		{name: "target", dockerfile: file, files: files, options: sandbox.Build{Target: "build"}, change: written("src", "S $ID")},
		{name: "target unrelated", dockerfile: file, files: files, options: sandbox.Build{Target: "deps"}, change: written("src", "S $ID")},
		{name: "stage on stage", dockerfile: "FROM $BASE AS a\nRUN echo a\nFROM a AS b\nRUN echo b\nFROM a\nCOPY --from=b /etc/unique /u\n", change: edited("echo b", "echo c"),
			unknown: []string{"stage-2 1/1"}},
		{name: "linked", dockerfile: file + "COPY --link --from=tools /tool /linked\n", files: files, change: written("src", "S $ID"),
			unknown: []string{"stage-3 2/6", "stage-3 3/6", "stage-3 4/6", "stage-3 5/6"}},
	}
}

// mounts are changes of what RUN mounts.
func mounts() []combination {
	const file = `FROM $BASE AS other
COPY given /given
FROM $BASE
RUN echo before
RUN --mount=source=dir,target=/dir cat /dir/a
RUN --mount=source=one,target=/one,rw echo changed > /one
RUN --mount=from=other,source=/given,target=/g cat /g
RUN --mount=from=other,target=/o,rw touch /o/new
RUN --mount=type=cache,target=/c touch /c/x || true
RUN --mount=type=cache,id=shared,target=/c2 echo x >> /c2/x
RUN --mount=type=tmpfs,target=/t touch /t/x
RUN --mount=type=secret,id=one,target=/s cat /s
RUN echo last
`
	files := map[string]string{"dir/a": "a $ID", "dir/b": "b", "one": "1 $ID", "given": "g $ID"}
	secret := sandbox.Build{Secrets: map[string][]byte{"one": []byte("1"), "two": []byte("2")}}
	var out []combination
	for name, change := range map[string]func(*project){
		"unchanged":           nil,
		"bound directory":     written("dir/b", "B"),
		"bound file":          written("one", "2 $ID"),
		"file of a stage":     written("given", "G $ID"),
		"writable":            edited("target=/dir ", "target=/dir,rw "),
		"cache target":        edited("target=/c ", "target=/cc "),
		"cache id":            edited("id=shared,", "id=other,"),
		"cache sharing":       edited("target=/c2", "sharing=locked,target=/c2"),
		"sharing of default":  edited("type=cache,target=/c ", "type=cache,sharing=locked,target=/c "),
		"tmpfs size":          edited("type=tmpfs,", "type=tmpfs,size=1000000,"),
		"secret value":        func(p *project) { p.Secrets["one"] = []byte("other") },
		"secret id":           edited("id=one", "id=two"),
		"secret required":     edited("id=one", "id=one,required"),
		"secret target":       edited("target=/s cat /s", "target=/s2 true"),
		"network":             edited("RUN echo before", "RUN --network=none echo before"),
		"another bound path":  edited("source=dir,target=/dir cat /dir/a", "source=dir/a,target=/dir/a cat /dir/a"),
		"order of two mounts": edited("RUN echo last", "RUN --mount=type=tmpfs,target=/1 --mount=type=tmpfs,target=/2 echo last"),
	} {
		c := combination{name: name, dockerfile: file, files: files, options: secret, change: change}
		c.options.Secrets = map[string][]byte{"one": []byte("1"), "two": []byte("2")}
		if name == "file of a stage" { // the stage gives the files that it copies
			c.unknown = []string{"stage-1  5/11", "stage-1  6/11", "stage-1  7/11", "stage-1  8/11", "stage-1  9/11", "stage-1 10/11", "stage-1 11/11"}
		}
		out = append(out, c)
	}
	return out
}

// copies are changes below what COPY and ADD select in all their ways.
func copies() []combination {
	const file = `FROM $BASE
COPY --parents src/./*/*.go /parents/
COPY --exclude=*.md docs /docs
COPY --chmod=600 conf /conf
COPY src/*/*.txt /text/
COPY --link conf /linked
COPY --chown=1:1 link /from-link
COPY docs/ src/one /both/
RUN ls
`
	files := map[string]string{
		"src/one/a.go": "a $ID", "src/one/a.txt": "t", "src/two/b.go": "b", "docs/a.md": "m", "docs/a.html": "h",
		"conf": "c $ID", "target": "t $ID",
	}
	var out []combination
	for name, change := range map[string]func(*project){
		"unchanged":           nil,
		"parents":             written("src/two/b.go", "B"),
		"parents not matched": written("src/two/b.c", "c"),
		"excluded":            written("docs/a.md", "M"),
		"not excluded":        written("docs/a.html", "H"),
		"chmod":               edited("chmod=600", "chmod=640"),
		"mode with chmod":     moded("conf", 0o755),
		"chmod content":       written("conf", "C $ID"),
		"wildcard":            written("src/two/b.txt", "T"),
		"link target":         written("target", "T $ID"),
		"link elsewhere":      all(removed("link"), linked("link", "conf")),
		"file for a link":     all(removed("link"), written("link", "t $ID")),
		"owner":               edited("chown=1:1", "chown=2:1"),
		"destination":         edited("/text/", "/texts/"),
		"exclude more":        edited("exclude=*.md", "exclude=*.md --exclude=none"),
		"no longer linked":    edited("COPY --link", "COPY"),
	} {
		out = append(out, combination{name: name, dockerfile: file, files: files, prepare: linked("link", "target"), change: change})
	}
	return out
}
