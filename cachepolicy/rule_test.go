package cachepolicy

import (
	"strings"
	"testing"
)

func mustRule(t testing.TB, text string, line int) Rule {
	t.Helper()
	if text == "" {
		return Rule{}
	}
	r, err := readRule(text, Origin{Kind: OriginRule, Line: line})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestParseRuleErrors(t *testing.T) {
	for text, want := range map[string]string{
		"":                      "no option",
		"ttl=1h;":               "empty option",
		";ttl=1h":               "empty option",
		"ttl=1h;;off":           "empty option",
		"ttl=1h; off":           `blank before "off"`,
		" ttl=1h":               `blank before "ttl=1h"`,
		"TTL=1h":                `unknown option "TTL"; options are off, ttl, key, args, base, export, fields, modes, mounts, default (did you mean ttl?)`,
		"ofd":                   "(did you mean off?)",
		"agrs=none":             "(did you mean args?)",
		"exprot=no":             "(did you mean export?)",
		"nothinglikeit":         `unknown option "nothinglikeit"; options are off, ttl, key, args, base, export, fields, modes, mounts, default`,
		"off=yes":               "option off: takes no value; write off",
		"off=":                  "option off: takes no value; write off",
		"default=1":             "option default: takes no value",
		"ttl":                   "option ttl: needs a value: ttl=DURATION",
		"ttl=":                  "option ttl: needs a value",
		"ttl=1x":                `option ttl: "1x" is not a duration`,
		"ttl=%zz":               "write %25 for a percent sign",
		"key":                   "option key: needs a value: key=SOURCE",
		"key=text:a,,text:b":    "empty item",
		"key=text:a,":           "empty item",
		"key=text:a,text:a":     "listed twice",
		"key=file:a,file:./a":   "listed twice",
		"key=text:a;key=text:b": "write one list: key=SOURCE,SOURCE",
		"key=text:%00":          "zero byte",
		"args=":                 "needs a value: args=none or ARG",
		"args=none,A":           "none stands alone",
		"args=A,A":              "A is listed twice",
		"args=A%20B":            "is not the name of an ARG",
		"base=contents":         `option base: "contents" is not a value it takes; write base=content`,
		"export=false":          "write export=no",
		"export":                "needs a value: export=no",
		"modes=keep":            "write modes=ignore",
		"mounts=keep":           "write mounts=share",
		"ttl=1h;ttl=2h":         "already set; keep one of the two",
		"off;off":               "already set",
		"off;key=text:a":        "contradicts off: with off the step runs in every build",
		"base=content;off":      "contradicts base",
	} {
		_, err := readRule(text, Origin{Kind: OriginRule, Line: 7})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "cache rule on line 7: ") {
			t.Errorf("%q: %v, want line 7 and %q", text, err, want)
		}
	}
}

func TestInherit(t *testing.T) {
	for _, tt := range []struct{ step, stage, instruction, want string }{
		{"", "ttl=24h;export=no", "RUN", "ttl=24h;export=no"},
		{"", "ttl=24h;export=no", "COPY", "export=no"},
		{"", "ttl=24h;export=no", "WORKDIR", ""},
		{"ttl=1h", "ttl=24h;args=none", "RUN", "ttl=1h;args=none"},
		{"key=text:b", "key=text:a", "RUN", "key=text:b"},
		{"key=text:b", "ttl=24h", "RUN", "ttl=24h;key=text:b"},
		{"off", "ttl=24h;key=text:a;base=content;args=none;export=no", "RUN", "off;args=none;export=no"},
		{"ttl=1h", "off;export=no", "RUN", "ttl=1h;export=no"},
		{"args=none", "off", "RUN", "off;args=none"},
		{"default", "off;export=no", "RUN", "default"},
		{"default;ttl=1h", "off;export=no", "RUN", "ttl=1h;default"},
		{"modes=ignore", "export=no;ttl=1h", "ADD", "export=no;modes=ignore"},
	} {
		got := mustRule(t, tt.step, 9).Inherit(mustRule(t, tt.stage, 2), tt.instruction)
		if got.String() != tt.want {
			t.Errorf("%q on %s in a stage of %q: %q, want %q", tt.step, tt.instruction, tt.stage, got, tt.want)
		}
	}
}

func TestInheritOrigin(t *testing.T) {
	stage := mustRule(t, "ttl=24h;export=no", 2)
	got := mustRule(t, "ttl=1h", 9).Inherit(stage, "RUN")
	for option, want := range map[Option]string{OptionTTL: "rule, line 9", OptionExport: "stage rule, line 2"} {
		s, ok := got.Get(option)
		if !ok || s.Origin.String() != want {
			t.Errorf("%s is from %q, want %q", option, s.Origin, want)
		}
	}
	if s, _ := stage.Get(OptionExport); s.Origin.Kind != OriginRule {
		t.Errorf("the stage's rule was changed: %v", s.Origin)
	}
}

func FuzzParseRule(f *testing.F) {
	for _, s := range []string{"off", "ttl=24h;key=https://e.org/a%2Cb,text:x;args=A,B;base=content;export=no", "modes=ignore", "default;off",
		"key=image://a,file:*,arg:X", "ttl=%3", "args=none", "key=text:%2C%3B%25%7C%0A"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := readRule(text, Origin{Kind: OriginRule, Line: 3})
		if err != nil {
			if e, ok := err.(*Error); !ok || e.Line != 3 {
				t.Fatalf("error without its line: %v", err)
			}
			return
		}
		again, err := readRule(r.String(), Origin{Kind: OriginRule, Line: 3})
		if err != nil || again.String() != r.String() {
			t.Fatalf("%q is written %q, which reads as %q, %v", text, r, again, err)
		}
		if r.Has(OptionOff) && (r.Has(OptionTTL) || r.Has(OptionKey) || r.Has(OptionBase)) {
			t.Fatalf("%q contradicts itself", r)
		}
	})
}

// readRule reads a rule as it stands behind `# cache=`.
func readRule(text string, origin Origin) (Rule, error) {
	r, err := parseRule(Rule{}, text, origin)
	if err != nil {
		return Rule{}, err.At(origin)
	}
	return r, nil
}
