package oracle

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// Generate makes a Dockerfile with options from a grammar. The same seed gives
// the same case. Most files are valid; some have a few mistakes, few have many.
func Generate(seed uint64) *Case {
	r := rand.New(rand.NewPCG(seed, 0x5eed))
	g := &generator{r: r, mistakes: []float64{0, 0, 0, 0.01, 0.03, 0.2}[r.IntN(6)], escape: `\`}
	g.file()
	c := &Case{Name: fmt.Sprintf("seed %d", seed), Dockerfile: []byte(g.out.String())}
	g.options(c)
	return c
}

// generator writes a Dockerfile.
type generator struct {
	r        *rand.Rand
	out      strings.Builder
	mistakes float64 // how likely each construct is to be wrong
	escape   string
	lower    bool     // keywords in lower case
	stages   []string // names declared so far
	later    []string // names that a later stage may have
	vars     []string // variables that may be set
	depth    int      // of nested expansions
}

func (g *generator) chance(p float64) bool { return g.r.Float64() < p }

// wrong reports whether to make a mistake here.
func (g *generator) wrong() bool { return g.mistakes > 0 && g.chance(g.mistakes) }

func (g *generator) pick(options ...string) string { return options[g.r.IntN(len(options))] }

// mistake returns good or, now and then, bad.
func (g *generator) mistake(good, bad string) string {
	if g.wrong() {
		return bad
	}
	return good
}

// optional returns one of the options or, as often as not, nothing.
func (g *generator) optional(options ...string) string {
	if g.chance(0.5) {
		return ""
	}
	return g.pick(options...)
}

// times calls f between lo and hi times.
func (g *generator) times(lo, hi int, f func()) {
	for range lo + g.r.IntN(hi-lo+1) {
		f()
	}
}

// file writes the whole file.
func (g *generator) file() {
	g.lower = g.chance(0.1)
	if g.chance(0.1) {
		g.out.WriteString("# syntax=docker/dockerfile:1\n")
	}
	if g.chance(0.1) {
		g.escape = "`"
		g.out.WriteString("# escape=`\n")
	}
	if g.chance(0.1) {
		g.out.WriteString("# check=" + g.pick("skip=all", "skip=UndefinedVar,JSONArgsRecommended", "experimental=all", "error=true", "skip=FromAsCasing;error=true", "experimental=InvalidDefinitionDescription", "skip=all;experimental=all", g.mistake("skip=all", "nonsense")) + "\n")
	}
	g.vars = []string{"TARGETPLATFORM", "TARGETARCH", "BUILDPLATFORM", "PATH", "UNSET"}
	g.times(0, 3, g.globalArg)
	n := 1 + g.r.IntN(4)
	for i := range n {
		if g.chance(0.7) {
			name := g.pick("base", "build", "test", "final", "s") + g.optional(fmt.Sprint(i), "-x")
			if g.chance(0.03) {
				name = g.pick("Mixed", "a.b_c-"+name, "context", "scratch", "alpine")
			}
			g.later = append(g.later, name)
		} else {
			g.later = append(g.later, "")
		}
	}
	for i := range n {
		g.stage(i)
	}
	if g.wrong() {
		g.line(g.pick("FRMO x", "RUNN x", "FROM", "run", "NOSUCH --flag a", "\tENV", "FROM scratch AS", "COPY", "ADD x"))
	}
}

