package oracle

import "strings"

// stageRef is what --from may name.
func (g *generator) stageRef() string {
	if g.wrong() {
		return g.pick("$A", "99", "-1", "missing", g.later[len(g.later)-1], "${A}", "Bad Name", "UPPER")
	}
	switch {
	case len(g.stages) > 0 && g.chance(0.6):
		s := g.stages[g.r.IntN(len(g.stages))]
		if g.chance(0.1) {
			s = strings.ToUpper(s)
		}
		return s
	case len(g.stages) > 0 && g.chance(0.3):
		return "0"
	default:
		return g.pick("alpine", "busybox:latest", "scratch", "windows", "arm", "empty", "workdir")
	}
}

func (g *generator) chown() string {
	return "--chown=" + g.pick("1000:1000", "bob", "root:root", "0", "bob:5", ":7", "7:", g.variable(), "4294967296", "-1", "a:b:c")
}

func (g *generator) chmod() string {
	if g.wrong() {
		return "--chmod=" + g.pick("9999", "77777", "u+", "0x7", "abc", "-1", "$UNSET", "")
	}
	return "--chmod=" + g.pick("755", "0644", "u=rwX,go=rX", "+x", "a-w,u+w", "7777", "0", "g=u")
}

func (g *generator) copy() {
	text := "COPY"
	flag := func(p float64, s func() string) {
		if g.chance(p) {
			text += " " + s()
		}
	}
	flag(0.4, func() string { return "--from=" + g.stageRef() })
	flag(0.2, g.chown)
	flag(0.2, g.chmod)
	flag(0.2, func() string { return g.pick("--link", "--link", "--link=true", "--link=false", "--link=TRUE") })
	flag(0.2, func() string { return g.pick("--parents", "--parents=true", "--parents=false") })
	flag(0.1, func() string {
		return "--exclude=" + g.pick("*.o", "node_modules", "!keep", "a b", "**/x", "[", g.variable())
	})
	if g.wrong() {
		text += " " + g.pick("--checksum=sha256:abc", "--nope", "--link=maybe", "--from", "--form=x", "--keep-git-dir", "--chmod=1 --chmod=2", "--", "--unpack", "--link=", "--exclude")
	}
	if g.wrong() {
		text += " " + g.pick("https://example.com/a", "https://github.com/a/b.git", "git@github.com:a/b.git#main")
	}
	g.sources(text)
}

// sources writes a COPY or ADD with its sources and destination.
func (g *generator) sources(text string) {
	dest := g.pick("/dst", "/dst/", ".", "./", "rel/", "/", "", "/a/.", "C:\\x", "/"+g.variable(), "..", g.mistake("/q", `"/quoted dst/"`))
	if g.chance(0.1) {
		g.heredocs(text, dest)
		return
	}
	if g.chance(0.1) {
		g.line(text + ` ["a b", "` + g.pick("c", "$A", "*") + `", "` + g.pick("/dst/", "x") + `"]`)
		return
	}
	g.times(1, 3, func() { text += " " + g.path() })
	if g.wrong() {
		dest = g.pick("", "<<EOF\nEOF")
	} else if dest == "" {
		dest = "/"
	}
	g.line(text + " " + dest)
}

// heredocs writes a COPY, ADD or RUN with inline documents.
func (g *generator) heredocs(text, rest string) {
	body := func(end string, chomp bool) string {
		var b strings.Builder
		g.times(0, 3, func() {
			if chomp {
				b.WriteString(g.pick("\t", "\t\t", ""))
			}
			b.WriteString(g.pick("text", "echo "+g.variable(), "'quoted' \"$A\"", "", `back\slash \$A`, "# not a comment", "#!/bin/sh") + g.pick("\n", "\n", "\r\n"))
		})
		return b.String() + end + "\n"
	}
	type doc struct{ word, end string }
	docs := []doc{{"<<EOF", "EOF"}, {"<<-EOT", "EOT"}, {`<<"E1"`, "E1"}, {"<<'a.txt'", "a.txt"}, {"3<<FD", "FD"}}
	first := docs[g.r.IntN(len(docs))]
	text += " " + first.word
	bodies := body(first.end, strings.HasPrefix(first.word, "<<-"))
	if g.chance(0.2) {
		text += " <<TWO"
		bodies += body("TWO", false)
	}
	if g.wrong() {
		bodies = "unterminated\n"
	}
	g.out.WriteString(text + " " + rest + "\n" + bodies)
}

