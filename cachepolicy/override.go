package cachepolicy

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/docker/go-units"

	"github.com/cachewright/cachewright/cachepolicy/internal/phrase"
)

// Overrides are what whoever runs the build says about cache rules.
type Overrides struct {
	// Disabled: no directive of the Dockerfile counts, nor is it even read.
	Disabled bool
	// Rules add to or replace the Dockerfile's rules, later ones winning.
	Rules []SelectorRule
	// Now is the clock for ttl, or nil for the real one.
	Now *time.Time
	// ExplainOff: do not say why steps re-run.
	ExplainOff bool
	// MountsMax is how many bytes the files of a cache mount have at most for its
	// contents to travel.
	MountsMax int64
	// Share: what travels with the cache that the build exports.
	Share Share
	// Summary: say in a line after the build what it came to.
	Summary bool
	// Expect is what --call=cache-assert expects; explain.ParseExpectations reads it.
	Expect SettingValue
}

// Share says what of a builder's memory travels with the cache.
type Share string

// What can travel.
const (
	ShareAuto   Share = "auto"   // digests of the values of variables
	ShareValues Share = "values" // the values too, as far as they may be shown
	ShareOff    Share = "off"    // nothing
)

// DefaultMountsMax is MountsMax where nobody says something else.
const DefaultMountsMax = 2_000_000_000

// SelectorRule is a rule for the steps that a selector picks.
type SelectorRule struct {
	Selector Selector
	Rule     Rule
	// Line is that of the ARG it is written in, 0 for the build argument.
	Line int
}

func (o *Overrides) readRules(v SettingValue) *Error {
	if v.Text == "off" {
		o.Disabled = true
		return nil
	}
	for _, part := range strings.Split(v.Text, "|") {
		part = strings.Trim(part, " \t\r\n")
		if part == "" {
			return &Error{Message: "a | separates two rules, but only one side of it has one; write SELECTOR: OPTIONS | SELECTOR: OPTIONS"}
		}
		r, err := parseSelectorRule(part, v.Line)
		if err != nil {
			return err
		}
		o.Rules = append(o.Rules, r)
	}
	return nil
}

func parseSelectorRule(text string, line int) (SelectorRule, *Error) {
	left, right, ok := strings.Cut(text, ":")
	if !ok {
		return SelectorRule{}, &Error{Message: fmt.Sprintf("%q has no colon; write off, or SELECTOR: OPTIONS [| SELECTOR: OPTIONS…], such as install/2: ttl=1h", text)}
	}
	sel, err := parseSelector(strings.TrimSpace(left))
	if err != nil {
		return SelectorRule{}, err
	}
	rule, err := parseRule(Rule{}, strings.TrimSpace(right), Origin{Kind: OriginOverride, Line: line, Name: sel.text})
	if first, second, ok := twoRules(right); err != nil && ok {
		return SelectorRule{}, &Error{Message: fmt.Sprintf("%q has more than one rule; separate them with |: %s: %s | %s", text, sel, first, second)}
	}
	if err != nil {
		err.Message = fmt.Sprintf("for %s: %s", sel, err.Message)
		return SelectorRule{}, err
	}
	return SelectorRule{Selector: sel, Rule: rule, Line: line}, nil
}

// ruleSeparators are what people put between two rules besides a |.
const ruleSeparators = ",;& \t\r\n"

// twoRules splits the options of an override that go on with the selector and the
// options of another one, and reports whether they do.
func twoRules(options string) (first, second string, ok bool) {
	for i, c := range options {
		if c != ':' {
			continue
		}
		start := strings.LastIndexAny(options[:i], ruleSeparators) + 1
		next := strings.TrimLeft(options[i+1:], " \t")
		next = next[:len(next)-len(strings.TrimLeftFunc(next, func(r rune) bool { return !strings.ContainsRune(ruleSeparators, r) }))]
		_, noSelector := parseSelector(options[start:i])
		_, noSetting := parseSetting(next, Origin{})
		if start > 0 && noSelector == nil && noSetting == nil {
			return strings.Trim(options[:start], ruleSeparators), strings.TrimSpace(options[start:]), true
		}
	}
	return "", "", false
}

func (o *Overrides) readNow(v SettingValue) *Error {
	value := v.Text
	var t time.Time
	if n, err := strconv.ParseInt(value, 10, 64); err == nil {
		t = time.Unix(n, 0).UTC()
		// Compared in seconds, since the year of a distant time overflows.
		if n < minUnix || n > maxUnix {
			return &Error{Message: fmt.Sprintf("%s seconds are outside the years 1 to 9999", value)}
		}
	} else if t, err = time.Parse(time.RFC3339, value); err != nil {
		return &Error{Message: fmt.Sprintf("%q is not a time; write Unix seconds or RFC 3339, such as 2026-05-17T06:00:00Z", value)}
	}
	t = t.UTC()
	o.Now = &t
	return nil
}

