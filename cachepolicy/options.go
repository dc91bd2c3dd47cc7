package cachepolicy

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/cachewright/cachewright/cachepolicy/fieldspec"
	"github.com/cachewright/cachewright/cachepolicy/internal/phrase"
)

// optionRow says where an option may stand, how its value is read and written, and
// what it does to a key.
type optionRow struct {
	name         Option
	instructions []string
	// value is how the value is written, for messages; empty: takes none.
	value string
	// fixed is the only value there is, when there is only one.
	fixed string
	read  func(s *Setting, raw string) *Error
	// items returns the items of a value that is a list.
	items func(s Setting) []string
	// effect is what the option does to a key.
	effect Effect
	// needsKey: it is pointless beside off, with which a step runs whatever its key.
	needsKey bool
}

// Effect is what an option does to the key of a step.
type Effect int

// What an option can do to a key.
const (
	EffectInputs     Effect = iota // it says what is in the key
	EffectComparison               // how a key is compared: the same result is found either way
	EffectNone                     // nothing
)

// optionRows lists the options in the order in which rules are printed.
var optionRows = []optionRow{
	{name: OptionOff, instructions: []string{"RUN", "FROM"}},
	{name: OptionTTL, instructions: []string{"RUN", "FROM"}, value: "DURATION, such as 24h, 7d, daily or weekly@mon", read: readTTL, needsKey: true},
	{name: OptionKey, instructions: []string{"RUN", "FROM"}, value: "SOURCE[,SOURCE…], " + sourceForms, read: readKeys, items: keyItems, needsKey: true},
	{name: OptionArgs, instructions: []string{"RUN", "FROM"}, value: "none or ARG[,ARG…]", read: readArgs, items: argItems},
	{name: OptionBase, instructions: []string{"RUN", "FROM"}, value: "content", fixed: "content", effect: EffectComparison, needsKey: true},
	{name: OptionExport, instructions: []string{"RUN", "COPY", "ADD", "FROM"}, value: "no", fixed: "no"},
	{name: OptionFields, instructions: []string{"COPY", "ADD"}, value: "PRESET or FIELD[,FIELD…], where a preset is one of " + strings.Join(fieldspec.Presets(), ", "), read: readFields, items: fieldItems},
	{name: OptionModes, instructions: []string{"COPY", "ADD"}, value: "ignore", fixed: "ignore", effect: EffectComparison},
	{name: OptionMounts, instructions: []string{"RUN", "FROM"}, value: "share", fixed: "share", effect: EffectNone},
	{name: OptionDefault, instructions: []string{"RUN", "COPY", "ADD"}, effect: EffectNone},
}

func optionIndex(o Option) int {
	return slices.IndexFunc(optionRows, func(r optionRow) bool { return r.name == o })
}

// row returns the option's row, or an empty one for an option of a newer version.
func (o Option) row() optionRow {
	if i := optionIndex(o); i >= 0 {
		return optionRows[i]
	}
	return optionRow{}
}

func optionNames() []string {
	names := make([]string, len(optionRows))
	for i, o := range optionRows {
		names[i] = string(o.name)
	}
	return names
}

// Takes reports whether the option may be set on an instruction, given by its
// upper-case keyword. On FROM it is the default of the stage's steps.
func (o Option) Takes(instruction string) bool {
	return slices.Contains(o.row().instructions, instruction)
}

// Effect returns what the option does to the key of a step.
func (o Option) Effect() Effect { return o.row().effect }

// parseRule adds the options in text to r: `name[=value];…`, the part of a directive
// after `# cache=`. The origin is recorded in every setting.
func parseRule(r Rule, text string, origin Origin) (Rule, *Error) {
	if strings.TrimSpace(text) == "" {
		return r, &Error{Message: "no option; write one of " + strings.Join(optionNames(), ", ")}
	}
	if i := strings.IndexFunc(text, isBlank); i >= 0 {
		return r, &Error{Message: fmt.Sprintf("blank before %q; a rule has none: write %%20 inside a value, and a remark on a line of its own",
			strings.TrimLeftFunc(text[i:], isBlank))}
	}
	for _, part := range strings.Split(text, ";") {
		s, err := parseSetting(part, origin)
		if err != nil {
			return r, err
		}
		if r, err = r.add(s); err != nil {
			return r, err
		}
	}
	return r, nil
}

// add returns r with s, which must not be set yet nor contradict what is set.
func (r Rule) add(s Setting) (Rule, *Error) {
	for _, o := range r.settings {
		switch {
		case o.Option == s.Option && s.Option == OptionKey:
			return r, &Error{Option: s.Option, Message: fmt.Sprintf("already set%s; write one list: key=SOURCE,SOURCE", onLine(o.Origin, s.Origin))}
		case o.Option == s.Option:
			return r, &Error{Option: s.Option, Message: fmt.Sprintf("already set%s; keep one of the two", onLine(o.Origin, s.Origin))}
		case opposed(o.Option, s.Option):
			return r, &Error{Option: s.Option, Message: fmt.Sprintf("contradicts %s%s: with off the step runs in every build, whatever its key; keep one of the two",
				o.Option, onLine(o.Origin, s.Origin))}
		}
	}
	return r.with(s), nil
}