func (g *generator) add() {
	text := "ADD"
	flag := func(p float64, s func() string) {
		if g.chance(p) {
			text += " " + s()
		}
	}
	flag(0.2, g.chown)
	flag(0.2, g.chmod)
	flag(0.2, func() string { return "--link" })
	flag(0.2, func() string { return g.pick("--unpack", "--unpack=true", "--unpack=false") })
	flag(0.1, func() string { return "--exclude=" + g.pick("*.md", "a") })
	sum := "sha256:" + strings.Repeat("12", 32)
	switch g.r.IntN(4) {
	case 0:
		url := g.pick("https://example.com/a.tar.gz", "http://example.com", "https://example.com/dir/", "https://example.com/x?y=z", "HTTP://example.com/x", "https://example.com/"+g.variable())
		if g.chance(0.3) {
			text += " --checksum=" + g.pick(sum, sum, "$SUM")
		}
		if g.wrong() {
			text += " --checksum=" + g.pick("bad", "sha256:12", "md5:1")
		}
		g.line(text + " " + url + g.optional(" local", " https://example.com/b") + " " + g.pick("/dst/", "x"))
	case 1:
		if g.chance(0.3) {
			text += g.pick(" --keep-git-dir", " --keep-git-dir=true", " --keep-git-dir=false")
		}
		if g.chance(0.2) {
			text += " --checksum=" + g.pick("0123456789abcdef0123456789abcdef01234567", "0123456")
		}
		repo := g.pick("https://github.com/a/b.git", "https://github.com/a/b.git#v1", "https://github.com/a/b.git#main:sub/dir", "https://github.com/a/b.git?ref=v1&subdir=x",
			"https://github.com/a/b.git?tag=v1&keep-git-dir=true", "https://github.com/a/b.git?submodules=false&checksum=0123456", "https://github.com/a/b.git?fetch-by-commit=true&commit=0123456789abcdef0123456789abcdef01234567", "github.com/a/b")
		if g.wrong() {
			repo += g.pick("?nope=1", "#a:b:c", "?ref=a&branch=b", "?keep-git-dir=maybe")
		}
		g.line(text + " " + repo + " /src")
	default:
		if g.wrong() {
			text += " " + g.pick("--from=x", "--parents", "--checksum="+sum, "--keep-git-dir=x", "--nope")
		}
		g.sources(text)
	}
}

func (g *generator) run() {
	text := "RUN"
	g.times(0, 2, func() {
		if g.chance(0.4) {
			text += " " + g.mount()
		}
	})
	if g.chance(0.1) {
		text += " --network=" + g.pick("none", "host", "default")
	}
	if g.chance(0.1) {
		text += " --security=" + g.pick("insecure", "sandbox")
	}
	if g.chance(0.05) {
		text += " --device=" + g.pick("vendor.com/class=dev", "vendor.com/class,required", "name=vendor.com/gpu=all,required=false")
	}
	if g.wrong() {
		text += " " + g.pick("--network=bad", "--security=bad", "--mount=", "--mount=type=nope", "--nope", "--device=", "--network=$A", "--network=host --network=none", "--mount")
	}
	switch {
	case g.chance(0.1):
		text += " " + g.pick(`["a", "b"]`, `["echo", "$A"]`, `[]`, `["bad"`, `["a",]`)
	case g.chance(0.12):
		g.heredocs(text+" "+g.optional("cat", "python3", "sh -e"), g.optional("> /out", "&& true"))
		return
	case g.wrong():
	default:
		text += " " + g.pick("make", "echo "+g.variable(), "echo '"+g.variable()+"'", `echo "a  b" && c`, "apt-get update && "+g.escape+"\n  apt-get install x", "a;b|c", "export X="+g.word(), "echo \\$A", `printf '%s\n' x`)
	}
	g.line(text)
}

