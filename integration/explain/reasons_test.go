package explain_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/cachewright/cachewright/integration/sandbox"
)

// TestReasons makes one change of each kind and reads what is said about it.
func TestReasons(t *testing.T) {
	sb := start(t)
	for table, cases := range map[string][]rebuild{
		"files": fileChanges(), "variables": variables(), "definition": definitions(), "base": bases(),
		"rules": ruleChanges(), "key": keyChanges(newWeb(t)), "secrets": secretMounts(), "forced": forced(),
		"stages": stages(), "contexts": contexts(),
	} {
		for _, c := range cases {
			t.Run(table+"/"+c.name, func(t *testing.T) {
				t.Parallel()
				c.run(newProject(t, sb, c))
			})
		}
	}
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
		{"not selected", written("beside", "changed"), ""},
		{"touched", func(p *project) { p.must(os.Chtimes(p.path("src/a"), epoch, epoch)) }, ""},
		{"written as it was", written("src/a", "a"), ""},
		{"content", written("src/a", "A"), "src/a changed"},
		{"in a directory", written("src/dir/c", "C"), "src/dir/c changed"},
		{"added", written("src/new", ""), "src/new added"},
		{"directory added", func(p *project) { p.must(os.Mkdir(p.path("src/empty"), 0o755)) }, "src/empty/ added"},
		{"removed", removed("src/b"), "src/b removed"},
		{"mode", moded("src/a", 0o755), "src/a mode 644 → 755"},
		{"mode of a directory", moded("src/dir", 0o700), ""},
		{"content and mode", all(written("src/a", "A"), moded("src/a", 0o600)), "src/a changed"},
		{"file to link", func(p *project) {
			p.must(os.Remove(p.path("src/a")))
			p.must(os.Symlink("b", p.path("src/a")))
		}, "src/a changed"},
		{"renamed", func(p *project) { p.must(os.Rename(p.path("src/a"), p.path("src/e"))) }, "src/e added, src/a removed"},
		{"two", all(written("src/a", "A"), written("src/b", "B")), "src/a changed, src/b changed"},
		{"three", all(written("src/a", "A"), written("src/b", "B"), written("src/d", "D")), "src/a changed, src/b changed, 1 more file"},
		{
			"all kinds", all(moded("src/a", 0o600), removed("src/b"), written("src/d", "D"), written("src/new", ""), written("src/new2", "")),
			"src/d changed, src/new added, 3 more files",
		},
	} {
		r := rebuild{name: c.name, dockerfile: file, files: files, change: c.change}
		if c.note != "" {
			r.notes = map[string]string{"COPY src /src": c.note, "RUN ls -R /src": "follows 2/4", "RUN echo last": "follows 2/4"}
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
			name: "bind mount", dockerfile: "FROM $BASE\nRUN echo before\nRUN --mount=target=/m,source=src cat /m/a.go\nRUN echo after\n",
			files: files, change: written("src/a.go", "A"),
			notes: map[string]string{"RUN --mount=target=/m,source=src cat /m/a.go": "src/a.go changed", "RUN echo after": "follows 3/4"},
		},
		{
			name: "wildcard", dockerfile: "FROM $BASE\nCOPY src/*.go /\n", files: files, change: all(written("src/c.go", ""), written("src/c.txt", "")),
			notes: map[string]string{"COPY src/*.go /": "src/c.go added"},
		},
		{
			name: "exclude", dockerfile: "FROM $BASE\nCOPY --exclude=*.txt src /\n", files: files, change: written("src/b.txt", "B"),
		},
		{
			name: "modes ignored", dockerfile: "FROM $BASE\n# cache=modes=ignore\nCOPY src /\n", files: files, change: moded("src/a.go", 0o600),
		},
		{
			name: "modes ignored but x", dockerfile: "FROM $BASE\n# cache=modes=ignore\nCOPY src /\n", files: files, change: moded("src/a.go", 0o700),
			notes: map[string]string{"COPY src /": "src/a.go mode 644 → 700"},
		},
		{
			name: "dockerignore", dockerfile: "FROM $BASE\nCOPY . /all\n", files: files, change: written(".dockerignore", "*.go\n"),
			notes: map[string]string{"COPY . /all": ".dockerignore changed, doc.md added"},
		},
		{
			name: "dockerignore more", dockerfile: "FROM $BASE\nCOPY src /all\n", files: files, change: written(".dockerignore", "**/*.go\n"),
			notes: map[string]string{"COPY src /all": "src/a.go removed"},
		},
		{
			name: "Dockerfile in the context", dockerfile: "FROM $BASE\nCOPY . /all\n", files: files, change: edited("\nCOPY", "\n#\nCOPY"),
			notes: map[string]string{"COPY . /all": "Dockerfile changed"},
		},
		{
			name: "link", dockerfile: "FROM $BASE\nRUN echo before\nCOPY --link src /a\nRUN ls /a\n", files: map[string]string{"src/a.go": "linked"}, change: written("src/a.go", "A"),
			notes: map[string]string{"COPY --link src /a": "src/a.go changed", "LINK COPY --link src /a": "src/a.go changed", "RUN ls /a": "follows 3/4"},
		},
		{
			name: "link after a change", dockerfile: "FROM $BASE\nRUN echo before\nCOPY --link src /a\nRUN ls /a\n", files: map[string]string{"src/a.go": "linked on"}, change: edited("before", "other"),
			notes:  map[string]string{"RUN echo other": "instruction changed", "RUN ls /a": "follows 2/4"},
			silent: []string{"LINK COPY --link src /a"},
		},
		{
			name: "two causes", dockerfile: "FROM $BASE\nCOPY src/a.go /\nRUN echo mid\nCOPY src/b.txt /\nRUN echo last\n", files: files,
			change: all(written("src/a.go", "A"), written("src/b.txt", "B")),
			notes: map[string]string{
				"COPY src/a.go /": "src/a.go changed", "RUN echo mid": "follows 2/5",
				"COPY src/b.txt /": "follows 2/5, src/b.txt changed", "RUN echo last": "follows 4/5",
			},
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
		{name: "argument", dockerfile: arg, change: given("V", "2"), notes: last("ARG V 1 → 2 (line 5)")},
		{name: "default", dockerfile: arg, change: edited("V=1", "V=3"), notes: last("ARG V 1 → 3 (line 5)")},
		{name: "argument as the default", dockerfile: arg, change: given("V", "1")},
		{name: "not declared", dockerfile: arg, change: given("OTHER", "1")},
		{name: "long argument", dockerfile: arg, change: given("V", "a value that is too long to be shown"), notes: last("ARG V changed (line 5)")},
		{name: "secret argument", dockerfile: arg, change: given("G_TOKEN", "second"), notes: last("ARG G_TOKEN changed (line 6)")},
		{name: "argument added", dockerfile: arg, change: edited("ARG V=1\n", "ARG V=1\nARG W=1\n"), notes: last("ARG W added (line 6)")},
		{name: "argument removed", dockerfile: arg, change: edited("ARG V=1\n", ""), notes: last("ARG V removed")},
		{name: "environment", dockerfile: env, files: map[string]string{"file": ""}, change: edited("ENV V=1", "ENV V=2"), notes: map[string]string{
			"RUN echo with": "ENV V 1 → 2 (line 3)", "COPY file /2": "follows 2/3, ENV V 1 → 2 (line 3)",
		}},
		{name: "secret environment", dockerfile: env, files: map[string]string{"file": ""}, change: edited("hunter-1", "hunter-2"), notes: map[string]string{
			"RUN echo with": "ENV DB_PASSWORD changed (line 3)", "COPY file /1": "follows 2/3",
		}},
		{name: "secret by its value", dockerfile: arg, options: sandbox.Build{Args: map[string]string{"V": "https://user:hunter@example.org"}}, change: given("V", "2"),
			notes: last("ARG V changed (line 5)")},
		{name: "args=none", dockerfile: "FROM $BASE\nARG V=1\n# cache=args=none\nRUN echo without\nRUN echo with\n", change: given("V", "2"),
			notes: map[string]string{"RUN echo with": "ARG V 1 → 2 (line 3)"}},
	}
}

