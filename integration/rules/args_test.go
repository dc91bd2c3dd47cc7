package rules_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/moby/buildkit/client"

	"github.com/cachewright/cachewright/integration/sandbox"
	"github.com/cachewright/cachewright/integration/scenario"
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
		{Name: "another argument", Dockerfile: withheld, Change: scenario.Given("OTHER", "2"), Want: expected{ran: rest}},
		{Name: "default of another", Dockerfile: withheld, Change: scenario.Edited("OTHER=1", "OTHER=2"), Want: expected{ran: rest}},
		{Name: "argument over ENV", Dockerfile: withheld, Change: scenario.Given("COVERED", "2"), Want: expected{ran: rest}},
		{Name: "one argument more", Dockerfile: withheld, Change: scenario.Edited("ENV", "ARG MORE=1\nENV"), Want: expected{ran: rest}},
		{Name: "listed argument", Dockerfile: withheld, Change: scenario.Given("LISTED", "2"), Want: expected{ran: both}},
		{Name: "ENV", Dockerfile: withheld, Change: scenario.Edited("=env", "=other"), Want: expected{ran: both}},
		{Name: "another rule", Dockerfile: withheld, Change: scenario.Edited("=LISTED", "=LISTED,OTHER"), Want: expected{ran: both}},
		{Name: "rule removed", Dockerfile: withheld, Change: scenario.Edited("# cache=args=LISTED\n", ""), Want: expected{ran: both}},
		{Name: "ENV of an argument", Dockerfile: chained, Change: scenario.Given("REV", "2"), Want: expected{ran: []string{"RUN echo 2"}}},
		{Name: "stage default", Dockerfile: stage, Change: scenario.Given("A", "2"), Want: expected{ran: rest}},
		{Name: "listed over a stage default", Dockerfile: stage, Change: scenario.Given("B", "2"), Want: expected{ran: []string{"RUN echo b", "RUN echo all"}}},
		{
			Name: "by override", Dockerfile: "FROM $BASE\nARG A=1\nRUN echo one\n",
			Options: sandbox.Build{Args: map[string]string{"CACHEWRIGHT_RULES": "@4: args=none"}}, Change: scenario.Given("A", "2"),
		},
	}
}