// mount is a --mount flag.
func (g *generator) mount() string {
	target := g.pick("target", "dst", "destination", "target") + "=" + g.pick("/mnt", "rel", "/mnt/x/", "/a/../b", "/m"+g.variable(), "/mnt2")
	var opts []string
	add := func(p float64, s string) {
		if g.chance(p) {
			opts = append(opts, s)
		}
	}
	kind := g.pick("bind", "cache", "tmpfs", "secret", "ssh")
	opts = append(opts, "type="+kind)
	switch kind {
	case "bind":
		opts = append(opts, target)
		add(0.5, "source="+g.pick("a", "/sub", "./b/..", "$A", "."))
		add(0.5, "from="+g.stageRef())
		add(0.3, g.pick("rw", "ro", "readonly", "readwrite=true", "rw=false", "ro=true"))
	case "cache":
		opts = append(opts, target)
		add(0.4, "id="+g.pick("go", "a/b", "$A", "${A:-x}"))
		add(0.4, "sharing="+g.pick("shared", "private", "locked", "${SHARING:-locked}"))
		add(0.3, "from="+g.stageRef())
		add(0.3, "source="+g.pick("/sub", "x"))
		add(0.3, "uid="+g.pick("1000", "0", "${UID:-7}"))
		add(0.3, "gid=5")
		add(0.3, "mode="+g.pick("0700", "1777", "${MODE:-755}"))
		add(0.2, g.pick("ro", "readonly", "rw"))
	case "tmpfs":
		opts = append(opts, target)
		add(0.5, "size="+g.pick("64m", "1g", "1024", "${SIZE:-2m}"))
		add(0.1, "from="+g.stageRef())
	case "secret":
		if g.chance(0.7) {
			opts = append(opts, g.pick("id", "source", "src")+"="+g.pick("tok", "a/b", "t$A"))
			add(0.3, target)
		} else {
			opts = append(opts, target)
		}
		add(0.4, "env="+g.pick("TOKEN", "A", "VERSION"))
		add(0.3, g.pick("required", "required=true", "required=false"))
		add(0.2, "mode=0444,uid=1,gid=2")
	case "ssh":
		add(0.4, "id="+g.pick("default", "github"))
		add(0.4, target)
		add(0.3, g.pick("required", "required=false"))
		add(0.2, "mode=0666,uid=${UID:-0}")
	}
	if g.wrong() {
		opts = append(opts, g.pick("nope=1", "target", "size=1", "sharing=bad", "uid=x", "mode=999", "required=maybe", "source=x", "from=$A", "type=secret", "env=E", "=", "id=1", "ro", `"`))
	}
	g.r.Shuffle(len(opts)-1, func(i, j int) { opts[i+1], opts[j+1] = opts[j+1], opts[i+1] })
	return "--mount=" + strings.Join(opts, ",")
}

// options chooses what the file is built with.
func (g *generator) options(c *Case) {
	c.Attrs = map[string]string{}
	set := func(p float64, key string, values ...string) {
		if g.chance(p) {
			c.Attrs[key] = g.pick(values...)
		}
	}
	set(0.2, "build-arg:A", "from-arg", "", "$B")
	set(0.1, "build-arg:VERSION", "3", "")
	set(0.05, "build-arg:http_proxy", "http://proxy")
	set(0.05, "build-arg:HTTP_PROXY", "http://PROXY")
	set(0.03, "build-arg:TARGETARCH", "riscv64")
	set(0.05, "build-arg:SOURCE_DATE_EPOCH", "0", "1700000000", "", "context", "base", "alpine")
	set(0.05, "build-arg:BUILDKIT_SBOM_SCAN_STAGE", "true", "base,build", "false")
	set(0.03, "build-arg:BUILDKIT_CACHE_MOUNT_NS", "ns")
	set(0.05, "build-arg:BUILDKIT_DOCKERFILE_CHECK", "skip=all", "experimental=all;error=true", "")
	set(0.2, "target", append([]string{"nope", "0"}, append(g.later, g.later...)...)...)
	set(0.25, "platform", "linux/amd64", "linux/arm64", "linux/amd64,linux/arm64", "linux/arm/v7", "windows/amd64")
	set(0.05, "multi-platform", "true")
	set(0.05, "label:a", "from-option")
	set(0.1, "no-cache", "", "base", "build,TEST")
	set(0.05, "add-hosts", "host=1.2.3.4,Other=::1")
	set(0.05, "force-network-mode", "host", "none")
	set(0.05, "shm-size", "67108864")
	set(0.05, "ulimit", "nofile=1024:2048,nproc=3")
	set(0.05, "cgroup-parent", "/slice")
	set(0.05, "memory", "1000000")
	set(0.05, "cpusetcpus", "0-1")
	set(0.05, "hostname", "box")
	set(0.05, "image-resolve-mode", "pull", "local")
	set(0.05, "context:alpine", "docker-image://env-user", "local:other", "input:img", "docker-image://scratch", "https://example.com/x")
	set(0.05, "context:base", "docker-image://workdir", "local:named", "input:in", "https://github.com/a/b.git#main", "nonsense")
	set(0.02, "context:busybox::linux/arm64", "docker-image://arm")
	set(0.02, "context", "https://github.com/x/y.git#main:dir")
	if g.chance(0.1) {
		c.Dockerignore = g.pick("a\n", "*\n", "**/x\n!keep\n", "# c\nsrc\n*.txt\n", "/\n", g.mistake("a/*\n", "[\n"))
	}
	if g.chance(0.1) {
		c.LackCaps = []string{g.pick("mergeop", "exec.meta.ulimit", "exec.mount.bind.readwrite-nooutput", "exec.mount.tmpfs.size", "exec.meta.setsdefaultpath", "exec.meta.cgroup.parent")}
	}
	c.NoClient = g.chance(0.1)
	c.AllStages = g.chance(0.1)
}