// definitions are changes of the instructions.
func definitions() []rebuild {
	const file = "FROM $BASE\nRUN echo one\nRUN echo two\nRUN echo three\n"
	return []rebuild{
		{name: "text", dockerfile: file, change: edited("echo one", "echo 1"), notes: map[string]string{
			"RUN echo 1": "instruction changed", "RUN echo two": "follows 2/4", "RUN echo three": "follows 2/4",
		}},
		{name: "new step", dockerfile: file, change: edited("RUN echo two", "RUN echo new\nRUN echo two"), notes: map[string]string{
			"RUN echo new": "new step", "RUN echo two": "follows 3/5", "RUN echo three": "follows 3/5",
		}},
		{name: "new last step", dockerfile: file, change: edited("RUN echo three", "RUN echo three\nRUN echo four"), notes: map[string]string{
			"RUN echo four": "new step",
		}},
		{name: "step removed", dockerfile: file, change: edited("RUN echo two\n", ""), notes: map[string]string{
			"RUN echo three": "no longer after RUN echo two",
		}},
		{name: "comment", dockerfile: file, change: edited("RUN echo two", "# more\nRUN echo two")},
		{name: "heredoc", dockerfile: "FROM $BASE\nRUN <<E\necho one\nE\n", change: edited("echo one", "echo 1"), notes: map[string]string{
			"RUN <<E (echo 1)": "instruction changed",
		}},
		{name: "heredoc file", dockerfile: "FROM $BASE\nCOPY <<E /f\none\nE\n", change: edited("one", "two"), notes: map[string]string{
			"COPY <<E /f": "instruction changed",
		}},
		{name: "user", dockerfile: "FROM $BASE\nRUN echo one\nUSER 1\nRUN echo two\n", change: edited("USER 1", "USER 2"), notes: map[string]string{
			"RUN echo two": "user changed 1 → 2",
		}},
		{name: "user added", dockerfile: file, change: edited("RUN echo two", "USER 1\nRUN echo two"), notes: map[string]string{
			"RUN echo two": "user added", "RUN echo three": "follows 3/4, user added",
		}},
		{name: "workdir", dockerfile: "FROM $BASE\nWORKDIR /a\nRUN echo two\n", change: edited("/a", "/b"), notes: map[string]string{
			"WORKDIR /b": "instruction changed, workdir changed /a → /b", "RUN echo two": "follows 2/3, workdir changed /a → /b",
		}},
		{name: "shell", dockerfile: "FROM $BASE\nSHELL [\"/bin/sh\", \"-c\"]\nRUN echo two\n", change: edited(`"-c"`, `"-ec"`), notes: map[string]string{
			"RUN echo two": "shell added",
		}},
		{name: "network", dockerfile: "FROM $BASE\nRUN echo two\n", change: asked("force-network-mode", "none"), notes: map[string]string{
			"RUN echo two": "network added",
		}},
		{name: "add-host", dockerfile: "FROM $BASE\nRUN echo two\n", options: sandbox.Build{Attrs: map[string]string{"add-hosts": "one=192.0.2.1"}},
			change: asked("add-hosts", "one=192.0.2.2")},
		{name: "label", dockerfile: file, change: edited("RUN echo two", "LABEL a=b\nRUN echo two")},
	}
}

