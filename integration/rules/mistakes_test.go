package rules_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/moby/buildkit/solver/errdefs"

	"github.com/cachewright/cachewright/integration/sandbox"
	"github.com/cachewright/cachewright/integration/scenario"
)

// TestMistakes breaks rules in every way. The error says what to write instead, and
// marks the line of the directive; that of a rule given with the build marks none.
func TestMistakes(t *testing.T) {
	t.Parallel()
	sb := scenario.Start(t)
	for _, c := range []struct {
		name, dockerfile string
		rules            string // CACHEWRIGHT_RULES
		want             string
		line             int32
	}{
		{"option", "FROM $BASE\n# one\n# cache=tll=1h\n# two\nRUN a\n", "", `unknown option "tll"; options are off, ttl, key, args, base, export, fields, modes, mounts, default (did you mean ttl?)`, 4},
		{"upper case", "FROM $BASE\n# cache=OFF\nRUN a\n", "", `unknown option "OFF"; options are off, ttl, key, args, base, export, fields, modes, mounts, default (did you mean off?)`, 3},
		{"duration", "FROM $BASE\n# cache=ttl=1x\nRUN a\n", "", `"1x" is not a duration; write a whole number with s, m, h, d or w`, 3},
		{"no value", "FROM $BASE\n# cache=ttl\nRUN a\n", "", "option ttl: needs a value: ttl=DURATION", 3},
		{"value", "FROM $BASE\n# cache=base=contents\nRUN a\n", "", `"contents" is not a value it takes; write base=content`, 3},
		{"instruction", "FROM $BASE\n# cache=off\nCOPY a /\n", "", "does not apply to COPY; it is for RUN and FROM", 3},
		{"instruction without a step", "FROM $BASE\n# cache=off\nENV A=1\n", "", "does not apply to ENV, which takes no cache rule; put it above RUN, COPY, ADD or FROM", 3},
		{"ONBUILD", "FROM $BASE\n# cache=off\nONBUILD RUN a\n", "", "put the rule on the FROM of the stage that inherits the trigger", 3},
		{"twice", "FROM $BASE\n# cache=ttl=1h\n# cache=ttl=2h\nRUN a\n", "", "option ttl: already set on line 3; keep one of the two", 4},
		{"contradiction", "FROM $BASE\n# cache=off;ttl=1h\nRUN a\n", "", "option ttl: contradicts off: with off the step runs in every build", 3},
		{"at the end", "FROM $BASE\nRUN a\n# cache=off\n", "", "belongs to no instruction: nothing follows it", 4},
		{"above a blank line", "FROM $BASE\n# cache=off\n\nRUN a\n", "", "a blank line separates it from the instruction below", 3},
		{"inside an instruction", "FROM $BASE\nRUN a && \\\n# cache=off\n  b\n", "", "it stands inside the RUN instruction that begins on line 3; put it above that line", 4},
		{"inside an instruction with a heredoc", "FROM $BASE\nRUN <<A cat && \\\n# cache=off\n  cat <<B\n# cache=x\nA\nB\n", "", "it stands inside the RUN instruction that begins on line 3", 4},
		{"CRLF", "FROM $BASE\r\n# cache=offf\r\nRUN a\r\n", "", `unknown option "offf"; options are`, 3},
		{"undeclared argument", "FROM $BASE\nARG VERSION\n# cache=args=VERSOIN\nRUN a\n", "", "ARG VERSOIN is not declared above this step; declare it there or leave it out (did you mean VERSION?)", 4},
		{"undeclared argument of a stage", "# cache=args=NOTHING\nFROM $BASE\nARG VERSION\nRUN a\n", "", "ARG NOTHING is not declared in this stage; declare it or leave it out", 2},
		{"modes of a stage", "FROM $BASE AS a\nFROM $BASE\n# cache=modes=ignore\nCOPY --from=a /a /\n", "", "this COPY takes no file of the build context", 4},
		{"modes of a URL", "FROM $BASE\n# cache=modes=ignore\nADD http://example.com/a /\n", "", "this ADD takes no file of the build context", 3},
		{"override", "FROM $BASE\nRUN a\n", "@3: offf", "build argument CACHEWRIGHT_RULES: for @3: unknown option \"offf\"", 0},
		{"override without options", "FROM $BASE\nRUN a\n", "app", `"app" has no colon; write off, or SELECTOR: OPTIONS`, 0},
		{"overrides with a comma", "FROM $BASE AS app\nRUN a\nFROM $BASE AS test\nRUN b\n", "app/2: off, test/2: off",
			`"app/2: off, test/2: off" has more than one rule; separate them with |: app/2: off | test/2: off`, 0},
		{"override with a bar at the end", "FROM $BASE\nRUN a\n", "@3: off |", "a | separates two rules, but only one side of it has one", 0},
		{"override on the wrong step", "FROM $BASE\nRUN a\n", "@3: modes=ignore", "@3 picks only RUN, which does not take it", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := newProject(t, sb, rebuild{Dockerfile: c.dockerfile})
			if c.rules != "" {
				p.Arg("CACHEWRIGHT_RULES", c.rules)
			}
			r, err := sb.Solve(t.Context(), p.Build)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("error %v, want %q\n%s", err, c.want, r)
			}
			var lines, want []int32
			for _, s := range errdefs.Sources(err) {
				lines = append(lines, s.Ranges[0].Start.Line)
			}
			if c.line > 0 {
				want = []int32{c.line}
			}
			if !slices.Equal(lines, want) {
				t.Errorf("marked lines are %v, want %v: %v", lines, want, err)
			}
		})
	}
}

// TestOldEngine asks Docker Engine 20.10 for rules that it would not follow. Others
// it does.
func TestOldEngine(t *testing.T) {
	t.Parallel()
	sb := scenario.Start(t)
	if err := sb.Seed(t.Context(), sandbox.Busybox); err != nil {
		t.Fatal(err)
	}
	e, err := sandbox.StartEngine(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	head := "# syntax=" + sb.Registry() + "/" + sandbox.FrontendRef + "\nFROM " + sb.Registry() + "/library/busybox\n"
	for _, c := range []struct {
		name, dockerfile string
		want             []string // of the error, or empty if the build succeeds
	}{
		{"base", "# a remark\n# cache=base=content\nRUN --network=none true\n",
			[]string{"cache rule on line 4: option base: needs BuildKit v0.13 or later, this builder is older; update it, or remove the rule"}},
		{"modes", "# cache=modes=ignore\nCOPY Dockerfile /\n",
			[]string{"cache rule on line 3: option modes: needs BuildKit v0.17 or later", "set the modes with --chmod"}},
		{"args and ttl", "ARG A=1\n# cache=args=none;ttl=1h\nRUN --network=none test -z \"$A\"\n", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := sandbox.Files(t, map[string]string{"Dockerfile": head + c.dockerfile})
			out, err := e.Command(t.Context(), "build", "--progress=plain", "--network=host", dir).CombinedOutput()
			if (err != nil) != (c.want != nil) {
				t.Errorf("%v", err)
			}
			for _, want := range c.want {
				if !strings.Contains(string(out), want) {
					t.Errorf("no %q", want)
				}
			}
			if t.Failed() {
				t.Logf("%s", out)
			}
		})
	}
}
