package rules_test

import (
	"os"

	"github.com/cachewright/cachewright/integration/sandbox"
	"github.com/cachewright/cachewright/integration/scenario"
)

// off runs a step in every build, and so what follows it, but not what only
// looks at what it made.
func off() []rebuild {
	return []rebuild{
		{
			Name: "step", Dockerfile: "FROM $BASE\nRUN echo before\n# cache=off\nRUN echo off\nRUN echo after\nCOPY file /\n",
			Files: map[string]string{"file": ""},
			Want:  expected{ran: []string{"RUN echo off", "RUN echo after", "COPY file /"}},
		},
		{
			Name:       "another stage",
			Dockerfile: "FROM $BASE AS test\n# cache=off\nRUN echo ok > /ok\nFROM $BASE\nCOPY --from=test /ok /\nRUN echo after\n",
			Want:       expected{ran: []string{"RUN echo ok > /ok"}},
		},
		{
			Name: "ignored", Dockerfile: "FROM $BASE\n# cache=off\nRUN echo off\n",
			Options: sandbox.Build{Args: map[string]string{"CACHEWRIGHT_RULES": "off"}},
		},
	}
}

// ttl runs a step again in another window of time. The windows themselves are
// tested where they are computed.
func ttl() []rebuild {
	const file = "FROM $BASE\nRUN echo before\n# cache=ttl=%\nRUN echo kept\nRUN echo after\n"
	var cases []rebuild
	for _, c := range []struct {
		name, ttl, from, to string
		rolls               bool
	}{
		{"inside a day", "daily", "2026-02-28T00:00:00Z", "2026-02-28T23:59:59Z", false},
		{"across midnight", "daily", "2026-02-28T23:59:59Z", "2026-03-01T00:00:00Z", true},
		{"inside a day elsewhere", "daily", "2026-02-28T22:00:00Z", "2026-03-01T03:00:00+05:00", false},
		{"inside a week", "weekly@sun", "2026-03-01T00:00:00Z", "2026-03-07T23:59:59Z", false},
		{"across weeks", "weekly@sun", "2026-03-07T23:59:59Z", "2026-03-08T00:00:00Z", true},
		{"inside a month", "monthly", "1772323200", "1775001599", false},
		{"across months", "monthly", "1775001599", "1775001600", true},
		{"the same second", "1s", "1775001599", "1775001599", false},
		{"one duration later", "36h", "2026-03-01T07:00:00Z", "2026-03-02T19:00:00Z", true},
		{"backwards", "36h", "2026-03-02T19:00:00Z", "2026-03-01T07:00:00Z", true},
	} {
		r := rebuild{
			Name: c.name, Dockerfile: replaced(file, "%", c.ttl),
			Options: sandbox.Build{Args: map[string]string{"CACHEWRIGHT_NOW": c.from}},
			Change:  scenario.Given("CACHEWRIGHT_NOW", c.to),
		}
		if c.rolls {
			r.Want.ran = []string{"RUN echo kept", "RUN echo after"}
		}
		cases = append(cases, r)
	}
	return append(cases, rebuild{
		Name: "the daemon's own clock", Dockerfile: replaced(file, "%", "50000d"),
	})
}

