package cachepolicy

import (
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
)

// A build argument wins over the file's default, also an empty one.
func TestFileDefaults(t *testing.T) {
	defaults := map[string]SettingValue{
		ArgRules:   {Text: "install/2: ttl=1h", Line: 1},
		ArgExplain: {Text: "off", Line: 2},
		ArgMounts:  {Text: "1GB", Line: 3},
		ArgExpect:  {Text: "install=hit", Line: 4},
	}
	o, err := ParseOverrides(map[string]string{ArgExplain: "summary", ArgMounts: ""}, defaults)
	if err != nil {
		t.Fatal(err)
	}
	if len(o.Rules) != 1 || o.Rules[0].Line != 1 || o.ExplainOff || !o.Summary || o.MountsMax != DefaultMountsMax || o.Expect != defaults[ArgExpect] {
		t.Errorf("%+v", o)
	}
	s, _ := o.Apply(twoStages[1], Rule{}).Get(OptionTTL)
	if got := s.Origin.String(); got != "override install/2, line 1" {
		t.Errorf("origin %q", got)
	}
}

// Every error about a file's default names its line.
func TestFileDefaultErrors(t *testing.T) {
	for _, tt := range []struct{ name, value, want string }{
		{ArgRules, "a: ttl=1x", "ARG CACHEWRIGHT_RULES on line 7: option ttl: for a: "},
		{ArgNow, "none", `ARG CACHEWRIGHT_NOW on line 7: "none" is not a time; write`},
		{ArgExplain, "of", `ARG CACHEWRIGHT_EXPLAIN on line 7: "of" is not a value it takes; write`},
		{ArgMounts, "much", `ARG CACHEWRIGHT_MOUNTS_MAX on line 7: "much" is not a size; write`},
	} {
		_, err := ParseOverrides(map[string]string{"OTHER": "1"}, map[string]SettingValue{tt.name: {Text: tt.value, Line: 7}})
		if err == nil || !strings.HasPrefix(err.Error(), tt.want) || err.(*Error).Line != 7 {
			t.Errorf("%v, want %q", err, tt.want)
		}
	}
	o, err := ParseOverrides(nil, map[string]SettingValue{ArgRules: {Text: "install/3: ttl=1h | nothing: off", Line: 7}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.Check(twoStages); err == nil || !strings.HasPrefix(err.Error(), "ARG CACHEWRIGHT_RULES on line 7: option ttl: install/3 picks only COPY") {
		t.Errorf("%v", err)
	}
	o.Rules = o.Rules[1:]
	if warnings, err := o.Check(twoStages); err != nil || len(warnings) != 1 || warnings[0].Line != 7 {
		t.Errorf("%+v, %v", warnings, err)
	}
}

// The documentation has one row for each setting, and each is documented where its
// row says. A standard value is the same as none.
func TestSettingsDocumented(t *testing.T) {
	page, err := os.ReadFile("../docs/cache-rules.md")
	if err != nil {
		t.Fatal(err)
	}
	var table strings.Builder
	for _, s := range settingTable {
		standard := ""
		if s.standard != "" {
			standard = "`" + s.standard + "`"
		}
		link := strings.TrimPrefix(s.page, "cache-rules.md")
		fmt.Fprintf(&table, "| [`%s`](%s) | %s | %s |", s.name, link, s.takes, standard)
		row := table.String()
		table.Reset()
		if !strings.Contains(string(page), "\n"+row) {
			t.Errorf("docs/cache-rules.md has no row\n%s", row)
		}
		file, anchor, _ := strings.Cut(s.page, "#")
		text, err := os.ReadFile("../docs/" + file)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), s.name) || !hasHeading(string(text), anchor) {
			t.Errorf("%s does not document %s", s.page, s.name)
		}
		plain, _ := ParseOverrides(nil, nil)
		if o, err := ParseOverrides(map[string]string{s.name: s.standard}, nil); err != nil || !reflect.DeepEqual(o, plain) {
			t.Errorf("%s=%s: %+v, %v", s.name, s.standard, o, err)
		}
	}
}

// hasHeading reports whether a page has a heading with the anchor.
func hasHeading(page, anchor string) bool {
	for line := range strings.Lines(page) {
		text, ok := strings.CutPrefix(strings.TrimLeft(line, "#"), " ")
		if ok && strings.HasPrefix(line, "#") && strings.ReplaceAll(strings.ToLower(strings.Trim(text, " \n`")), " ", "-") == anchor {
			return true
		}
	}
	return false
}