// TestWithheldArgs looks at what the command with the rule gets, and at what the
// image says of it.
func TestWithheldArgs(t *testing.T) {
	t.Parallel()
	sb := scenario.Start(t)
	p := newProject(t, sb, rebuild{Dockerfile: withheld})
	ref := scenario.NewRepository() + ":1"
	p.Exports = []client.ExportEntry{sb.ExportImage(ref)}
	p.Arg("CACHEWRIGHT_NOW", "0")
	r := p.Solve()
	log := logOf(t, r, "env | sort")
	for line, want := range map[string]bool{
		"COVERED=env\n": true, "LISTED=1\n": true, "OTHER=": false, "TARGETARCH=": false, "BASE=": false, "CACHEWRIGHT": false,
	} {
		if strings.Contains(log, line) != want {
			t.Errorf("the command sees %q: %v, want %v:\n%s", line, !want, want, log)
		}
	}
	tag, err := name.NewTag(sb.Registry() + "/" + ref)
	p.Must(err)
	image, err := remote.Image(tag)
	p.Must(err)
	config, err := image.ConfigFile()
	p.Must(err)
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

// TestOwnArgs declares settings. Steps see the defaults that the file gives them, as
// with any other frontend, and what is given to the build is in no key.
func TestOwnArgs(t *testing.T) {
	t.Parallel()
	p := newProject(t, scenario.Start(t), rebuild{
		Dockerfile: "ARG CACHEWRIGHT_NOW=0\nFROM $BASE\nARG CACHEWRIGHT_NOW\nARG CACHEWRIGHT_RULES=unset\nRUN env | sort\n",
	})
	if log := logOf(t, p.Solve(), "env | sort"); !strings.Contains(log, "CACHEWRIGHT_NOW=0\nCACHEWRIGHT_RULES=unset\n") {
		t.Errorf("the command sees\n%s", log)
	}
	p.Arg("CACHEWRIGHT_NOW", "1")
	p.Arg("CACHEWRIGHT_RULES", "@6: default")
	expect(p, "with settings of the build", build(p), nil)
}

// TestOwnArgsOutline asks for the arguments of a build: those that the frontend reads
// itself are none of the Dockerfile's.
func TestOwnArgsOutline(t *testing.T) {
	t.Parallel()
	sb := scenario.Start(t)
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
	sb := scenario.Start(t)
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
		{"at the end of a RUN", "FROM busybox\nRUN true # cache=off\n", nil,
			"CacheRuleIgnored: At the end of a line this is part of the instruction and no cache rule, write # cache=off on a line of its own above the instruction (line 3)"},
		{"at the end of a line of a RUN", "FROM busybox\nRUN true \\\n && true # cache=ttl=1h\n", nil, "write # cache=ttl=1h on a line of its own above the instruction (line 4)"},
		{"in a heredoc", "FROM busybox\nRUN <<E\ntrue # cache=off\nE\n", nil, ""},
		{"no rule at the end", "FROM busybox\nRUN true # cache=of course\n", nil, ""},
		{"argument in lower case", "FROM busybox\nRUN true\n", []string{"--build-arg=cachewright_rules=off"},
			"CacheArgIgnored: The build argument cachewright_rules is not read, write CACHEWRIGHT_RULES"},
		{"unknown setting", "ARG CACHEWRIGHT_RULE=off\nFROM busybox\nRUN true\n", nil,
			"CacheArgIgnored: The ARG CACHEWRIGHT_RULE is no setting's default: unknown; there are CACHEWRIGHT_RULES, "},
		{"setting in lower case", "ARG cachewright_rules=off\nFROM busybox\nRUN true\n", nil, "The ARG cachewright_rules is no setting's default, write CACHEWRIGHT_RULES (line 2)"},
		{"setting in a stage", "FROM busybox\nARG CACHEWRIGHT_RULES=off\nRUN true\n", nil,
			"The ARG CACHEWRIGHT_RULES is an ordinary one here, and no setting's default: write it before the first FROM (line 3)"},
		{"default of a setting", "ARG CACHEWRIGHT_EXPECT=@4=hit CACHEWRIGHT_EXPLAIN=off\nFROM busybox\nRUN true\n", nil, ""},
		{"no such step in a default", "ARG CACHEWRIGHT_RULES=\"app/7: off\"\nFROM busybox AS app\nRUN true\n", nil,
			"selector app/7 matches no step (did you mean app/2?); there is app/2 (line 2)"},
		{"expectation in a build", "FROM busybox\nRUN true\n", []string{"--build-arg=CACHEWRIGHT_EXPECT=@3=hit"},
			"CacheArgIgnored: This build asserts nothing: CACHEWRIGHT_EXPECT is for --call=cache-assert"},
		{"args not inherited", "# cache=args=none\nFROM busybox AS base\nARG REV\nFROM base\nRUN true\n", nil,
			"CacheArgsNotInherited: The rule args=none of base does not hold in this stage, which inherits the ARGs REV: repeat it above this FROM (line 5)"},
		{"args not inherited, through a stage", "# cache=args=none\nFROM busybox AS base\nARG REV\nFROM base AS mid\nFROM mid\nRUN true\n", nil, "of base does not hold in this stage, which inherits the ARGs REV: repeat it above this FROM (line 6)"},
		{"args repeated", "# cache=args=none\nFROM busybox AS base\nARG REV\n# cache=args=none\nFROM base\nRUN true\n", nil, ""},
		{"args on the step", "# cache=args=none\nFROM busybox AS base\nARG REV\nFROM base\n# cache=args=REV\nRUN true\n", nil, ""},
		{"args, nothing inherited", "# cache=args=none\nFROM busybox AS base\nRUN true\nFROM base\nARG REV\nRUN true\n", nil, ""},
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