// bases are other base images.
func bases() []rebuild {
	const file = "ARG IMAGE=$BASE\nFROM $IMAGE\nRUN echo one\nRUN echo two\n"
	move := func(p *project) {
		before, after := p.newBase(), p.newBase()
		p.pushBase(p.Args["BASE"], before)
		p.solve()
		p.pushBase(p.Args["BASE"], after)
		p.digests["$OLD"], p.digests["$NEW"], p.digests["$NAME"] = p.short(before), p.short(after), p.Args["BASE"]
	}
	return []rebuild{
		{name: "moved", dockerfile: file, change: move, notes: map[string]string{
			"FROM docker.io/$NAME@sha256:…": "$NAME moved $OLD → $NEW",
			"RUN echo one":                  "$NAME moved $OLD → $NEW", "RUN echo two": "follows 2/3",
		}},
		{name: "moved with others below", dockerfile: "FROM $BASE AS a\nRUN echo one\nFROM a\nRUN echo two\n", change: move, notes: map[string]string{
			"FROM docker.io/$NAME@sha256:…": "$NAME moved $OLD → $NEW", "RUN echo one": "$NAME moved $OLD → $NEW", "RUN echo two": "follows a 2/2",
		}},
		{name: "another reference", dockerfile: file, change: func(p *project) {
			p.digests["$OLD"] = p.Args["BASE"]
			p.arg("IMAGE", p.pushBase(newRepository()+":2", p.newBase()))
			p.digests["$NAME"] = p.Args["IMAGE"]
		}, notes: map[string]string{
			"FROM docker.io/$NAME@sha256:…": "base image $OLD → $NAME",
			"RUN echo one":                  "base image $OLD → $NAME", "RUN echo two": "follows 2/3",
		}},
		{name: "the same under another name", dockerfile: file, change: func(p *project) {
			image := p.newBase()
			p.arg("IMAGE", p.pushBase(newRepository()+":1", image))
			p.solve()
			p.arg("IMAGE", p.pushBase(newRepository()+":2", image))
		}},
	}
}

