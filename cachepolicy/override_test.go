package cachepolicy

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestParseOverrides(t *testing.T) {
	o, err := ParseOverrides(map[string]string{
		"OTHER":    "x",
		ArgRules:   " install/2: ttl=1h | @14: off|test-*:key=https://e.org/a;export=no ",
		ArgNow:     "2026-05-17T02:00:00+02:00",
		ArgExplain: "off",
		ArgExpect:  "read elsewhere",
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range o.Rules {
		got = append(got, r.Selector.String()+": "+r.Rule.String())
	}
	if want := []string{"install/2: ttl=1h", "@14: off", "test-*: key=https://e.org/a;export=no"}; !slices.Equal(got, want) {
		t.Errorf("rules %q, want %q", got, want)
	}
	if o.Now == nil || !o.Now.Equal(time.Date(2026, 5, 17, 0, 0, 0, 0, time.UTC)) || o.Now.Location() != time.UTC {
		t.Errorf("now %v", o.Now)
	}
	if !o.ExplainOff || o.Disabled {
		t.Errorf("%+v", o)
	}
	if o, err := ParseOverrides(map[string]string{ArgRules: "off", ArgNow: "-1", ArgExplain: "auto"}, nil); err != nil || !o.Disabled || o.Now.Unix() != -1 || o.ExplainOff {
		t.Errorf("%+v, %v", o, err)
	}
	for value, want := range map[string]Share{"": ShareAuto, "auto": ShareAuto, "values": ShareValues, " off": ShareOff} {
		if o, err := ParseOverrides(map[string]string{ArgShare: value}, nil); err != nil || o.Share != want {
			t.Errorf("%q: got %q, %v", value, o.Share, err)
		}
	}
	if o, err := ParseOverrides(map[string]string{ArgMounts: "1.5GB"}, nil); err != nil || o.MountsMax != 1_500_000_000 {
		t.Errorf("%+v, %v", o, err)
	}
	if o, err := ParseOverrides(map[string]string{ArgExplain: "summary"}, nil); err != nil || !o.Summary || o.ExplainOff {
		t.Errorf("%+v, %v", o, err)
	}
	if o, err := ParseOverrides(map[string]string{ArgRules: "", ArgMounts: "", ArgNow: " ", ArgExplain: "", ArgExpect: ""}, nil); err != nil || o.Now != nil || o.Rules != nil || o.MountsMax != 2_000_000_000 {
		t.Errorf("%+v, %v", o, err)
	}
}

func TestParseOverridesErrors(t *testing.T) {
	for _, tt := range []struct{ name, value, want string }{
		{"CACHEWRIGHT_RULE", "off", "build argument CACHEWRIGHT_RULE: unknown; there are CACHEWRIGHT_RULES, CACHEWRIGHT_NOW, CACHEWRIGHT_EXPLAIN, CACHEWRIGHT_MOUNTS_MAX, CACHEWRIGHT_SHARE and CACHEWRIGHT_EXPECT (did you mean CACHEWRIGHT_RULES?)"},
		{"CACHEWRIGHT_", "", "unknown"},
		{ArgRules, "OFF", "has no colon; write off, or SELECTOR: OPTIONS"},
		{ArgRules, "a: off |", "a | separates two rules, but only one side of it has one"},
		{ArgRules, "| a: off", "only one side of it has one"},
		{ArgRules, "a: off || b: off", "only one side of it has one"},
		{ArgRules, ": off", "empty selector"},
		{ArgRules, "a/b: off", `selector "a/b"`},
		{ArgRules, "a:", "for a: no option"},
		{ArgRules, "a: tll=1h", `for a: unknown option "tll"`},
		{ArgRules, "a: ttl=1x", `build argument CACHEWRIGHT_RULES: option ttl: for a: "1x" is not a duration`},
		{ArgRules, "a/2: off, b/2: off", `"a/2: off, b/2: off" has more than one rule; separate them with |: a/2: off | b/2: off`},
		{ArgRules, "a/2:off,b/2:off", "separate them with |: a/2: off | b/2:off"},
		{ArgRules, "a: ttl=1h; b: off", "separate them with |: a: ttl=1h | b: off"},
		{ArgRules, "a: off\n@4: ttl=1h", "separate them with |: a: off | @4: ttl=1h"},
		{ArgRules, "a: off & b: off", "separate them with |: a: off | b: off"},
		{ArgRules, "a: key=text:1,file:b off", "blank before"},
		{ArgRules, "a: off b", "blank before"},
		{ArgNow, "yesterday", `"yesterday" is not a time; write Unix seconds or RFC 3339`},
		{ArgNow, "1.5", "is not a time"},
		{ArgNow, "253402300800", "outside the years 1 to 9999"},
		{ArgNow, "-62135596801", "outside the years 1 to 9999"},
		{ArgExplain, "of", "(did you mean off?)"},
		{ArgMounts, "much", `"much" is not a size; write such as 500MB or 2GB`},
		{ArgMounts, "-1", "is not a size"},
		{ArgShare, "value", `"value" is not a value it takes; write auto, values or off (did you mean values?)`},
		{ArgShare, "on", `"on" is not a value it takes`},
	} {
		_, err := ParseOverrides(map[string]string{tt.name: tt.value}, nil)
		if err == nil || !strings.Contains(err.Error(), tt.want) || err.(*Error).BuildArg != tt.name {
			t.Errorf("%s=%s: %v, want %q", tt.name, tt.value, err, tt.want)
		}
	}
}

func mustOverrides(t testing.TB, rules string) Overrides {
	t.Helper()
	o, err := ParseOverrides(map[string]string{ArgRules: rules}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestOverridesApply(t *testing.T) {
	run, cp := twoStages[1], twoStages[2]
	for _, tt := range []struct {
		overrides string
		id        StepID
		rule      string
		want      string
	}{
		{"install: ttl=1h", run, "", "ttl=1h"},
		{"install: ttl=1h", run, "ttl=24h;args=none", "ttl=1h;args=none"},
		{"install: ttl=1h", run, "off", "ttl=1h"},
		{"install: off", run, "ttl=24h;key=text:a;export=no", "off;export=no"},
		{"install: default", run, "ttl=24h;export=no", "default"},
		{"install: default;ttl=1h", run, "off;export=no", "ttl=1h;default"},
		{"install: ttl=1h;export=no;modes=ignore", cp, "", "export=no;modes=ignore"},
		{"install: ttl=1h | install/2: off", run, "", "off"},
		{"install/2: off | install: ttl=1h", run, "", "ttl=1h"},
		{"stage-1: off", run, "ttl=24h", "ttl=24h"},
		{"install: off", twoStages[0], "", ""},
	} {
		got := mustOverrides(t, tt.overrides).Apply(tt.id, mustRule(t, tt.rule, 3))
		if got.String() != tt.want {
			t.Errorf("%q over %q on %s: %q, want %q", tt.overrides, tt.rule, tt.id, got, tt.want)
		}
	}
	s, _ := mustOverrides(t, "@5: ttl=1h").Apply(run, Rule{}).Get(OptionTTL)
	if got := s.Origin.String(); got != "override @5" {
		t.Errorf("origin %q", got)
	}
}

func TestOverridesCheck(t *testing.T) {
	for overrides, want := range map[string]string{
		"install/3: ttl=1h":             "build argument CACHEWRIGHT_RULES: option ttl: install/3 picks only COPY, which does not take it; as an override it is for RUN",
		"@10: export=no;modes=ignore":   "option modes: @10 picks only RUN, which does not take it; as an override it is for COPY and ADD",
		"install/1: off":                "option off: install/1 picks only FROM",
		"install: off":                  "",
		"install: ttl=1h;modes=ignore":  "",
		"stage-1: ttl=1h;modes=ignore":  "option modes: stage-1 picks only RUN",
		"nothing: modes=ignore;ttl=24h": "",
	} {
		_, err := mustOverrides(t, overrides).Check(twoStages)
		if got := errText(err); (want == "") != (got == "") || !strings.Contains(got, want) {
			t.Errorf("%s: %v, want %q", overrides, err, want)
		}
	}
	warnings, err := mustOverrides(t, "install: off | instal: off").Check(twoStages)
	if err != nil || len(warnings) != 1 || !strings.HasPrefix(warnings[0].Text, "CACHEWRIGHT_RULES: selector instal matches no step (did you mean install?)") {
		t.Errorf("%v, %v", warnings, err)
	}
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func FuzzParseOverrides(f *testing.F) {
	f.Add("install/2: ttl=1h | @14: off", "1779000000", "auto")
	f.Add("off", "2026-05-17T02:00:00Z", "off")
	f.Add("a:key=https://x/y:z", "-1", "")
	f.Fuzz(func(t *testing.T, rules, now, explain string) {
		o, err := ParseOverrides(map[string]string{ArgRules: rules, ArgNow: now, ArgExplain: explain}, nil)
		if err != nil {
			if e, ok := err.(*Error); !ok || e.BuildArg == "" || e.Line != 0 {
				t.Fatalf("error without its argument: %v", err)
			}
			return
		}
		if o.Now != nil && (o.Now.Unix() < minUnix || o.Now.Unix() > maxUnix) {
			t.Fatalf("clock %v", o.Now)
		}
		if _, err := o.Check(twoStages); err != nil {
			return
		}
		for _, id := range twoStages {
			o.Apply(id, Rule{})
		}
	})
}
