package cachepolicy

import (
	"fmt"
	"strings"
)

// Error says what is wrong with a cache rule and what to write instead.
type Error struct {
	// Line is the Dockerfile line (from 1) of the directive, or of the ARG that gives
	// BuildArg a default; 0 when it was not written in the Dockerfile.
	Line int
	// BuildArg is the build argument the rule or setting was given with, or empty.
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
	case e.BuildArg != "" && e.Line > 0:
		fmt.Fprintf(&b, "ARG %s on line %d: ", e.BuildArg, e.Line)
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
	return b.String() + e.Message + e.suggested()
}

// suggested is the end of the text.
func (e *Error) suggested() string {
	if e.Suggestion == "" {
		return ""
	}
	return fmt.Sprintf(" (did you mean %s?)", e.Suggestion)
}

// At returns e as an error about a rule that was written at o.
func (e *Error) At(o Origin) *Error {
	e.Line = o.Line
	if o.Kind == OriginOverride {
		e.BuildArg = ArgRules
	}
	return e
}

// Errorf returns an error about a setting, where it was written. The message says
// what was wrong and what to write instead.
func (s Setting) Errorf(format string, args ...any) *Error {
	return (&Error{Option: s.Option, Message: fmt.Sprintf(format, args...)}).At(s.Origin)
}
