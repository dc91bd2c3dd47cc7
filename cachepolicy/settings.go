package cachepolicy

import (
	"maps"
	"slices"
	"strings"

	"github.com/cachewright/cachewright/cachepolicy/internal/phrase"
)

// The settings that the frontend reads itself: build arguments, to which an ARG
// before the first FROM may give a default.
const (
	ArgRules   = "CACHEWRIGHT_RULES"
	ArgNow     = "CACHEWRIGHT_NOW"
	ArgExplain = "CACHEWRIGHT_EXPLAIN"
	ArgExpect  = "CACHEWRIGHT_EXPECT"
	ArgMounts  = "CACHEWRIGHT_MOUNTS_MAX"
	ArgShare   = "CACHEWRIGHT_SHARE"

	argPrefix = "CACHEWRIGHT_"
)

// setting is one of the settings.
type setting struct {
	name string
	// takes says what may be given, as the documentation writes it.
	takes string
	// standard is the value in effect where none is given; empty where that is none.
	standard string
	// page is where it is documented, below docs/.
	page string
	// read takes a value that is not empty. It does not fill in where the value is from.
	read func(*Overrides, SettingValue) *Error
}

// settingTable has every setting, in the order in which they are documented.
var settingTable = []setting{
	{ArgRules, "`off`, or `SELECTOR: OPTIONS`, several separated by a vertical bar", "", "cache-rules.md#overruling-rules", (*Overrides).readRules},
	{ArgNow, "a time in RFC 3339, or Unix seconds", "", "cache-rules.md#ttl", (*Overrides).readNow},
	{ArgExplain, "`auto`, `off` or `summary`", "auto", "explain.md#switching-it-off", (*Overrides).readExplain},
	{ArgMounts, "a size", "2GB", "ci.md#cache-mounts", (*Overrides).readMountsMax},
	{ArgShare, "`auto`, `values` or `off`", "auto", "ci.md#why-a-step-runs-again", (*Overrides).readShare},
	{ArgExpect, "`SELECTOR=STATE`, several separated by commas", "", "explain.md#assertions", (*Overrides).readExpect},
}

// SettingValue is what a setting is given.
type SettingValue struct {
	Text string
	// Line is the Dockerfile line, from 1, of the ARG that gives it as a default; 0 if
	// it is a build argument.
	Line int
}

// IsOwnArg reports whether a build argument is one that the frontend reads
// itself and keeps from every step: any with the prefix CACHEWRIGHT_.
func IsOwnArg(name string) bool { return strings.HasPrefix(name, argPrefix) }

// UnknownSetting says what is wrong with a name if there is no setting of it, and
// else returns the empty string.
func UnknownSetting(name string) string {
	if _, ok := settingOf(name); ok {
		return ""
	}
	e := unknownSetting(name)
	return e.Message + e.suggested()
}

// SettingNames returns the names of all settings.
func SettingNames() []string {
	names := make([]string, len(settingTable))
	for i, s := range settingTable {
		names[i] = s.name
	}
	return names
}

func settingOf(name string) (setting, bool) {
	i := slices.IndexFunc(settingTable, func(s setting) bool { return s.name == name })
	if i < 0 {
		return setting{}, false
	}
	return settingTable[i], true
}

func unknownSetting(name string) *Error {
	names := SettingNames()
	return &Error{Message: "unknown; there are " + enumerate(names), Suggestion: phrase.Nearest(name, names)}
}

// ParseOverrides reads the settings: the build arguments CACHEWRIGHT_*, where others
// are passed over, and the defaults that the Dockerfile has for those that are not
// given. An unknown name, or a bad value, is an error (*Error). An empty value is the
// same as none, also as a build argument over a default.
func ParseOverrides(buildArgs map[string]string, defaults map[string]SettingValue) (Overrides, error) {
	values := map[string]SettingValue{}
	maps.Copy(values, defaults)
	for name, text := range buildArgs {
		if IsOwnArg(name) {
			values[name] = SettingValue{Text: text}
		}
	}
	o := Overrides{MountsMax: DefaultMountsMax, Share: ShareAuto}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		v := values[name]
		if err := o.read(name, v); err != nil {
			return Overrides{}, v.blame(name, err)
		}
	}
	return o, nil
}

func (o *Overrides) read(name string, v SettingValue) *Error {
	s, ok := settingOf(name)
	if !ok {
		return unknownSetting(name)
	}
	v.Text = strings.TrimSpace(v.Text)
	if v.Text == "" {
		return nil
	}
	return s.read(o, v)
}

// blame returns err as one about the value of a setting.
func (v SettingValue) blame(name string, err *Error) *Error {
	err.BuildArg, err.Line = name, v.Line
	return err
}
