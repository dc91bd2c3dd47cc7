package rules_test

import (
	"os"

	"github.com/cachewright/cachewright/integration/sandbox"
)

// off runs a step in every build, and so what follows it, but not what only
// looks at what it made.
func off() []rebuild {
	return []rebuild{
		{
			name: "step", dockerfile: "FROM $BASE\nRUN echo before\n# cache=off\nRUN echo off\nRUN echo after\nCOPY file /\n",
			files: map[string]string{"file": ""},
			ran:   []string{"RUN echo off", "RUN echo after", "COPY file /"},
		},
		{
			name:       "another stage",
			dockerfile: "FROM $BASE AS test\n# cache=off\nRUN echo ok > /ok\nFROM $BASE\nCOPY --from=test /ok /\nRUN echo after\n",
			ran:        []string{"RUN echo ok > /ok"},
		},
		{
			name: "ignored", dockerfile: "FROM $BASE\n# cache=off\nRUN echo off\n",
			options: sandbox.Build{Args: map[string]string{"CACHEWRIGHT_RULES": "off"}},
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
			name: c.name, dockerfile: replaced(file, "%", c.ttl),
			options: sandbox.Build{Args: map[string]string{"CACHEWRIGHT_NOW": c.from}},
			change:  given("CACHEWRIGHT_NOW", c.to),
		}
		if c.rolls {
			r.ran = []string{"RUN echo kept", "RUN echo after"}
		}
		cases = append(cases, r)
	}
	return append(cases, rebuild{
		name: "the daemon's own clock", dockerfile: replaced(file, "%", "50000d"),
	})
}

