package rules_test

import (
	"github.com/cachewright/cachewright/integration/sandbox"
	"github.com/cachewright/cachewright/integration/scenario"
)

// selectable has steps to pick from, in stages that do not depend on each other's.
const selectable = `FROM $BASE AS deps
RUN echo deps

FROM $BASE AS Test-One
RUN echo one
RUN echo more

FROM $BASE AS test-two
RUN echo two

FROM $BASE
RUN echo last \
  line
COPY --from=deps /etc/unique /deps
COPY --from=test-one /etc/unique /one
COPY --from=test-two /etc/unique /two
`

// ruled has every kind of rule.
const ruled = `# cache=ttl=1s
FROM $BASE
ARG A=1
# cache=off;args=none
RUN echo off
# cache=key=text:1
RUN echo key
# cache=base=content
RUN echo content
# cache=modes=ignore;export=no
COPY file /
`

// selectors shows which steps a selector picks, in --no-cache-filter and in an
// override.
func selectors() []rebuild {
	var cases []rebuild
	const last = "RUN echo last   line"
	for selector, ran := range map[string][]string{
		"deps/2":              {"RUN echo deps"},
		"test-*":              {"RUN echo one", "RUN echo more", "RUN echo two"},
		"TEST-?ne":            {"RUN echo one", "RUN echo more"},
		"test-one/*":          {"RUN echo one", "RUN echo more"},
		"test-one/3":          {"RUN echo more"},
		"*-one/3":             {"RUN echo more"},
		"@6":                  {"RUN echo one", "RUN echo more"}, // what follows runs too
		"@13":                 {last, "COPY --from=deps /etc/unique /deps", "COPY --from=test-one /etc/unique /one", "COPY --from=test-two /etc/unique /two"},
		"deps/7":              nil,
		"nothing-*":           nil,
		"deps/2,test-two":     {"RUN echo deps", "RUN echo two"},
		"@3,@7,[xt]est-tw?/*": {"RUN echo deps", "RUN echo more", "RUN echo two"},
	} {
		cases = append(cases, rebuild{
			Name: "filter " + selector, Dockerfile: selectable, Change: scenario.Asked("no-cache", selector), Want: expected{ran: ran},
		})
	}
	for rules, ran := range map[string][]string{
		"deps: off":                              {"RUN echo deps"},
		"test-one/3:off":                         {"RUN echo more"},
		"test-*/2: key=text:1 | deps/2: off":     {"RUN echo one", "RUN echo more", "RUN echo two", "RUN echo deps"},
		"@14: off":                               {last, "COPY --from=deps /etc/unique /deps", "COPY --from=test-one /etc/unique /one", "COPY --from=test-two /etc/unique /two"},
		"deps: off | deps/2: default":            nil,
		"test-*: key=text:1 | Test-One: default": {"RUN echo two"},
		"deps: export=no | @99: off":             {"RUN echo deps"},
	} {
		cases = append(cases, rebuild{
			Name: "override " + rules, Dockerfile: selectable, Change: scenario.Given("CACHEWRIGHT_RULES", rules), Want: expected{ran: ran},
		})
	}
	cases = append(cases, rebuild{
		Name: "what follows another result", Change: scenario.Asked("no-cache", "made/2"),
		Dockerfile: "FROM $BASE AS made\nRUN cat /proc/uptime > /made\nFROM $BASE\nCOPY --from=made /made /\nRUN ls\nRUN cat /made\n",
		Want:       expected{ran: []string{"RUN cat /proc/uptime > /made", "COPY --from=made /made /", "RUN ls", "RUN cat /made"}},
	})
	files := map[string]string{"file": ""}
	off := sandbox.Build{Args: map[string]string{"CACHEWRIGHT_RULES": "off"}}
	upstreams := func(p *project) { p.Frontend = "" }
	return append(cases,
		rebuild{Name: "off after docker/dockerfile", Dockerfile: ruled, Files: files, Options: off, Prepare: upstreams, Change: func(p *project) { p.Frontend = sandbox.FrontendRef }},
		rebuild{Name: "off before docker/dockerfile", Dockerfile: ruled, Files: files, Options: off, Change: upstreams},
		rebuild{
			Name: "off, then rules", Dockerfile: ruled, Files: files, Options: off, Change: scenario.Given("CACHEWRIGHT_RULES", ""),
			Want: expected{ran: []string{"RUN echo off", "RUN echo key", "RUN echo content", "COPY file /"}},
		},
	)
}

// directiveForms are files whose lines are not what they look like.
func directiveForms() []rebuild {
	file := func(text string) func(*project) {
		return func(p *project) { p.Write("Dockerfile", text) }
	}
	off := []string{"RUN echo off"}
	return []rebuild{
		{Name: "CRLF", Prepare: file("ARG BASE\r\nFROM $BASE\r\n# cache=off\r\nRUN echo off\r\n"), Want: expected{ran: off}},
		{Name: "byte order mark", Prepare: file("\ufeffARG BASE\nFROM $BASE\n# cache=off\nRUN echo off\n"), Want: expected{ran: off}},
		{Name: "escape", Prepare: file("# escape=`\nARG BASE\nFROM $BASE\nRUN echo `\n  on\n# cache=off\nRUN echo off\n"), Want: expected{ran: off}},
		{Name: "blanks", Dockerfile: "FROM $BASE\n  #\tcache=off\n  RUN echo off\n", Want: expected{ran: off}},
		{Name: "remarks between", Dockerfile: "FROM $BASE\n# cache=off\n# a remark\n# cache=export=no\nRUN echo off\n", Want: expected{ran: off}},
		{Name: "in a heredoc", Dockerfile: "FROM $BASE\nRUN <<END\n# cache=off\n# cache=nonsense\necho off\nEND\n"},
		{Name: "in a string", Dockerfile: "FROM $BASE\nRUN echo '# cache=off' \\\n  '# cache=x'\n"},
		{Name: "another comment", Dockerfile: "FROM $BASE\n# cached=off\n# cache it\nRUN echo on\n"},
	}
}
