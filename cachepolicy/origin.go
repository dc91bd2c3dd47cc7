package cachepolicy

import "fmt"

// OriginKind says what kind of place a rule option or a key input comes from.
type OriginKind string

// The places that a rule option or a key input can come from.
const (
	OriginLine      OriginKind = "line"       // an instruction of the Dockerfile
	OriginDefault   OriginKind = "default"    // the default value of an ARG
	OriginBuildArg  OriginKind = "build-arg"  // a build argument; Line is its ARG, if any
	OriginBaseImage OriginKind = "base-image" // the base image; Name is its reference
	OriginBuiltin   OriginKind = "built-in"   // the builder: platform, default PATH
	OriginContext   OriginKind = "context"    // a build context; Name if it has one
	OriginOption    OriginKind = "option"     // an option of the build, such as --network; Name is it
	OriginRule      OriginKind = "rule"       // a directive above the step
	OriginStageRule OriginKind = "stage-rule" // a directive above the stage's FROM
	OriginOverride  OriginKind = "override"   // CACHEWRIGHT_RULES; Name is the selector, Line the ARG of a default
)

// Origin is the place that a rule option or a key input comes from.
type Origin struct {
	Kind OriginKind `json:"kind"`
	// Line is the Dockerfile line, from 1, or 0 when there is none.
	Line int    `json:"line,omitempty"`
	Name string `json:"name,omitempty"`
}

// single reports whether a rule from there is meant for one step alone, so that it
// has to fit that step.
func (o Origin) single() bool {
	switch o.Kind {
	case OriginRule:
		return true
	case OriginOverride:
		s, err := ParseSelector(o.Name)
		return err == nil && s.single()
	case OriginLine, OriginDefault, OriginBuildArg, OriginBaseImage, OriginBuiltin, OriginContext, OriginOption, OriginStageRule:
		return false
	}
	return false
}

// String names the place in a few words, for a table or a sentence.
func (o Origin) String() string {
	switch o.Kind {
	case OriginLine:
		return fmt.Sprintf("line %d", o.Line)
	case OriginDefault:
		return fmt.Sprintf("default, line %d", o.Line)
	case OriginBuildArg:
		if o.Line == 0 {
			return "build argument"
		}
		return fmt.Sprintf("build argument, line %d", o.Line)
	case OriginBaseImage:
		return "base image"
	case OriginBuiltin:
		return "built in"
	case OriginContext:
		if o.Name == "" {
			return "build context"
		}
		return "context " + o.Name
	case OriginOption:
		return "option " + o.Name
	case OriginRule:
		return fmt.Sprintf("rule, line %d", o.Line)
	case OriginStageRule:
		return fmt.Sprintf("stage rule, line %d", o.Line)
	case OriginOverride:
		if o.Line == 0 {
			return "override " + o.Name
		}
		return fmt.Sprintf("override %s, line %d", o.Name, o.Line)
	}
	return string(o.Kind)
}