// onLine says on which line an earlier setting stands, if that is another one.
func onLine(earlier, here Origin) string {
	if earlier.Line == 0 || earlier.Line == here.Line {
		return ""
	}
	return fmt.Sprintf(" on line %d", earlier.Line)
}

// parseSetting reads one `name` or `name=value`.
func parseSetting(part string, origin Origin) (Setting, *Error) {
	name, raw, hasValue := strings.Cut(part, "=")
	if part == "" {
		return Setting{}, &Error{Message: "empty option; options are separated by one semicolon"}
	}
	i := optionIndex(Option(name))
	if i < 0 {
		return Setting{}, unknownOption(name, part)
	}
	info := optionRows[i]
	s := Setting{Option: info.name, Origin: origin}
	switch {
	case info.value == "" && hasValue:
		return s, &Error{Option: info.name, Message: fmt.Sprintf("takes no value; write %s", info.name)}
	case info.value == "":
		return s, nil
	case raw == "":
		return s, &Error{Option: info.name, Message: fmt.Sprintf("needs a value: %s=%s", info.name, info.value)}
	case info.fixed != "":
		if raw != info.fixed {
			return s, &Error{Option: info.name, Message: fmt.Sprintf("%q is not a value it takes; write %s=%s", raw, info.name, info.fixed)}
		}
		s.Text = info.fixed
		return s, nil
	}
	if err := info.read(&s, raw); err != nil {
		err.Option = info.name
		return s, err
	}
	return s, nil
}

// unknownOption explains a name that is no option. A value that stands alone,
// such as a duration, gets the option it belongs to.
func unknownOption(name, part string) *Error {
	e := &Error{Message: fmt.Sprintf("unknown option %q; options are %s", name, strings.Join(optionNames(), ", "))}
	if _, err := ParseTTL(part); err == nil {
		e.Suggestion = "ttl=" + part
		return e
	}
	e.Suggestion = phrase.Nearest(name, optionNames())
	return e
}

func readTTL(s *Setting, raw string) *Error {
	text, err := decode(raw)
	if err != nil {
		return err
	}
	s.Text = text
	s.ttl, err = parseTTL(text)
	return err
}

func readKeys(s *Setting, raw string) *Error {
	items, err := decodeList(raw)
	if err != nil {
		return err
	}
	for _, item := range items {
		src, err := parseSource(item)
		if err != nil {
			return err
		}
		if slices.Contains(s.keys, src) {
			return &Error{Message: fmt.Sprintf("source %q is listed twice", src)}
		}
		s.keys = append(s.keys, src)
	}
	texts := make([]string, len(s.keys))
	for i, k := range s.keys {
		texts[i] = k.String()
	}
	s.Text = strings.Join(texts, ",")
	return nil
}

func readArgs(s *Setting, raw string) *Error {
	names, err := decodeList(raw)
	if err != nil {
		return err
	}
	if len(names) == 1 && names[0] == "none" {
		s.Text = s.args.String()
		return nil
	}
	for _, n := range names {
		switch {
		case n == "none":
			return &Error{Message: "none stands alone; write args=none or the names of the ARGs"}
		case !validArgName(n):
			return &Error{Message: fmt.Sprintf("%q is not the name of an ARG", n)}
		case slices.Contains(s.args.Names, n):
			return &Error{Message: fmt.Sprintf("%s is listed twice", n)}
		}
		s.args.Names = append(s.args.Names, n)
	}
	slices.Sort(s.args.Names)
	s.Text = s.args.String()
	return nil
}

func readFields(s *Setting, raw string) *Error {
	items, err := decodeList(raw)
	if err != nil {
		return err
	}
	spec, parseErr := fieldspec.Parse(items)
	if parseErr != nil {
		return &Error{Message: parseErr.Error()}
	}
	s.Text, s.fields = spec.String(), spec
	return nil
}

// validArgName reports whether name can be the name of a build argument.
func validArgName(name string) bool {
	return name != "" && !strings.ContainsFunc(name, func(r rune) bool {
		return r <= ' ' || r == '=' || r == 0x7f || r == '$' || r == '"' || r == '\''
	})
}

// decodeList splits a comma separated list and decodes its items.
func decodeList(raw string) ([]string, *Error) {
	parts := strings.Split(raw, ",")
	for i, p := range parts {
		item, err := decode(p)
		if err != nil {
			return nil, err
		}
		if item == "" {
			return nil, &Error{Message: "empty item in the list; items are separated by one comma"}
		}
		parts[i] = item
	}
	return parts, nil
}

// decode undoes percent-encoding.
func decode(raw string) (string, *Error) {
	text, err := url.PathUnescape(raw)
	if err != nil {
		return "", &Error{Message: fmt.Sprintf("%q has a percent sign that starts no code; write %%25 for a percent sign", raw)}
	}
	if strings.ContainsRune(text, 0) {
		return "", &Error{Message: fmt.Sprintf("%q has a zero byte", raw)}
	}
	return text, nil
}

func isBlank(r rune) bool { return r == ' ' || r == '\t' }