// line writes an instruction, sometimes with a continuation, comment or blank.
func (g *generator) line(text string) {
	if g.lower {
		word, rest, _ := strings.Cut(text, " ")
		text = strings.ToLower(word) + " " + rest
	} else if g.chance(0.02) {
		text = strings.ToUpper(text[:1]) + strings.ToLower(text[1:min(3, len(text))]) + text[min(3, len(text)):]
	}
	if g.chance(0.05) {
		g.out.WriteString(g.pick("# comment\n", "\n", "# check=skip=UndefinedVar\n", "   \n", "# NAME description of it\n"))
	}
	if g.chance(0.05) && !strings.Contains(text, "<<") {
		text = strings.Replace(text, " ", " "+g.escape+g.pick("\n  ", "\n# inside\n  ", "\n\n  ", "\t\n"), 1)
	}
	if g.chance(0.03) {
		text = g.pick("  ", "\t", " \t") + text
	}
	if g.chance(0.03) {
		text = strings.Replace(text, " ", g.pick("  ", "\t", " \t "), 1)
	}
	g.out.WriteString(text + g.pick("\n", "\n", "\n", "\n\n", " \n", "\r\n"))
}

func (g *generator) name() string {
	return g.pick("A", "B", "VERSION", "FOO_BAR", "http_proxy", "API_KEY", "TOKEN_FILE", "x", "_y", "BUILDKIT_SBOM_SCAN_STAGE")
}

func (g *generator) globalArg() {
	name := g.pick("A", "VERSION", "BASE", "PLATFORM", "TARGETARCH", "BUILDKIT_SBOM_SCAN_CONTEXT")
	g.vars = append(g.vars, name)
	switch name {
	case "BASE":
		g.line("ARG BASE=" + g.image())
	case "PLATFORM":
		g.line("ARG PLATFORM=" + g.platform())
	default:
		g.line("ARG " + name + g.optional("="+g.word(), "=", "=1"))
	}
}

func (g *generator) image() string {
	return g.pick("alpine", "busybox:latest", "docker.io/library/debian:12", "scratch", "golang:1.22-alpine", "onbuild", "onbuildfrom", "user", "workdir", "relworkdir",
		"env-nopath", "empty", "schema1", "arm", "windows", "shell", "labels", "moved", "nodigest", "example.com:5000/a/env@sha256:"+strings.Repeat("ab", 32))
}

func (g *generator) platform() string {
	return g.pick("linux/amd64", "linux/arm64", "linux/arm/v7", "linux", "windows/amd64", "amd64")
}

func (g *generator) from() string {
	if g.wrong() {
		return g.pick("missing", "UPPER/case", "a b c", "$UNSET", "broken", "onbuildbad", "0", "alpine:$UNSET", "")
	}
	switch {
	case len(g.stages) > 0 && g.chance(0.4):
		return strings.ToLower(g.stages[g.r.IntN(len(g.stages))])
	case g.chance(0.1):
		return g.pick("${BASE:-alpine}", "alpine:${VERSION:-3}", "debian${A:+:12}")
	default:
		return g.image()
	}
}

func (g *generator) stage(i int) {
	flag := ""
	if g.chance(0.15) {
		flag = "--platform=" + g.pick("linux/amd64", "$BUILDPLATFORM", "${TARGETPLATFORM}", "${PLATFORM:-linux}", "linux/${TARGETARCH}", "windows/amd64") + " "
	}
	if g.wrong() {
		flag = g.pick("--platform=bad/bad/bad/bad", "--platform=$NOPE", "--platfrom=x", "--platform") + " "
	}
	base := g.from()
	if base == "" && !g.wrong() {
		base = "alpine"
	}
	name := ""
	if g.later[i] != "" {
		name = " " + g.pick("AS", "AS", "AS", "as", "As") + " " + g.later[i]
	}
	g.line("FROM " + flag + base + name)
	most := 8
	if g.chance(0.05) {
		most = 30
	}
	g.times(0, most, g.instruction)
	if g.later[i] != "" {
		g.stages = append(g.stages, g.later[i])
	}
}

