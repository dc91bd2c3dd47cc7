package explain_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/cachewright/cachewright/integration/sandbox"
	"github.com/cachewright/cachewright/integration/scenario"
)

// TestReasons makes one change of each kind and reads what is said about it.
func TestReasons(t *testing.T) {
	sb := scenario.Start(t)
	scenario.Run(t, map[string][]rebuild{
		"files": fileChanges(), "variables": variables(), "definition": definitions(), "base": bases(),
		"rules": ruleChanges(), "key": keyChanges(scenario.NewWeb(t)), "secrets": secretMounts(), "forced": forced(),
		"stages": stages(), "contexts": contexts(), "elsewhere": elsewhere(scenario.NewWeb(t)), "settings": settings(),
	}, func(t *testing.T, c rebuild) { run(scenario.New(t, sb, c), c) })
}

// fileChanges are changes of files that a COPY selects.
func fileChanges() []rebuild {
	const file = "FROM $BASE\nCOPY src /src\nRUN ls -R /src\nRUN echo last\n"
	files := map[string]string{"src/a": "a", "src/b": "b", "src/dir/c": "c", "src/d": "d", "beside": ""}
	var cases []rebuild
	for _, c := range []struct {
		name   string
		change func(*project)
		note   string // empty: nothing runs
	}{
		{"nothing", nil, ""},
		{"not selected", scenario.Written("beside", "changed"), ""},
		{"touched", func(p *project) { p.Must(os.Chtimes(p.Path("src/a"), epoch, epoch)) }, ""},
		{"written as it was", scenario.Written("src/a", "a"), ""},
		{"content", scenario.Written("src/a", "A"), "src/a changed"},
		{"in a directory", scenario.Written("src/dir/c", "C"), "src/dir/c changed"},
		{"added", scenario.Written("src/new", ""), "src/new added"},
		{"directory added", func(p *project) { p.Must(os.Mkdir(p.Path("src/empty"), 0o755)) }, "src/empty/ added"},
		{"removed", scenario.Removed("src/b"), "src/b removed"},
		{"mode", scenario.Moded("src/a", 0o755), "src/a mode 644 → 755"},
		{"mode of a directory", scenario.Moded("src/dir", 0o700), ""},
		{"content and mode", scenario.All(scenario.Written("src/a", "A"), scenario.Moded("src/a", 0o600)), "src/a changed"},
		{"file to link", func(p *project) {
			p.Must(os.Remove(p.Path("src/a")))
			p.Must(os.Symlink("b", p.Path("src/a")))
		}, "src/a changed"},
		{"renamed", func(p *project) { p.Must(os.Rename(p.Path("src/a"), p.Path("src/e"))) }, "src/e added, src/a removed"},
		{"two", scenario.All(scenario.Written("src/a", "A"), scenario.Written("src/b", "B")), "src/a changed, src/b changed"},
		{"three", scenario.All(scenario.Written("src/a", "A"), scenario.Written("src/b", "B"), scenario.Written("src/d", "D")), "src/a changed, src/b changed, 1 more file"},
		{
			"all kinds", scenario.All(scenario.Moded("src/a", 0o600), scenario.Removed("src/b"), scenario.Written("src/d", "D"), scenario.Written("src/new", ""), scenario.Written("src/new2", "")),
			"src/d changed, src/new added, 3 more files",
		},
	} {
		r := rebuild{Name: c.name, Dockerfile: file, Files: files, Change: c.change}
		if c.note != "" {
			r.Want.notes = map[string]string{"COPY src /src": c.note, "RUN ls -R /src": "follows 2/4", "RUN echo last": "follows 2/4"}
		}
		cases = append(cases, r)
	}
	return append(cases, selections()...)
}