// The clock's range in Unix seconds: the years 1 to 9999.
const (
	minUnix = -62135596800
	maxUnix = 253402300799
)

func (o *Overrides) readExplain(v SettingValue) *Error {
	value := v.Text
	o.ExplainOff, o.Summary = value == "off", value == "summary"
	return oneOf(value, "auto", "off", "summary")
}

func (o *Overrides) readShare(v SettingValue) *Error {
	o.Share = Share(v.Text)
	return oneOf(v.Text, string(ShareAuto), string(ShareValues), string(ShareOff))
}

// oneOf returns the error of a value that is none of some.
func oneOf(value string, values ...string) *Error {
	if slices.Contains(values, value) {
		return nil
	}
	last := len(values) - 1
	return &Error{
		Message:    fmt.Sprintf("%q is not a value it takes; write %s or %s", value, strings.Join(values[:last], ", "), values[last]),
		Suggestion: phrase.Nearest(value, values),
	}
}

func (o *Overrides) readMountsMax(v SettingValue) *Error {
	size, err := units.FromHumanSize(v.Text)
	if err != nil || size < 0 {
		return &Error{Message: fmt.Sprintf("%q is not a size; write such as 500MB or 2GB", v.Text)}
	}
	o.MountsMax = size
	return nil
}

func (o *Overrides) readExpect(v SettingValue) *Error {
	o.Expect = v
	return nil
}

// Apply returns the rule in effect for a step: r, which the Dockerfile gives it,
// under the overrides whose selectors pick it. An option of an override replaces
// the same option and those that it is opposed to (off against ttl, key, base);
// default clears what the Dockerfile says. Options that the step's instruction
// does not take are left out; Check tells when that leaves nothing.
func (o Overrides) Apply(id StepID, r Rule) Rule {
	for _, sr := range o.Rules {
		if !sr.Selector.Matches(id) {
			continue
		}
		var upper Rule
		for _, s := range sr.Rule.settings {
			if s.Option.takesStep(id.Instruction) {
				upper = upper.with(s)
			}
		}
		r = upper.over(r, func(Setting) bool { return true })
	}
	return r
}

// Warning is what is wrong with overrides without being an error.
type Warning struct {
	Text string
	// Line is that of the ARG they are written in, 0 for the build argument.
	Line int
}

// Check looks at the overrides in the light of all steps of the build. It
// returns a warning for each selector that picks none, and an error (*Error) for
// an option that no picked step takes.
func (o Overrides) Check(steps []StepID) (warnings []Warning, err error) {
	selectors := make([]Selector, len(o.Rules))
	line := 0
	for i, sr := range o.Rules {
		selectors[i] = sr.Selector
		line = sr.Line
		if err := sr.check(steps); err != nil {
			return nil, err
		}
	}
	for _, w := range Unmatched(selectors, steps) {
		warnings = append(warnings, Warning{Text: ArgRules + ": " + w, Line: line})
	}
	return warnings, nil
}

// takesStep reports whether the option means something on a step of its own; a
// rule on FROM is about other steps.
func (o Option) takesStep(instruction string) bool {
	return instruction != "FROM" && o.Takes(instruction)
}

// steps returns the instructions that the option means something on.
func (o Option) steps() []string {
	all := slices.Clone(optionRows[optionIndex(o)].instructions)
	return slices.DeleteFunc(all, func(k string) bool { return k == "FROM" })
}

// check returns the error of an option that the picked steps do not take.
func (sr SelectorRule) check(steps []StepID) error {
	var matched []string
	taken := map[Option]bool{}
	for _, id := range steps {
		if !sr.Selector.Matches(id) {
			continue
		}
		if !slices.Contains(matched, id.Instruction) {
			matched = append(matched, id.Instruction)
		}
		for _, s := range sr.Rule.settings {
			taken[s.Option] = taken[s.Option] || s.Option.takesStep(id.Instruction)
		}
	}
	if len(matched) == 0 {
		return nil
	}
	for _, s := range sr.Rule.settings {
		if !taken[s.Option] {
			return s.Errorf("%s picks only %s, which does not take it; as an override it is for %s",
				sr.Selector, enumerate(matched), enumerate(s.Option.steps()))
		}
	}
	return nil
}