// variable is a reference to a variable, maybe with a modifier.
func (g *generator) variable() string {
	name := g.name()
	if len(g.vars) > 0 && g.chance(0.7) {
		name = g.vars[g.r.IntN(len(g.vars))]
	}
	if g.depth > 2 || g.chance(0.5) {
		return g.pick("$"+name, "${"+name+"}")
	}
	g.depth++
	defer func() { g.depth-- }()
	if g.wrong() {
		return g.pick("${"+name+":?}", "${"+name+"?must be set}", "${"+name, "${"+name+":x}", "${}", "${"+name+":#a}", "$", "$$", "${"+name+"/}")
	}
	return "${" + name + g.pick(":-", "-", ":+", "+", "#", "##", "%", "%%") + g.pick("def", "*", "a*", "", "[a-z]", "a?b", g.word()) + "}"
}

// word is a word without blanks outside of quotes.
func (g *generator) word() string {
	if g.chance(0.5) {
		return g.pick("a", "foo", "1.2.3", "/opt/app", "x=y", "value", "héllo", "a.b-c_d")
	}
	var b strings.Builder
	g.times(1, 3, func() {
		switch g.r.IntN(8) {
		case 0:
			b.WriteString(`"` + g.pick("a b", "", "x "+g.variable(), g.escape+`"`, "'") + `"`)
		case 1:
			b.WriteString(`'` + g.pick("a b", "", "$A", `"`) + `'`)
		case 2:
			b.WriteString(g.escape + g.pick("$", "a", " ", `"`, g.escape))
		case 3, 4, 5:
			b.WriteString(g.variable())
		default:
			b.WriteString(g.pick("a", "-", "/", "z9", "."))
		}
	})
	if g.wrong() {
		return b.String() + g.pick(`"`, "'", "${A/x/y}", "${A//b}")
	}
	return b.String()
}

func (g *generator) path() string {
	return g.pick("a", "./b", "src/", "*.txt", "dir/**/x", "/abs/file", ".", "/", "../up", "a/../b", "x?[ab]", "d/./e/*.c", "with\\*star", "sub/dir/./f") + g.optional("", "", "/"+g.variable())
}

func (g *generator) instruction() {
	kinds := []func(){g.run, g.run, g.run, g.copy, g.copy, g.add, g.env, g.env, g.arg, g.arg, g.workdir, g.user, g.label, g.cmd, g.expose, g.meta, g.onbuild}
	kinds[g.r.IntN(len(kinds))]()
}

func (g *generator) env() {
	name := g.name()
	g.vars = append(g.vars, name)
	if g.wrong() {
		g.line(g.pick("ENV", "ENV A", "ENV =x", "ENV A=1 B", "ENV \"\"=x"))
		return
	}
	if g.chance(0.1) {
		g.line("ENV " + name + " " + g.word() + " more  text")
		return
	}
	text := "ENV " + name + "=" + g.word()
	g.times(0, 2, func() { text += " " + g.pick(g.name(), g.variable()) + "=" + g.word() })
	g.line(text)
}

func (g *generator) arg() {
	name := g.name()
	if g.chance(0.3) {
		name = g.pick("TARGETPLATFORM", "TARGETOS", "TARGETARCH", "TARGETVARIANT", "BUILDPLATFORM", "TARGETSTAGE", "VERSION", "BASE")
	}
	g.vars = append(g.vars, name)
	if g.wrong() {
		g.line(g.pick("ARG", "ARG =x", "ARG A B=1 =", "ARG a b c d"))
		return
	}
	text := "ARG " + name + g.optional("="+g.word(), "=", "=default")
	if g.chance(0.2) {
		text += " " + g.name() + g.optional("="+g.word())
	}
	g.line(text)
}

func (g *generator) workdir() {
	if g.wrong() {
		g.line(g.pick("WORKDIR", "WORKDIR a b", `WORKDIR ""`, "WORKDIR $UNSET"))
		return
	}
	g.line("WORKDIR " + g.pick("/app", "rel", "/", "/a/../b/", "sub/dir", "C:\\win", "/x/"+g.variable(), "..", `"/with space"`))
}