// selections are other ways to select files.
func selections() []rebuild {
	files := map[string]string{"src/a.go": "a", "src/b.txt": "b", "src/bin.sh": "", ".dockerignore": "*.md\n", "doc.md": "", "Dockerfile.other": ""}
	return []rebuild{
		{
			Name: "bind mount", Dockerfile: "FROM $BASE\nRUN echo before\nRUN --mount=target=/m,source=src cat /m/a.go\nRUN echo after\n",
			Files: files, Change: scenario.Written("src/a.go", "A"),
			Want: expected{notes: map[string]string{"RUN --mount=target=/m,source=src cat /m/a.go": "src/a.go changed", "RUN echo after": "follows 3/4"}},
		},
		{
			Name: "wildcard", Dockerfile: "FROM $BASE\nCOPY src/*.go /\n", Files: files, Change: scenario.All(scenario.Written("src/c.go", ""), scenario.Written("src/c.txt", "")),
			Want: expected{notes: map[string]string{"COPY src/*.go /": "src/c.go added"}},
		},
		{
			Name: "exclude", Dockerfile: "FROM $BASE\nCOPY --exclude=*.txt src /\n", Files: files, Change: scenario.Written("src/b.txt", "B"),
		},
		{
			Name: "modes ignored", Dockerfile: "FROM $BASE\n# cache=modes=ignore\nCOPY src /\n", Files: files, Change: scenario.Moded("src/a.go", 0o600),
		},
		{
			Name: "modes ignored but x", Dockerfile: "FROM $BASE\n# cache=modes=ignore\nCOPY src /\n", Files: files, Change: scenario.Moded("src/a.go", 0o700),
			Want: expected{notes: map[string]string{"COPY src /": "src/a.go mode 644 → 700"}},
		},
		{
			Name: "dockerignore", Dockerfile: "FROM $BASE\nCOPY . /all\n", Files: files, Change: scenario.Written(".dockerignore", "*.go\n"),
			Want: expected{notes: map[string]string{"COPY . /all": ".dockerignore changed, doc.md added"}},
		},
		{
			Name: "dockerignore more", Dockerfile: "FROM $BASE\nCOPY src /all\n", Files: files, Change: scenario.Written(".dockerignore", "**/*.go\n"),
			Want: expected{notes: map[string]string{"COPY src /all": "src/a.go removed"}},
		},
		{
			Name: "Dockerfile in the context", Dockerfile: "FROM $BASE\nCOPY . /all\n", Files: files, Change: scenario.Edited("\nCOPY", "\n#\nCOPY"),
			Want: expected{notes: map[string]string{"COPY . /all": "Dockerfile changed"}},
		},
		{
			Name: "link", Dockerfile: "FROM $BASE\nRUN echo before\nCOPY --link src /a\nRUN ls /a\n", Files: map[string]string{"src/a.go": "linked"}, Change: scenario.Written("src/a.go", "A"),
			Want: expected{notes: map[string]string{"COPY --link src /a": "src/a.go changed", "LINK COPY --link src /a": "src/a.go changed", "RUN ls /a": "follows 3/4"}},
		},
		{
			Name: "link after a change", Dockerfile: "FROM $BASE\nRUN echo before\nCOPY --link src /a\nRUN ls /a\n", Files: map[string]string{"src/a.go": "linked on"}, Change: scenario.Edited("before", "other"),
			Want: expected{notes: map[string]string{"RUN echo other": "instruction changed", "RUN ls /a": "follows 2/4"},
				silent: []string{"LINK COPY --link src /a"}},
		},
		{
			Name: "two causes", Dockerfile: "FROM $BASE\nCOPY src/a.go /\nRUN echo mid\nCOPY src/b.txt /\nRUN echo last\n", Files: files,
			Change: scenario.All(scenario.Written("src/a.go", "A"), scenario.Written("src/b.txt", "B")),
			Want: expected{notes: map[string]string{
				"COPY src/a.go /": "src/a.go changed", "RUN echo mid": "follows 2/5",
				"COPY src/b.txt /": "follows 2/5, src/b.txt changed", "RUN echo last": "follows 4/5",
			}},
		},
	}
}

