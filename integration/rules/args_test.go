package rules_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/moby/buildkit/client"

	"github.com/cachewright/cachewright/integration/sandbox"
)

// withheld lets one argument reach a command, and all the next.
const withheld = `FROM $BASE
ENV COVERED=env
ARG COVERED=arg LISTED=1 OTHER=1 TARGETARCH
# cache=args=LISTED
RUN env | sort
RUN echo all
`

// withheldArgs shows args: what is not listed is not in the key.
func withheldArgs() []rebuild {
	const chained = "FROM $BASE\nARG REV=1\nENV VERSION=$REV\n# cache=args=none\nRUN echo $VERSION\n"
	const stage = "# cache=args=none\nFROM $BASE\nARG A=1 B=1\nRUN echo none\n# cache=args=B\nRUN echo b\n# cache=default\nRUN echo all\n"
	both, rest := []string{"RUN env | sort", "RUN echo all"}, []string{"RUN echo all"}
	return []rebuild{
		{name: "another argument", dockerfile: withheld, change: given("OTHER", "2"), ran: rest},
		{name: "default of another", dockerfile: withheld, change: edited("OTHER=1", "OTHER=2"), ran: rest},
		{name: "argument over ENV", dockerfile: withheld, change: given("COVERED", "2"), ran: rest},
		{name: "one argument more", dockerfile: withheld, change: edited("ENV", "ARG MORE=1\nENV"), ran: rest},
		{name: "listed argument", dockerfile: withheld, change: given("LISTED", "2"), ran: both},
		{name: "ENV", dockerfile: withheld, change: edited("=env", "=other"), ran: both},
		{name: "another rule", dockerfile: withheld, change: edited("=LISTED", "=LISTED,OTHER"), ran: both},
		{name: "rule removed", dockerfile: withheld, change: edited("# cache=args=LISTED\n", ""), ran: both},
		{name: "ENV of an argument", dockerfile: chained, change: given("REV", "2"), ran: []string{"RUN echo 2"}},
		{name: "stage default", dockerfile: stage, change: given("A", "2"), ran: rest},
		{name: "listed over a stage default", dockerfile: stage, change: given("B", "2"), ran: []string{"RUN echo b", "RUN echo all"}},
		{
			name: "by override", dockerfile: "FROM $BASE\nARG A=1\nRUN echo one\n",
			options: sandbox.Build{Args: map[string]string{"CACHEWRIGHT_RULES": "@4: args=none"}}, change: given("A", "2"),
		},
	}
}

// TestWithheldArgs looks at what the command with the rule gets, and at what the
// image says of it.
func TestWithheldArgs(t *testing.T) {
	t.Parallel()
	sb := start(t)
	p := newProject(t, sb, rebuild{dockerfile: withheld})
	ref := p.newRepository() + ":1"
	p.Exports = []client.ExportEntry{sb.ExportImage(ref)}
	p.arg("CACHEWRIGHT_NOW", "0")
	r := p.solve()
	log := logOf(t, r, "env | sort")
	for line, want := range map[string]bool{
		"COVERED=env\n": true, "LISTED=1\n": true, "OTHER=": false, "TARGETARCH=": false, "BASE=": false, "CACHEWRIGHT": false,
	} {
		if strings.Contains(log, line) != want {
			t.Errorf("the command sees %q: %v, want %v:\n%s", line, !want, want, log)
		}
	}
	tag, err := name.NewTag(sb.Registry() + "/" + ref)
	p.must(err)
	image, err := remote.Image(tag)
	p.must(err)
	config, err := image.ConfigFile()
	p.must(err)
	if slices.ContainsFunc(config.Config.Env, func(kv string) bool { return !strings.HasPrefix(kv, "PATH=") && kv != "COVERED=env" }) {
		t.Errorf("the image has %q", config.Config.Env)
	}
	var runs []string
	for _, h := range config.History {
		if strings.HasPrefix(h.CreatedBy, "RUN ") {
			runs = append(runs, h.CreatedBy)
		}
		if strings.Contains(h.CreatedBy, "CACHEWRIGHT") {
			t.Errorf("the history has %q", h.CreatedBy)
		}
	}
	if want := "RUN |1 LISTED=1 /bin/sh -c env | sort # buildkit"; len(runs) != 2 || runs[0] != want ||
		!strings.Contains(runs[1], " OTHER=1 ") || !strings.Contains(runs[1], "COVERED=arg") {
		t.Errorf("the history's commands are %q, want %q and one with all arguments", runs, want)
	}
}

