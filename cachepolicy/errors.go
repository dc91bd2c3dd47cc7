package cachepolicy

import (
	"fmt"
	"strings"
)

// Error says what is wrong with a cache rule and what to write instead.
type Error struct {
	// Line is the Dockerfile line (from 1) of the directive, 0 when the rule was
	// not written in the Dockerfile.
	Line int
	// BuildArg is the build argument the rule was given with, or empty.
	BuildArg string
	// Option is the rule option at fault, or empty when the whole rule is.
	Option Option
	// Message says what was wrong and what to write.
	Message string
	// Suggestion is the nearest thing that would have been right, or empty.
	Suggestion string
}

// Error returns one line: where, which option, what was wrong, what was probably
// meant. The line number is part of it.
func (e *Error) Error() string {
	var b strings.Builder
	switch {
	case e.BuildArg != "":
		fmt.Fprintf(&b, "build argument %s: ", e.BuildArg)
	case e.Line > 0:
		fmt.Fprintf(&b, "cache rule on line %d: ", e.Line)
	default:
		b.WriteString("cache rule: ")
	}
	if e.Option != "" {
		fmt.Fprintf(&b, "option %s: ", e.Option)
	}
	b.WriteString(e.Message)
	if e.Suggestion != "" {
		fmt.Fprintf(&b, " (did you mean %s?)", e.Suggestion)
	}
	return b.String()
}

// at returns e as an error about a rule that was written at o.
func (e *Error) at(o Origin) *Error {
	if o.Kind == OriginOverride {
		e.BuildArg = ArgRules
	} else {
		e.Line = o.Line
	}
	return e
}

// Errorf returns an error about a setting, where it was written. The message says
// what was wrong and what to write instead.
func (s Setting) Errorf(format string, args ...any) *Error {
	return (&Error{Option: s.Option, Message: fmt.Sprintf(format, args...)}).at(s.Origin)
}