// variables are changes of ARG and ENV.
func variables() []rebuild {
	const arg = "ARG GLOBAL=0\nFROM $BASE\nRUN echo before\nARG V=1\nARG G_TOKEN=first\nRUN echo with\nRUN echo last\n"
	const env = "FROM $BASE\nENV V=1 DB_PASSWORD=hunter-1\nRUN echo with\nCOPY file /$V\n"
	last := func(note string) map[string]string {
		return map[string]string{"RUN echo with": note, "RUN echo last": "follows 3/4, " + note}
	}
	return []rebuild{
		{Name: "argument", Dockerfile: arg, Change: scenario.Given("V", "2"), Want: expected{notes: last("ARG V 1 → 2 (line 5)")}},
		{Name: "default", Dockerfile: arg, Change: scenario.Edited("V=1", "V=3"), Want: expected{notes: last("ARG V 1 → 3 (line 5)")}},
		{Name: "argument as the default", Dockerfile: arg, Change: scenario.Given("V", "1")},
		{Name: "not declared", Dockerfile: arg, Change: scenario.Given("OTHER", "1")},
		{Name: "long argument", Dockerfile: arg, Change: scenario.Given("V", "a value that is too long to be shown"), Want: expected{notes: last("ARG V changed (line 5)")}},
		{Name: "secret argument", Dockerfile: arg, Change: scenario.Given("G_TOKEN", "second"), Want: expected{notes: last("ARG G_TOKEN changed (line 6)")}},
		{Name: "argument added", Dockerfile: arg, Change: scenario.Edited("ARG V=1\n", "ARG V=1\nARG W=1\n"), Want: expected{notes: last("ARG W added (line 6)")}},
		{Name: "argument removed", Dockerfile: arg, Change: scenario.Edited("ARG V=1\n", ""), Want: expected{notes: last("ARG V removed")}},
		{Name: "environment", Dockerfile: env, Files: map[string]string{"file": ""}, Change: scenario.Edited("ENV V=1", "ENV V=2"), Want: expected{notes: map[string]string{
			"RUN echo with": "ENV V 1 → 2 (line 3)", "COPY file /2": "follows 2/3, ENV V 1 → 2 (line 3)",
		}}},
		{Name: "secret environment", Dockerfile: env, Files: map[string]string{"file": ""}, Change: scenario.Edited("hunter-1", "hunter-2"), Want: expected{notes: map[string]string{
			"RUN echo with": "ENV DB_PASSWORD changed (line 3)", "COPY file /1": "follows 2/3",
		}}},
		{Name: "secret by its value", Dockerfile: arg, Options: sandbox.Build{Args: map[string]string{"V": "https://user:hunter@example.org"}}, Change: scenario.Given("V", "2"),
			Want: expected{notes: last("ARG V changed (line 5)")}},
		{Name: "args=none", Dockerfile: "FROM $BASE\nARG V=1\n# cache=args=none\nRUN echo without\nRUN echo with\n", Change: scenario.Given("V", "2"),
			Want: expected{notes: map[string]string{"RUN echo with": "ARG V 1 → 2 (line 3)"}}},
	}
}