// TestOwnArgs declares the build arguments that the frontend reads itself. Steps see
// their defaults, and what is given to the build is in no key.
func TestOwnArgs(t *testing.T) {
	t.Parallel()
	p := newProject(t, start(t), rebuild{
		dockerfile: "ARG CACHEWRIGHT_NOW=none\nFROM $BASE\nARG CACHEWRIGHT_NOW\nARG CACHEWRIGHT_RULES=unset\nRUN env | sort\n",
	})
	if log := logOf(t, p.solve(), "env | sort"); !strings.Contains(log, "CACHEWRIGHT_NOW=none\nCACHEWRIGHT_RULES=unset\n") {
		t.Errorf("the command sees\n%s", log)
	}
	p.arg("CACHEWRIGHT_NOW", "0")
	p.arg("CACHEWRIGHT_RULES", "@6: default")
	p.expect("with arguments for the frontend", p.build(), nil)
}

// TestOwnArgsOutline asks for the arguments of a build: those that the frontend reads
// itself are none of the Dockerfile's.
func TestOwnArgsOutline(t *testing.T) {
	t.Parallel()
	sb := start(t)
	dir := sandbox.Files(t, map[string]string{"Dockerfile": "# syntax=" + sandbox.FrontendRef + "\nFROM scratch\nARG OTHER=1\nCOPY Dockerfile /\n"})
	for _, call := range []string{"outline", "check"} {
		r, err := sb.Buildx(t.Context(), "--call="+call, "--build-arg=CACHEWRIGHT_NOW=0", "--build-arg=CACHEWRIGHT_RULES=@4: export=no", dir)
		if err != nil {
			t.Fatal(err)
		}
		if out := r.Stdout + r.Stderr; strings.Contains(out, "CACHEWRIGHT") || call == "outline" && !strings.Contains(out, "OTHER") {
			t.Errorf("%s says\n%s", call, out)
		}
	}
}

// TestHints runs buildx build and looks for hints about rules in what it prints.
func TestHints(t *testing.T) {
	t.Parallel()
	sb := start(t)
	if err := sb.Seed(t.Context(), sandbox.Busybox); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, dockerfile string
		args             []string
		want             string // or empty, if nothing is to be said
	}{
		{"withheld argument", "FROM busybox\nARG REV=1\n# cache=args=none\nRUN echo $REV\n", nil,
			"CacheRuleWithholdsArg: The command uses REV, but its cache rule does not list it under args: it is not set (line 5)"},
		{"near miss", "FROM busybox\n# Cache: ttl=24h\nRUN true\n", nil, "write # cache=ttl=24h (line 3)"},
		{"no such step", "FROM busybox AS app\nRUN true\n", []string{"--build-arg=CACHEWRIGHT_RULES=app/7: off"},
			"CACHEWRIGHT_RULES: selector app/7 matches no step (did you mean app/2?); there is app/2"},
		{"no such step in the filter", "FROM busybox AS app\nRUN true\n", []string{"--no-cache-filter=@9"}, "selector @9 matches no step; there is app/2"},
		{"matched", "FROM busybox AS app\nRUN true\n",
			[]string{"--build-arg=CACHEWRIGHT_RULES=app/2: off", "--build-arg=CACHEWRIGHT_NOW=0", "--no-cache-filter=app/*"}, ""},
		{"skipped", "# check=skip=CacheRuleWithholdsArg\nFROM busybox\nARG REV=1\n# cache=args=none\nRUN echo $REV\n", nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := sandbox.Files(t, map[string]string{"Dockerfile": "# syntax=" + sandbox.FrontendRef + "\n" + c.dockerfile})
			cmd, err := sb.BuildxCommand(t.Context(), append(append([]string{"build", "--progress=plain"}, c.args...), dir)...)
			if err != nil {
				t.Fatal(err)
			}
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			_, warned, found := strings.Cut(string(out), "warning found")
			if found != (c.want != "") || !strings.Contains(warned, c.want) {
				t.Errorf("want the hint %q in\n%s", c.want, out)
			}
		})
	}
}