func (g *generator) user() {
	g.line("USER " + g.pick("app", "1000", "1000:1000", "root", "app:staff", ":5", g.variable(), `""`, "99999999999", "-1"))
}

func (g *generator) label() {
	text := "LABEL " + g.pick("a=b", "com.example."+g.name()+"="+g.word(), g.variable()+"=x", "legacy value here", `"q k"="v"`)
	g.times(0, 2, func() { text += " k=" + g.word() })
	if g.wrong() {
		text = g.pick("LABEL", "LABEL a", "LABEL =b")
	}
	g.line(text)
}

func (g *generator) cmd() {
	g.line(g.pick("CMD", "ENTRYPOINT", "CMD") + " " + g.pick(`["a", "b c"]`, "echo $A", `[]`, `["unterminated"`, `["`+"\t"+`"]`, "exec "+g.word(), "", `["$A"]`, g.mistake(`["x"]`, `[1, 2]`)))
}

func (g *generator) expose() {
	text := "EXPOSE"
	g.times(1, 3, func() {
		text += " " + g.pick("80", "80/tcp", "53/udp", "8000-8003", "9/sctp", "80/TCP", "127.0.0.1:80:80", "1000-1001:2000-2001", "8080:80", "${PORT:-80}", "$PORTS", "80-${PORT:-82}", "[::1]:80:80/udp")
	})
	if g.wrong() {
		text += " " + g.pick("70000", "80/xyz", "a", "8-7", "80-", "1-2:3", ":80", "80:", "1.2.3:80:80", "-1", "80/tcp/udp", "999.1.1.1:1:1", "[::1:80:80", "1:2:3:4", "/tcp", "0")
	}
	g.line(text)
}

// meta writes one of the rarer instructions.
func (g *generator) meta() {
	good := []string{
		"VOLUME /data", `VOLUME ["/a", "/b"]`, "VOLUME /x ${A:-/y}", "ENV PORTS='80 90-92/udp'", "STOPSIGNAL SIGTERM", "STOPSIGNAL 9", "STOPSIGNAL rtmin+3", `SHELL ["/bin/bash", "-c"]`, `SHELL ["powershell"]`,
		"MAINTAINER me <me@example.com>", "HEALTHCHECK NONE", "HEALTHCHECK CMD curl localhost", `HEALTHCHECK --interval=5s --timeout=3s --retries=2 CMD ["true"]`,
		"HEALTHCHECK --start-period=1m --start-interval=2s CMD x $A",
	}
	if g.wrong() {
		good = []string{
			"VOLUME", `VOLUME ""`, "STOPSIGNAL", "STOPSIGNAL NOPE", "STOPSIGNAL $UNSET", "SHELL /bin/sh", "SHELL []", "MAINTAINER", "HEALTHCHECK", "HEALTHCHECK FOO",
			"HEALTHCHECK --interval=1us CMD x", "HEALTHCHECK --retries=-1 CMD x", "HEALTHCHECK NONE x", "HEALTHCHECK CMD", "HEALTHCHECK --nope CMD x", "HEALTHCHECK --interval=x CMD y", "STOPSIGNAL 99",
		}
	}
	g.line(g.pick(good...))
}

func (g *generator) onbuild() {
	if g.wrong() {
		g.line("ONBUILD " + g.pick("", "ONBUILD RUN x", "FROM x", "MAINTAINER x", "NOSUCH", "COPY", "COPY --from=$A a b", "RUN --mount=type=bad true"))
		return
	}
	start := g.out.Len()
	prefix := "ONBUILD "
	if g.lower {
		prefix = "onbuild "
	}
	// The nested instruction is written by its own generator and moved behind ONBUILD.
	before := g.out.String()
	[]func(){g.run, g.copy, g.env, g.workdir, g.cmd, g.arg}[g.r.IntN(6)]()
	text := strings.TrimLeft(g.out.String()[start:], "# \n")
	g.out.Reset()
	g.out.WriteString(before + prefix + text)
}