// definitions are changes of the instructions.
func definitions() []rebuild {
	const file = "FROM $BASE\nRUN echo one\nRUN echo two\nRUN echo three\n"
	return []rebuild{
		{Name: "text", Dockerfile: file, Change: scenario.Edited("echo one", "echo 1"), Want: expected{notes: map[string]string{
			"RUN echo 1": "instruction changed", "RUN echo two": "follows 2/4", "RUN echo three": "follows 2/4",
		}}},
		{Name: "new step", Dockerfile: file, Change: scenario.Edited("RUN echo two", "RUN echo new\nRUN echo two"), Want: expected{notes: map[string]string{
			"RUN echo new": "new step", "RUN echo two": "follows 3/5", "RUN echo three": "follows 3/5",
		}}},
		{Name: "new last step", Dockerfile: file, Change: scenario.Edited("RUN echo three", "RUN echo three\nRUN echo four"), Want: expected{notes: map[string]string{
			"RUN echo four": "new step",
		}}},
		{Name: "step removed", Dockerfile: file, Change: scenario.Edited("RUN echo two\n", ""), Want: expected{notes: map[string]string{
			"RUN echo three": "no longer after RUN echo two",
		}}},
		{
			Name: "steps swapped", Dockerfile: "FROM $BASE AS a\nRUN echo 1 >/g\nFROM a\nCOPY f /f\nCOPY --from=a /g /h\n", Files: map[string]string{"f": "1"},
			Change: scenario.Edited("COPY f /f\nCOPY --from=a /g /h\n", "COPY --from=a /g /h\nCOPY f /f\n"),
			Want:   expected{notes: map[string]string{"COPY --from=a /g /h": "no longer after COPY f /f", "COPY f /f": "follows 1/2"}},
		},
		{Name: "comment", Dockerfile: file, Change: scenario.Edited("RUN echo two", "# more\nRUN echo two")},
		{Name: "heredoc", Dockerfile: "FROM $BASE\nRUN <<E\necho one\nE\n", Change: scenario.Edited("echo one", "echo 1"), Want: expected{notes: map[string]string{
			"RUN <<E (echo 1)": "instruction changed",
		}}},
		{Name: "heredoc file", Dockerfile: "FROM $BASE\nCOPY <<E /f\none\nE\n", Change: scenario.Edited("one", "two"), Want: expected{notes: map[string]string{
			"COPY <<E /f": "instruction changed",
		}}},
		{Name: "user", Dockerfile: "FROM $BASE\nRUN echo one\nUSER 1\nRUN echo two\n", Change: scenario.Edited("USER 1", "USER 2"), Want: expected{notes: map[string]string{
			"RUN echo two": "user changed 1 → 2",
		}}},
		{Name: "user added", Dockerfile: file, Change: scenario.Edited("RUN echo two", "USER 1\nRUN echo two"), Want: expected{notes: map[string]string{
			"RUN echo two": "user added", "RUN echo three": "follows 3/4, user added",
		}}},
		{Name: "workdir", Dockerfile: "FROM $BASE\nWORKDIR /a\nRUN echo two\n", Change: scenario.Edited("/a", "/b"), Want: expected{notes: map[string]string{
			"WORKDIR /b": "instruction changed, workdir changed /a → /b", "RUN echo two": "follows 2/3, workdir changed /a → /b",
		}}},
		{Name: "shell", Dockerfile: "FROM $BASE\nSHELL [\"/bin/sh\", \"-c\"]\nRUN echo two\n", Change: scenario.Edited(`"-c"`, `"-ec"`), Want: expected{notes: map[string]string{
			"RUN echo two": "shell added",
		}}},
		{Name: "network", Dockerfile: "FROM $BASE\nRUN echo two\n", Change: scenario.Asked("force-network-mode", "none"), Want: expected{notes: map[string]string{
			"RUN echo two": "network added",
		}}},
		{Name: "add-host", Dockerfile: "FROM $BASE\nRUN echo two\n", Options: sandbox.Build{Attrs: map[string]string{"add-hosts": "one=192.0.2.1"}},
			Change: scenario.Asked("add-hosts", "one=192.0.2.2")},
		{Name: "label", Dockerfile: file, Change: scenario.Edited("RUN echo two", "LABEL a=b\nRUN echo two")},
	}
}