// stageDefaults are rules of FROM, which hold for all steps of the stage that can
// have them and that have none of their own.
func stageDefaults() []rebuild {
	daily := sandbox.Build{Args: map[string]string{"CACHEWRIGHT_NOW": "2026-03-01T12:00:00Z"}}
	nextDay := given("CACHEWRIGHT_NOW", "2026-03-02T12:00:00Z")
	return []rebuild{
		{
			name: "all steps", options: daily, change: nextDay,
			dockerfile: "# cache=ttl=daily\nFROM $BASE AS other\nRUN echo one > /one\n\nFROM $BASE\nRUN echo two\nCOPY --from=other /one /\n",
			ran:        []string{"RUN echo one > /one"},
		},
		{
			name: "a stage on top of it", options: daily, change: nextDay,
			dockerfile: "# cache=ttl=daily\nFROM $BASE AS other\nRUN echo one\nFROM other\nRUN echo two\n",
			ran:        []string{"RUN echo one", "RUN echo two"},
		},
		{
			name: "replaced", options: daily, change: nextDay,
			dockerfile: "# cache=ttl=daily\nFROM $BASE\n# cache=ttl=monthly\nRUN echo month\nRUN echo day\n",
			ran:        []string{"RUN echo day"},
		},
		{
			name: "added to", options: daily, change: nextDay,
			dockerfile: "# cache=ttl=daily\nFROM $BASE\n# cache=key=text:1\nRUN echo both\n",
			ran:        []string{"RUN echo both"},
		},
		{
			name: "cleared", options: daily, change: nextDay,
			dockerfile: "# cache=ttl=daily\nFROM $BASE\n# cache=default\nRUN echo plain\nRUN echo day\n",
			ran:        []string{"RUN echo day"},
		},
		{
			name:       "off, replaced by a key",
			dockerfile: "# cache=off\nFROM $BASE\n# cache=key=text:1\nRUN echo keyed\nRUN echo off\n",
			ran:        []string{"RUN echo off"},
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
		{name: "text, unchanged", dockerfile: text},
		{name: "text", dockerfile: text, change: edited("text:1", "text:2"), ran: ran},
		{name: "rule removed", dockerfile: text, change: edited("# cache=key=text:1\n", ""), ran: ran},
		{name: "argument, unchanged", dockerfile: arg, options: rev},
		{name: "argument", dockerfile: arg, options: rev, change: given("REV", "2"), ran: ran},
		{name: "argument, empty now", dockerfile: arg, options: rev, change: given("REV", ""), ran: ran},
		{name: "argument, given now", dockerfile: arg, change: given("REV", ""), ran: ran},
		{name: "another argument", dockerfile: arg, options: rev, change: given("OTHER", "2")},
		{name: "declared argument", dockerfile: declared, options: rev, change: given("REV", "2"), ran: ran[:1]},
		{
			name: "order", dockerfile: replaced(text, "text:1", "text:1,arg:REV"), options: rev,
			change: edited("text:1,arg:REV", "arg:REV,text:1"),
		},
	}
}

// keyImages are images as key inputs.
func keyImages() []rebuild {
	const file = "FROM $BASE\nRUN echo before\n# cache=key=text:0\nRUN echo keyed\nRUN echo after\n"
	var tag string
	return []rebuild{
		{
			name: "tag", dockerfile: file,
			change: func(p *project) {
				tag = p.pushBase(p.newRepository()+":1", p.newBase())
				p.edit("text:0", "image://"+tag)
				ran := []string{"RUN echo keyed", "RUN echo after"}
				p.expect("another rule", p.build(), ran)
				p.expect("same image", p.build(), nil)
				p.pushBase(tag[:len(tag)-1]+"2", p.newBase())
				p.expect("another tag moved", p.build(), nil)
				p.pushBase(tag, p.newBase())
			},
			ran: []string{"RUN echo keyed", "RUN echo after"},
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
		{"file", "go.sum", written("go.sum", "SUM"), true},
		{"mode of a file", "go.sum", func(p *project) { p.must(os.Chmod(p.path("go.sum"), 0o600)) }, true},
		{"another file", "go.sum", written("go.mod", "MOD"), false},
		{"file in a directory", "dir/sub/b", written("dir/sub/b", "B"), true},
		{"beside it", "dir/sub/b", written("dir/sub/c", "c"), false},
		{"directory", "dir", written("dir/sub/b", "B"), true},
		{"added to a directory", "dir", written("dir/sub/c", ""), true},
		{"removed from a directory", "dir", func(p *project) { p.must(os.Remove(p.path("dir/a"))) }, true},
		{"beside a directory", "dir", written("file", "new"), false},
		{"wildcard", "go.*", written("go.mod", "MOD"), true},
		{"added to a wildcard", "go.*", written("go.work", ""), true},
		{"beside a wildcard", "go.*", written("main.go", "MAIN"), false},
		{"all", ".", written("new", ""), true},
		{"all but what is ignored", ".", written("ignored.go", "changed"), false},
		{"link to a file", "link", written("dir/a", "A"), true},
	} {
		r := rebuild{
			name: c.name, dockerfile: replaced(file, "%", c.key), files: files,
			links:  map[string]string{"link": "dir/a"},
			change: c.change,
		}
		if c.misses {
			r.ran = []string{"RUN echo keyed", "RUN echo after"}
		}
		cases = append(cases, r)
	}
	return append(cases, rebuild{
		name: "files that are copied too", files: files,
		dockerfile: "FROM $BASE\n# cache=key=file:go.sum\nRUN echo keyed\nCOPY . /src\nRUN echo after\n",
		change:     written("main.go", "MAIN"),
		ran:        []string{"COPY . /src", "RUN echo after"},
	})
}

// exportNo changes nothing about the builder's own cache.
func exportNo() []rebuild {
	const file = "# cache=export=no\nFROM $BASE\nRUN echo first\nCOPY file /\nADD file /added\nCOPY --link file /linked\nRUN echo last\n"
	return []rebuild{
		{name: "unchanged", dockerfile: file, files: map[string]string{"file": "export=no, unchanged"}},
		{
			name: "changed", dockerfile: file, files: map[string]string{"file": "export=no"}, change: written("file", "export=no, changed"),
			ran: []string{
				"COPY file /", "ADD file /added", "COPY --link file /linked", "LINK COPY --link file /linked", "RUN echo last",
			},
		},
	}
}