// ruleChanges are changes of directives, and what they do by themselves.
func ruleChanges() []rebuild {
	const daily = "FROM $BASE\nRUN echo before\n# cache=ttl=daily\nRUN echo kept\nRUN echo after\n"
	march := sandbox.Build{Args: map[string]string{"CACHEWRIGHT_NOW": "2026-03-01T12:00:00Z"}}
	because := func(note string) map[string]string {
		return map[string]string{"RUN echo kept": note, "RUN echo after": "follows 3/4"}
	}
	return []rebuild{
		{name: "ttl rolled", dockerfile: daily, options: march, change: given("CACHEWRIGHT_NOW", "2026-03-02T12:00:00Z"), notes: because("ttl daily rolled over")},
		{name: "ttl in its window", dockerfile: daily, options: march, change: given("CACHEWRIGHT_NOW", "2026-03-01T18:00:00Z")},
		{name: "ttl changed", dockerfile: daily, options: march, change: edited("daily", "monthly"), notes: because("rule ttl=daily → ttl=monthly")},
		{name: "ttl removed", dockerfile: daily, options: march, change: edited("# cache=ttl=daily\n", ""), notes: because("rule removed: ttl=daily")},
		{name: "rule added", dockerfile: "FROM $BASE\nRUN echo before\nRUN echo kept\nRUN echo after\n", options: march, change: edited("RUN echo kept", "# cache=ttl=7d\nRUN echo kept"), notes: because("rule added: ttl=7d")},
		{name: "rules off", dockerfile: daily, options: march, change: given("CACHEWRIGHT_RULES", "off"), notes: because("rule removed: ttl=daily")},
		{name: "rule by override", dockerfile: daily, options: march, change: given("CACHEWRIGHT_RULES", "@5: ttl=1h"), notes: because("rule ttl=daily → ttl=1h")},
		{name: "export", dockerfile: daily, options: march, change: edited("ttl=daily", "ttl=daily;export=no"), notes: because("rule ttl=daily → ttl=daily;export=no")},
		{name: "off", dockerfile: "FROM $BASE\nRUN echo before\n# cache=off\nRUN echo kept\nRUN echo after\n", notes: because("runs in every build")},
	}
}

// forced are steps that run because nothing from the cache was asked for.
func forced() []rebuild {
	const file = "FROM $BASE AS deps\nRUN echo one > /one\nRUN echo two\nFROM $BASE\nCOPY --from=deps /one /\nRUN echo last\n"
	return []rebuild{
		{name: "no-cache", dockerfile: file, change: asked("no-cache", ""), notes: map[string]string{
			"RUN echo one > /one": "no cache was asked for", "RUN echo two": "no cache was asked for",
			"COPY --from=deps /one /": "no cache was asked for", "RUN echo last": "no cache was asked for",
		}},
		{name: "no-cache-filter", dockerfile: file, change: asked("no-cache", "deps"), notes: map[string]string{
			"RUN echo one > /one": "no cache was asked for", "RUN echo two": "no cache was asked for",
		}, kept: map[string]string{
			"COPY --from=deps /one /": "follows deps 3/3 if that changed", "RUN echo last": "follows 2/3 if that changed",
		}},
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
		{"variable", "id=one,env=A", "id=one,env=B", "instruction changed, secret one changed as $A, optional → as $B, optional"},
	} {
		cases = append(cases, rebuild{
			name: c.name, dockerfile: fmt.Sprintf(file, c.from), options: options, change: edited(c.from, c.to),
			notes: map[string]string{fmt.Sprintf(title, c.to): c.note, "RUN echo two": "follows 2/3"},
		})
	}
	return append(cases, rebuild{
		name: "value", dockerfile: fmt.Sprintf(file, "id=one"), options: options,
		change: func(p *project) { p.Secrets["one"] = []byte("value-3") },
	})
}