// bases are other base images.
func bases() []rebuild {
	const file = "ARG IMAGE=$BASE\nFROM $IMAGE\nRUN echo one\nRUN echo two\n"
	move := func(p *project) {
		before, after := p.NewBase(), p.NewBase()
		p.PushImage(p.Args["BASE"], before)
		solve(p)
		p.PushImage(p.Args["BASE"], after)
		p.Words["$OLD"], p.Words["$NEW"], p.Words["$NAME"] = short(p, before), short(p, after), p.Args["BASE"]
		p.Words["$DIGEST"] = digest(p, after)
	}
	return []rebuild{
		{Name: "moved", Dockerfile: file, Change: move, Want: expected{notes: map[string]string{
			"FROM docker.io/$NAME@$DIGEST": "$NAME moved $OLD → $NEW",
			"RUN echo one":                 "$NAME moved $OLD → $NEW", "RUN echo two": "follows 2/3",
		}}},
		{Name: "moved with others below", Dockerfile: "FROM $BASE AS a\nRUN echo one\nFROM a\nRUN echo two\n", Change: move, Want: expected{notes: map[string]string{
			"FROM docker.io/$NAME@$DIGEST": "$NAME moved $OLD → $NEW", "RUN echo one": "$NAME moved $OLD → $NEW", "RUN echo two": "follows a 2/2",
		}}},
		{Name: "another reference", Dockerfile: file, Change: func(p *project) {
			p.Words["$OLD"] = p.Args["BASE"]
			image := p.NewBase()
			p.Arg("IMAGE", p.PushImage(scenario.NewRepository()+":2", image))
			p.Words["$NAME"], p.Words["$DIGEST"] = p.Args["IMAGE"], digest(p, image)
		}, Want: expected{notes: map[string]string{
			"FROM docker.io/$NAME@$DIGEST": "base image $OLD → $NAME",
			"RUN echo one":                 "base image $OLD → $NAME", "RUN echo two": "follows 2/3",
		}}},
		{Name: "the same under another name", Dockerfile: file, Change: func(p *project) {
			image := p.NewBase()
			p.Arg("IMAGE", p.PushImage(scenario.NewRepository()+":1", image))
			solve(p)
			p.Arg("IMAGE", p.PushImage(scenario.NewRepository()+":2", image))
		}},
	}
}

// forced are steps that run because nothing from the cache was asked for.
func forced() []rebuild {
	const file = "FROM $BASE AS deps\nRUN echo one > /one\nRUN echo two\nFROM $BASE\nCOPY --from=deps /one /\nRUN echo last\n"
	return []rebuild{
		{Name: "no-cache", Dockerfile: file, Change: scenario.Asked("no-cache", ""), Want: expected{notes: map[string]string{
			"RUN echo one > /one": "no cache was asked for", "RUN echo two": "no cache was asked for",
			"COPY --from=deps /one /": "no cache was asked for", "RUN echo last": "no cache was asked for",
		}}},
		{Name: "no-cache-filter", Dockerfile: file, Change: scenario.Asked("no-cache", "deps"), Want: expected{notes: map[string]string{
			"RUN echo one > /one": "no cache was asked for", "RUN echo two": "no cache was asked for",
		}, kept: map[string]string{
			"COPY --from=deps /one /": "follows deps 3/3 if that changed", "RUN echo last": "follows 2/3 if that changed",
		}}},
	}
}

// secretMounts are changes of secret mounts; their values never count.
func secretMounts() []rebuild {
	const file = "FROM $BASE\nRUN --mount=type=secret,%s echo one\nRUN echo two\n"
	const title = "RUN --mount=type=secret,%s echo one"
	options := sandbox.Build{Secrets: map[string][]byte{"one": []byte("value-1"), "two": []byte("value-2")}}
	var cases []rebuild
	for _, c := range []struct{ name, from, to, note string }{
		{"id", "id=one", "id=two", "instruction changed, secret two added, secret one removed"},
		{"target", "id=one", "id=one,target=/t", "instruction changed, secret one changed"},
		{"variable", "id=one,env=A", "id=one,env=B", "instruction changed, secret one changed \"as $A, optional\" → \"as $B, optional\""},
	} {
		cases = append(cases, rebuild{
			Name: c.name, Dockerfile: fmt.Sprintf(file, c.from), Options: options, Change: scenario.Edited(c.from, c.to),
			Want: expected{notes: map[string]string{fmt.Sprintf(title, c.to): c.note, "RUN echo two": "follows 2/3"}},
		})
	}
	return append(cases, rebuild{
		Name: "value", Dockerfile: fmt.Sprintf(file, "id=one"), Options: options,
		Change: func(p *project) { p.Secrets["one"] = []byte("value-3") },
	})
}
