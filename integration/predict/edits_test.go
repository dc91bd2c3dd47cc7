package predict_test

import (
	"os"
	"time"

	"github.com/cachewright/cachewright/integration/sandbox"
	"github.com/cachewright/cachewright/integration/scenario"
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
		"comment":               scenario.Edited("RUN echo mid", "# why\nRUN echo mid"),
		"blank lines":           scenario.Edited("RUN echo mid", "\n\nRUN echo mid"),
		"white space":           scenario.Edited("RUN echo mid", "  RUN    echo mid"),
		"white space in words":  scenario.Edited("RUN echo mid", "RUN echo  mid"),
		"keyword in lower case": scenario.Edited("RUN echo mid", "run echo mid"),
		"continued line":        scenario.Edited("RUN echo mid", "RUN echo \\\n mid"),
		"order":                 scenario.Edited("RUN echo mid\nRUN cat /src/a\n", "RUN cat /src/a\nRUN echo mid\n"),
		"inserted":              scenario.Edited("RUN echo mid", "RUN echo more\nRUN echo mid"),
		"removed":               scenario.Edited("RUN echo mid\n", ""),
		"appended":              scenario.Edited("RUN echo last\n", "RUN echo last\nRUN echo more\n"),
		"stage renamed":         scenario.Edited("FROM $BASE", "FROM $BASE AS app"),
		"configuration":         scenario.Edited("RUN echo mid", "LABEL a=b\nEXPOSE 80\nCMD true\nRUN echo mid"),
		"content":               scenario.Written("src/a", "A $ID"),
		"content below":         scenario.Written("src/dir/b", "B"),
		"two contents":          scenario.All(scenario.Written("src/a", "A $ID"), scenario.Written("other", "O")),
		"later content":         scenario.Written("other", "O"),
		"unused file":           scenario.Written("unused", "U"),
		"unused file added":     scenario.Written("unused2", "U"),
		"file added":            scenario.Written("src/c", "c"),
		"empty directory":       func(p *project) { p.Must(os.Mkdir(p.Path("src/empty"), 0o755)) },
		"file removed":          scenario.Removed("src/dir"),
		"mode":                  scenario.Moded("src/a", 0o755),
		"mtime":                 func(p *project) { p.Must(os.Chtimes(p.Path("src/a"), time.Unix(1, 0), time.Unix(1, 0))) },
		"rewritten":             scenario.Written("src/a", "a $ID"),
		"workdir":               scenario.Edited("WORKDIR /work", "WORKDIR /elsewhere"),
		"user":                  scenario.Edited("USER 0", "USER 1"),
		"shell":                 scenario.Edited("RUN echo mid", "SHELL [\"/bin/busybox\", \"sh\", \"-c\"]\nRUN echo mid"),
		"environment":           scenario.Edited("NAME=one", "NAME=two"),
		"environment unused":    scenario.Edited("RUN echo mid", "ENV MORE=1\nRUN echo mid"),
		"base moved":            func(p *project) { p.PushImage(p.Args["BASE"], p.NewBase()) },
		"revert":                scenario.Between(scenario.Written("src/a", "A $ID"), scenario.Written("src/a", "a $ID")),
		"revert of text":        scenario.Between(scenario.Edited("echo mid", "echo other"), scenario.Edited("echo other", "echo mid")),
		"revert and more":       scenario.Between(scenario.All(scenario.Written("src/a", "A $ID"), scenario.Written("other", "O")), scenario.All(scenario.Written("src/a", "a $ID"), scenario.Written("other", "O"))),
		"Dockerignore added":    scenario.Written(".dockerignore", "src/dir\n"),
		"Dockerignore of none":  scenario.Written(".dockerignore", "unused\n"),
		"link for a file":       scenario.All(scenario.Removed("src/a"), scenario.Linked("src/a", "dir/b")),
	} {
		out = append(out, combination{Name: name, Dockerfile: file, Files: files, Change: change})
	}
	return append(out,
		combination{Name: "heredoc", Dockerfile: "FROM $BASE\nRUN echo before\nRUN <<E\necho one\nE\nCOPY <<F /f\ntext\nF\nRUN echo after\n", Change: scenario.Edited("text", "texts")},
		combination{Name: "heredoc of a command", Dockerfile: "FROM $BASE\nRUN echo before\nRUN <<E\necho one\nE\nCOPY <<F /f\ntext\nF\nRUN echo after\n", Change: scenario.Edited("echo one", "echo two")},
		combination{Name: "onbuild", Dockerfile: "FROM $BASE AS parent\nONBUILD COPY a /a\nONBUILD RUN echo trigger\nFROM parent\nRUN echo own\n",
			Files: map[string]string{"a": "a"}, Change: scenario.Written("a", "A")},
		combination{Name: "onbuild changed", Dockerfile: "FROM $BASE AS parent\nONBUILD COPY a /a\nONBUILD RUN echo trigger\nFROM parent\nRUN echo own\n",
			Files: map[string]string{"a": "a"}, Change: scenario.Edited("echo trigger", "echo other")},
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
		{Name: "unchanged", Dockerfile: file, Files: files},
		{Name: "lock", Dockerfile: file, Files: files, Change: scenario.Written("lock", "L $ID"), Want: afterDeps},
		{Name: "lock command of equal result", Dockerfile: file, Files: files, Change: scenario.Edited("RUN cat /lock", "RUN cat  /lock"), Want: afterDeps},
		{Name: "source", Dockerfile: file, Files: files, Change: scenario.Written("src", "S $ID"), Want: afterDeps[3:]},
		{Name: "tools", Dockerfile: file, Files: files, Change: scenario.Edited("echo tools", "echo others"), Want: afterDeps[4:]},
		{Name: "renamed", Dockerfile: file, Files: files, Change: scenario.All(scenario.Edited("AS tools", "AS tool"), scenario.Edited("from=tools", "from=tool"))},
		{Name: "reordered", Dockerfile: file, Files: files, Change: scenario.All(scenario.Edited("FROM $BASE AS tools\nRUN echo tools > /tool\n\n", ""),
			scenario.Edited("FROM $BASE AS deps", "FROM $BASE AS tools\nRUN echo tools > /tool\n\nFROM $BASE AS deps"))},
		{Name: "last stage", Dockerfile: file, Files: files, Change: scenario.Edited("RUN ls", "RUN ls /")},
		{Name: "selected path", Dockerfile: file, Files: files, Change: scenario.Edited("--from=tools /tool /tool2", "--from=tools /tool /tool3")},
		{Name: "target", Dockerfile: file, Files: files, Options: sandbox.Build{Target: "build"}, Change: scenario.Written("src", "S $ID")},
		{Name: "target unrelated", Dockerfile: file, Files: files, Options: sandbox.Build{Target: "deps"}, Change: scenario.Written("src", "S $ID")},
		{Name: "stage on stage", Dockerfile: "FROM $BASE AS a\nRUN echo a\nFROM a AS b\nRUN echo b\nFROM a\nCOPY --from=b /etc/unique /u\n", Change: scenario.Edited("echo b", "echo c"),
			Want: []string{"stage-2 1/1"}},
		{Name: "linked", Dockerfile: file + "COPY --link --from=tools /tool /linked\n", Files: files, Change: scenario.Written("src", "S $ID"),
			Want: []string{"stage-3 2/6", "stage-3 3/6", "stage-3 4/6", "stage-3 5/6"}},
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
		"bound directory":     scenario.Written("dir/b", "B"),
		"bound file":          scenario.Written("one", "2 $ID"),
		"file of a stage":     scenario.Written("given", "G $ID"),
		"writable":            scenario.Edited("target=/dir ", "target=/dir,rw "),
		"cache target":        scenario.Edited("target=/c ", "target=/cc "),
		"cache id":            scenario.Edited("id=shared,", "id=other,"),
		"cache sharing":       scenario.Edited("target=/c2", "sharing=locked,target=/c2"),
		"sharing of default":  scenario.Edited("type=cache,target=/c ", "type=cache,sharing=locked,target=/c "),
		"tmpfs size":          scenario.Edited("type=tmpfs,", "type=tmpfs,size=1000000,"),
		"secret value":        func(p *project) { p.Secrets["one"] = []byte("other") },
		"secret id":           scenario.Edited("id=one", "id=two"),
		"secret required":     scenario.Edited("id=one", "id=one,required"),
		"secret target":       scenario.Edited("target=/s cat /s", "target=/s2 true"),
		"network":             scenario.Edited("RUN echo before", "RUN --network=none echo before"),
		"another bound path":  scenario.Edited("source=dir,target=/dir cat /dir/a", "source=dir/a,target=/dir/a cat /dir/a"),
		"order of two mounts": scenario.Edited("RUN echo last", "RUN --mount=type=tmpfs,target=/1 --mount=type=tmpfs,target=/2 echo last"),
	} {
		c := combination{Name: name, Dockerfile: file, Files: files, Options: secret, Change: change}
		c.Options.Secrets = map[string][]byte{"one": []byte("1"), "two": []byte("2")}
		if name == "file of a stage" { // the stage gives the files that it copies
			c.Want = []string{"stage-1  5/11", "stage-1  6/11", "stage-1  7/11", "stage-1  8/11", "stage-1  9/11", "stage-1 10/11", "stage-1 11/11"}
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
		"parents":             scenario.Written("src/two/b.go", "B"),
		"parents not matched": scenario.Written("src/two/b.c", "c"),
		"excluded":            scenario.Written("docs/a.md", "M"),
		"not excluded":        scenario.Written("docs/a.html", "H"),
		"chmod":               scenario.Edited("chmod=600", "chmod=640"),
		"mode with chmod":     scenario.Moded("conf", 0o755),
		"chmod content":       scenario.Written("conf", "C $ID"),
		"wildcard":            scenario.Written("src/two/b.txt", "T"),
		"link target":         scenario.Written("target", "T $ID"),
		"link elsewhere":      scenario.All(scenario.Removed("link"), scenario.Linked("link", "conf")),
		"file for a link":     scenario.All(scenario.Removed("link"), scenario.Written("link", "t $ID")),
		"owner":               scenario.Edited("chown=1:1", "chown=2:1"),
		"destination":         scenario.Edited("/text/", "/texts/"),
		"exclude more":        scenario.Edited("exclude=*.md", "exclude=*.md --exclude=none"),
		"no longer linked":    scenario.Edited("COPY --link", "COPY"),
	} {
		out = append(out, combination{Name: name, Dockerfile: file, Files: files, Prepare: scenario.Linked("link", "target"), Change: change})
	}
	return out
}
