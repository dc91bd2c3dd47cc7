package cachepolicy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cachewright/cachewright/cachepolicy/fieldspec"
)

// Option is the name of one option of a cache rule.
type Option string

// The options of a cache rule.
const (
	OptionOff     Option = "off"     // run in every build
	OptionTTL     Option = "ttl"     // reuse a result for at most this long
	OptionKey     Option = "key"     // more inputs for the key
	OptionArgs    Option = "args"    // only these ARGs reach the command
	OptionBase    Option = "base"    // key by the content of the starting filesystem
	OptionExport  Option = "export"  // keep the result out of --cache-to
	OptionFields  Option = "fields"  // of the copied files only these fields count
	OptionModes   Option = "modes"   // permission bits do not count
	OptionMounts  Option = "mounts"  // the contents of cache mounts travel with the remote cache
	OptionDefault Option = "default" // clear what would be inherited
)

// Setting is one option of a rule, with its value and where it was written.
type Setting struct {
	Option Option
	// Text is the value as written and decoded; empty for off and default.
	Text   string
	Origin Origin

	ttl  TTL
	keys []Source
	args ArgFilter

	fields fieldspec.Spec
}

// Rule is a cache rule: a set of options, each set at most once. The zero Rule
// sets none and changes nothing. A Rule is never changed after it was made.
type Rule struct {
	settings []Setting // in the order of the options table
}

// Empty reports whether the rule sets no option.
func (r Rule) Empty() bool { return len(r.settings) == 0 }

// Settings returns the options that are set, in the order of the reference.
func (r Rule) Settings() []Setting { return slices.Clone(r.settings) }

// Get returns the setting of an option, and whether it is set.
func (r Rule) Get(o Option) (Setting, bool) {
	for _, s := range r.settings {
		if s.Option == o {
			return s, true
		}
	}
	return Setting{}, false
}

// Has reports whether an option is set.
func (r Rule) Has(o Option) bool {
	_, ok := r.Get(o)
	return ok
}

// TTL returns the value of ttl, and whether it is set.
func (r Rule) TTL() (TTL, bool) {
	s, ok := r.Get(OptionTTL)
	return s.ttl, ok
}

// Keys returns the sources that key names, in the order written.
func (r Rule) Keys() []Source {
	s, _ := r.Get(OptionKey)
	return slices.Clone(s.keys)
}

// Args returns the value of args, and whether it is set.
func (r Rule) Args() (ArgFilter, bool) {
	s, ok := r.Get(OptionArgs)
	return s.args, ok
}

// Fields returns the value of fields, and whether it is set.
func (r Rule) Fields() (fieldspec.Spec, bool) {
	s, ok := r.Get(OptionFields)
	return s.fields, ok
}

// String returns the rule in the form of a directive, without `# cache=`.
func (r Rule) String() string {
	parts := make([]string, len(r.settings))
	for i, s := range r.settings {
		parts[i] = s.String()
	}
	return strings.Join(parts, ";")
}

// String returns the setting as it is written in a directive: `name` or
// `name=value`.
func (s Setting) String() string {
	if s.Text == "" {
		return string(s.Option)
	}
	text := s.Text
	if list := s.Option.row().items; list != nil {
		if items := list(s); len(items) > 0 { // args=none has none
			for i, item := range items {
				items[i] = encode(item)
			}
			text = strings.Join(items, ",")
		}
	}
	return string(s.Option) + "=" + text
}

func keyItems(s Setting) []string {
	out := make([]string, len(s.keys))
	for i, k := range s.keys {
		out[i] = k.String()
	}
	return out
}

func argItems(s Setting) []string { return slices.Clone(s.args.Names) }

func fieldItems(s Setting) []string { return s.fields.Items() }

// encode percent-encodes what has a meaning in a directive, and what is not
// printable.
func encode(text string) string {
	var b strings.Builder
	for i := range len(text) {
		if c := text[i]; c <= ' ' || c == 0x7f || strings.IndexByte("%,;|", c) >= 0 {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// with returns the rule with one setting more, which replaces one of its name.
func (r Rule) with(s Setting) Rule {
	out := make([]Setting, 0, len(r.settings)+1)
	for _, o := range r.settings {
		if o.Option != s.Option {
			out = append(out, o)
		}
	}
	out = append(out, s)
	slices.SortFunc(out, func(a, b Setting) int { return optionIndex(a.Option) - optionIndex(b.Option) })
	return Rule{settings: out}
}

// opposed reports whether two options exclude each other.
func opposed(a, b Option) bool {
	return a == OptionOff && b.row().needsKey || b == OptionOff && a.row().needsKey
}

// over returns the settings of r and, below them, those of lower for which keep
// says yes. A setting of r replaces the one of the same name and those it is
// opposed to; default in r replaces all.
func (r Rule) over(lower Rule, keep func(Setting) bool) Rule {
	out := Rule{}
	if !r.Has(OptionDefault) {
		for _, s := range lower.settings {
			replaced := slices.ContainsFunc(r.settings, func(t Setting) bool {
				return t.Option == s.Option || opposed(t.Option, s.Option)
			})
			if !replaced && keep(s) {
				out = out.with(s)
			}
		}
	}
	for _, s := range r.settings {
		out = out.with(s)
	}
	return out
}

// Inherit returns the rule in effect for a step with rule r in a stage whose FROM
// carries the rule stage. Options that the instruction (such as RUN) does not
// take are not inherited, an option of r replaces the stage's, off and the
// options that it makes pointless (ttl, key, base) replace each other, and
// default in r clears the stage's defaults.
func (r Rule) Inherit(stage Rule, instruction string) Rule {
	lower := Rule{}
	for _, s := range stage.settings {
		if s.Origin.Kind == OriginRule {
			s.Origin.Kind = OriginStageRule
		}
		lower.settings = append(lower.settings, s)
	}
	return r.over(lower, func(s Setting) bool { return s.Option.Takes(instruction) })
}

// ArgFilter is the value of args: the names of the ARGs that reach a command.
// The zero value lets none through (args=none).
type ArgFilter struct {
	Names []string // sorted
}

// Allows reports whether the ARG of that name reaches the command.
func (f ArgFilter) Allows(name string) bool { return slices.Contains(f.Names, name) }

// String returns the value as it is written in a directive.
func (f ArgFilter) String() string {
	if len(f.Names) == 0 {
		return "none"
	}
	return strings.Join(f.Names, ",")
}