// stageDefaults are rules of FROM, which hold for all steps of the stage that can
// have them and that have none of their own.
func stageDefaults() []rebuild {
	daily := sandbox.Build{Args: map[string]string{"CACHEWRIGHT_NOW": "2026-03-01T12:00:00Z"}}
	nextDay := scenario.Given("CACHEWRIGHT_NOW", "2026-03-02T12:00:00Z")
	return []rebuild{
		{
			Name: "all steps", Options: daily, Change: nextDay,
			Dockerfile: "# cache=ttl=daily\nFROM $BASE AS other\nRUN echo one > /one\n\nFROM $BASE\nRUN echo two\nCOPY --from=other /one /\n",
			Want:       expected{ran: []string{"RUN echo one > /one"}},
		},
		{
			Name: "a stage on top of it", Options: daily, Change: nextDay,
			Dockerfile: "# cache=ttl=daily\nFROM $BASE AS other\nRUN echo one\nFROM other\nRUN echo two\n",
			Want:       expected{ran: []string{"RUN echo one", "RUN echo two"}},
		},
		{
			Name: "replaced", Options: daily, Change: nextDay,
			Dockerfile: "# cache=ttl=daily\nFROM $BASE\n# cache=ttl=monthly\nRUN echo month\nRUN echo day\n",
			Want:       expected{ran: []string{"RUN echo day"}},
		},
		{
			Name: "added to", Options: daily, Change: nextDay,
			Dockerfile: "# cache=ttl=daily\nFROM $BASE\n# cache=key=text:1\nRUN echo both\n",
			Want:       expected{ran: []string{"RUN echo both"}},
		},
		{
			Name: "cleared", Options: daily, Change: nextDay,
			Dockerfile: "# cache=ttl=daily\nFROM $BASE\n# cache=default\nRUN echo plain\nRUN echo day\n",
			Want:       expected{ran: []string{"RUN echo day"}},
		},
		{
			Name:       "off, replaced by a key",
			Dockerfile: "# cache=off\nFROM $BASE\n# cache=key=text:1\nRUN echo keyed\nRUN echo off\n",
			Want:       expected{ran: []string{"RUN echo off"}},
		},
	}
}

// keyTexts are literals and build arguments as key inputs.
func keyTexts() []rebuild {
	const (
		text     = "FROM $BASE\nRUN echo before\n# cache=key=text:1\nRUN echo keyed\nRUN echo after\n"
		arg      = "FROM $BASE\nRUN echo before\n# cache=key=arg:REV\nRUN echo keyed\nRUN echo after\n"
		declared = "FROM $BASE\n# cache=args=none;key=arg:REV\nRUN echo keyed\nARG REV\n"
	)
	ran := []string{"RUN echo keyed", "RUN echo after"}
	rev := sandbox.Build{Args: map[string]string{"REV": "1"}}
	return []rebuild{
		{Name: "text, unchanged", Dockerfile: text},
		{Name: "text", Dockerfile: text, Change: scenario.Edited("text:1", "text:2"), Want: expected{ran: ran}},
		{Name: "rule removed", Dockerfile: text, Change: scenario.Edited("# cache=key=text:1\n", ""), Want: expected{ran: ran}},
		{Name: "argument, unchanged", Dockerfile: arg, Options: rev},
		{Name: "argument", Dockerfile: arg, Options: rev, Change: scenario.Given("REV", "2"), Want: expected{ran: ran}},
		{Name: "argument, empty now", Dockerfile: arg, Options: rev, Change: scenario.Given("REV", ""), Want: expected{ran: ran}},
		{Name: "argument, given now", Dockerfile: arg, Change: scenario.Given("REV", ""), Want: expected{ran: ran}},
		{Name: "another argument", Dockerfile: arg, Options: rev, Change: scenario.Given("OTHER", "2")},
		{Name: "declared argument", Dockerfile: declared, Options: rev, Change: scenario.Given("REV", "2"), Want: expected{ran: ran[:1]}},
		{
			Name: "order", Dockerfile: replaced(text, "text:1", "text:1,arg:REV"), Options: rev,
			Change: scenario.Edited("text:1,arg:REV", "arg:REV,text:1"),
		},
	}
}

