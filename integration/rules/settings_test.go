package rules_test

import (
	"strings"
	"testing"

	"github.com/cachewright/cachewright/integration/sandbox"
	"github.com/cachewright/cachewright/integration/scenario"
)

// fileDefaults shows that an ARG before the first FROM gives a setting a default, over
// which the build's argument wins.
func fileDefaults() []rebuild {
	const rules = "ARG V=1\nARG CACHEWRIGHT_RULES=\"@5: key=text:$V\"\nFROM $BASE\nRUN echo one\nRUN echo two\n"
	const clock = "ARG DAY=17\nARG CACHEWRIGHT_NOW=2026-05-${DAY}T12:00:00Z\nFROM $BASE\n# cache=ttl=daily\nRUN echo one\n"
	both, one := []string{"RUN echo one", "RUN echo two"}, []string{"RUN echo one"}
	given := sandbox.Build{Args: map[string]string{"CACHEWRIGHT_RULES": ""}}
	clockGiven := sandbox.Build{Args: map[string]string{"CACHEWRIGHT_NOW": "0"}}
	return []rebuild{
		{Name: "rules", Dockerfile: rules, Change: scenario.Given("V", "2"), Want: expected{ran: both}},
		{Name: "rules, edited", Dockerfile: rules, Change: scenario.Edited("V=1", "V=2"), Want: expected{ran: both}},
		{Name: "rules, not of a stage", Dockerfile: "FROM $BASE\nARG CACHEWRIGHT_RULES=\"@4: off\"\nRUN echo one\n"},
		{Name: "rules, none given", Dockerfile: rules, Options: given, Change: scenario.Given("V", "2")},
		{Name: "rules off", Dockerfile: "ARG CACHEWRIGHT_RULES=off\nFROM $BASE\n# cache=off\nRUN echo one\n"},
		{Name: "clock", Dockerfile: clock, Change: scenario.Given("DAY", "18"), Want: expected{ran: one}},
		{Name: "clock, same window", Dockerfile: clock, Change: scenario.Edited("T12:", "T13:")},
		{Name: "clock, given", Dockerfile: clock, Options: clockGiven, Change: scenario.Given("DAY", "18")},
	}
}

// TestFileDefaultErrors reads in buildx what is wrong with defaults of the file.
func TestFileDefaultErrors(t *testing.T) {
	t.Parallel()
	sb := scenario.Start(t)
	for _, c := range []struct {
		name, dockerfile, call, want string
	}{
		{"value", "ARG SIZE=much\nARG CACHEWRIGHT_MOUNTS_MAX=$SIZE\nFROM scratch\nCOPY Dockerfile /\n", "build",
			`ARG CACHEWRIGHT_MOUNTS_MAX on line 3: "much" is not a size; write such as 500MB or 2GB`},
		{"option", "ARG CACHEWRIGHT_RULES=\"@4: off\"\nFROM scratch\nCOPY Dockerfile /\n", "build",
			"ARG CACHEWRIGHT_RULES on line 2: option off: @4 picks only COPY, which does not take it"},
		{"secret", "ARG TOKEN=x\nARG CACHEWRIGHT_RULES=\"@4: key=text:$TOKEN\"\nFROM scratch\nCOPY Dockerfile /\n", "build",
			"ARG CACHEWRIGHT_RULES on line 3: its default is made of a value that looks secret"},
		{"expectation", "ARG CACHEWRIGHT_EXPECT=@4=his\nFROM scratch\nCOPY Dockerfile /\n", "cache-assert",
			`ARG CACHEWRIGHT_EXPECT on line 2: "his" is not what a step can be expected to do; write hit`},
		{"not met", "ARG CACHEWRIGHT_EXPECT=@4=hit\nFROM scratch\nCOPY Dockerfile /\n", "cache-assert", "expected hit (@4), predicted "},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := sandbox.Files(t, map[string]string{"Dockerfile": "# syntax=" + sandbox.FrontendRef + "\n" + c.dockerfile})
			cmd, err := sb.BuildxCommand(t.Context(), "build", "--progress=plain", "--call="+c.call, dir)
			if err != nil {
				t.Fatal(err)
			}
			out, err := cmd.CombinedOutput()
			if err == nil || !strings.Contains(string(out), c.want) {
				t.Errorf("%v, want %q in\n%s", err, c.want, out)
			}
			if marked := strings.Contains(string(out), ">>> ARG CACHEWRIGHT_"); marked != (c.name != "not met") {
				t.Errorf("the line of the ARG is marked: %v\n%s", marked, out)
			}
		})
	}
}