// keyImages are images as key inputs.
func keyImages() []rebuild {
	const file = "FROM $BASE\nRUN echo before\n# cache=key=text:0\nRUN echo keyed\nRUN echo after\n"
	var tag string
	return []rebuild{
		{
			Name: "tag", Dockerfile: file,
			Change: func(p *project) {
				tag = p.PushImage(scenario.NewRepository()+":1", p.NewBase())
				p.Edit("text:0", "image://"+tag)
				ran := []string{"RUN echo keyed", "RUN echo after"}
				expect(p, "another rule", build(p), ran)
				expect(p, "same image", build(p), nil)
				p.PushImage(tag[:len(tag)-1]+"2", p.NewBase())
				expect(p, "another tag moved", build(p), nil)
				p.PushImage(tag, p.NewBase())
			},
			Want: expected{ran: []string{"RUN echo keyed", "RUN echo after"}},
		},
	}
}

// keyFiles are files of the build context as key inputs.
func keyFiles() []rebuild {
	const file = "FROM $BASE\nRUN echo before\n# cache=key=file:%\nRUN echo keyed\nRUN echo after\n"
	files := map[string]string{
		"go.mod": "mod", "go.sum": "sum", "main.go": "main", "dir/a": "a", "dir/sub/b": "b", "ignored.go": "",
		".dockerignore": "ignored.go\nDockerfile\n",
	}
	var cases []rebuild
	for _, c := range []struct {
		name, key string
		change    func(*project)
		misses    bool
	}{
		{"file", "go.sum", scenario.Written("go.sum", "SUM"), true},
		{"mode of a file", "go.sum", func(p *project) { p.Must(os.Chmod(p.Path("go.sum"), 0o600)) }, true},
		{"another file", "go.sum", scenario.Written("go.mod", "MOD"), false},
		{"file in a directory", "dir/sub/b", scenario.Written("dir/sub/b", "B"), true},
		{"beside it", "dir/sub/b", scenario.Written("dir/sub/c", "c"), false},
		{"directory", "dir", scenario.Written("dir/sub/b", "B"), true},
		{"added to a directory", "dir", scenario.Written("dir/sub/c", ""), true},
		{"removed from a directory", "dir", func(p *project) { p.Must(os.Remove(p.Path("dir/a"))) }, true},
		{"beside a directory", "dir", scenario.Written("file", "new"), false},
		{"wildcard", "go.*", scenario.Written("go.mod", "MOD"), true},
		{"added to a wildcard", "go.*", scenario.Written("go.work", ""), true},
		{"beside a wildcard", "go.*", scenario.Written("main.go", "MAIN"), false},
		{"all", ".", scenario.Written("new", ""), true},
		{"all but what is ignored", ".", scenario.Written("ignored.go", "changed"), false},
		{"link to a file", "link", scenario.Written("dir/a", "A"), true},
	} {
		r := rebuild{
			Name: c.name, Dockerfile: replaced(file, "%", c.key), Files: files,
			Links:  map[string]string{"link": "dir/a"},
			Change: c.change,
		}
		if c.misses {
			r.Want.ran = []string{"RUN echo keyed", "RUN echo after"}
		}
		cases = append(cases, r)
	}
	return append(cases, rebuild{
		Name: "files that are copied too", Files: files,
		Dockerfile: "FROM $BASE\n# cache=key=file:go.sum\nRUN echo keyed\nCOPY . /src\nRUN echo after\n",
		Change:     scenario.Written("main.go", "MAIN"),
		Want:       expected{ran: []string{"COPY . /src", "RUN echo after"}},
	})
}

// exportNo changes nothing about the builder's own cache.
func exportNo() []rebuild {
	const file = "# cache=export=no\nFROM $BASE\nRUN echo first\nCOPY file /\nADD file /added\nCOPY --link file /linked\nRUN echo last\n"
	return []rebuild{
		{Name: "unchanged", Dockerfile: file, Files: map[string]string{"file": "export=no, unchanged"}},
		{
			Name: "changed", Dockerfile: file, Files: map[string]string{"file": "export=no"}, Change: scenario.Written("file", "export=no, changed"),
			Want: expected{ran: []string{
				"COPY file /", "ADD file /added", "COPY --link file /linked", "LINK COPY --link file /linked", "RUN echo last",
			}},
		},
	}
}
