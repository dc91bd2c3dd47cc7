package llbconv

import (
	"strconv"
	"strings"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerfile/shell"
	"github.com/moby/buildkit/solver/pb"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/pkg/errors"
)

// keyCommand is the description under which a vertex carries its instruction.
const keyCommand = "com.docker.dockerfile.v1.command"

// keyCustomName is the description that the daemon shows as the vertex's name.
const keyCustomName = "llb.customname"

// maxNotedTitle is how many characters of a step's text stand before a note: on a
// terminal what follows a long text is cut off.
const maxNotedTitle = 60

// noted is a step's text with a note behind it.
func noted(title, note string) string {
	if note == "" {
		return title
	}
	title, _, more := strings.Cut(title, "\n")
	runes := []rune(title)
	if more || len(runes) > maxNotedTitle {
		title = string(runes[:min(len(runes), maxNotedTitle-1)]) + "…"
	}
	return title + "  ← " + note
}

// stepPrefix counts a step of the stage and returns what precedes its text:
// "[linux/amd64->arm64 build 2/5] ONBUILD ". It is empty in a stage without steps.
func (s *stage) stepPrefix(c *conversion, onBuild bool, platform *ocispecs.Platform, env shell.EnvGetter) string {
	if s.total == 0 {
		return ""
	}
	s.number++
	prefix := "["
	if c.opt.Config.MultiPlatformRequested && platform != nil {
		prefix += platforms.FormatAll(*platform) + crossTarget(*platform, env) + " "
	}
	if s.label != "" {
		prefix += s.label + " "
	}
	number, total := strconv.Itoa(s.number), strconv.Itoa(s.total)
	prefix += strings.Repeat(" ", max(0, len(total)-len(number))) + number + "/" + total + "] "
	if onBuild {
		prefix += "ONBUILD "
	}
	return prefix
}

// crossTarget is the suffix that names the platform a step compiles for, taken
// from the TARGET* variables that the step sees; empty if it is the step's own.
func crossTarget(base ocispecs.Platform, env shell.EnvGetter) string {
	target, ok := targetFromEnv(env)
	if !ok {
		return ""
	}
	if target.OS == "" {
		target.OS = base.OS
	}
	if target.Architecture == "" {
		target.Architecture = base.Architecture
	}
	target = platforms.Normalize(target)
	switch {
	case target.OS != base.OS:
		return "->" + platforms.FormatAll(target)
	case target.Architecture == base.Architecture:
		return ""
	case target.Variant != "":
		return "->" + target.Architecture + "/" + target.Variant
	default:
		return "->" + target.Architecture
	}
}

// targetFromEnv reads the platform in TARGETPLATFORM or else in its parts.
func targetFromEnv(env shell.EnvGetter) (p ocispecs.Platform, ok bool) {
	if env == nil {
		return p, false
	}
	if v, set := env.Get("TARGETPLATFORM"); set {
		if p, err := platforms.Parse(v); err == nil {
			return p, true
		}
	}
	for name, field := range map[string]*string{"TARGETOS": &p.OS, "TARGETARCH": &p.Architecture, "TARGETVARIANT": &p.Variant} {
		if v, set := env.Get(name); set {
			*field, ok = v, true
		}
	}
	return p, ok
}

// commandDescription attaches an instruction's text to a vertex.
func commandDescription(text string) llb.ConstraintsOpt {
	return llb.WithDescription(map[string]string{keyCommand: text})
}

// PBRanges returns the lines of a parsed instruction as BuildKit's API has them.
func PBRanges(at []parser.Range) []*pb.Range {
	type span struct {
		rng   pb.Range
		start pb.Position
	}
	spans := make([]span, len(at)) // most have one line: one allocation for all of it
	out := make([]*pb.Range, len(at))
	for i, r := range at {
		s := &spans[i]
		s.start.Line, s.start.Character = int32(r.Start.Line), int32(r.Start.Character)
		s.rng.Start, s.rng.End = &s.start, &s.start // the parser gives every line a range of its own
		if r.End != r.Start {
			s.rng.End = &pb.Position{Line: int32(r.End.Line), Character: int32(r.End.Character)}
		}
		out[i] = &s.rng
	}
	return out
}

// located gives an error a position unless it has one.
func located(err error, at []parser.Range) error {
	if err == nil {
		return nil
	}
	var has *parser.LocationError
	if errors.As(err, &has) {
		return err
	}
	return parser.WithLocation(err, at)
}

// lineSpan returns the first and last line of a position, 0 and 0 if it is empty.
func lineSpan(at []parser.Range) (first, last int) {
	for i, r := range at {
		if i == 0 || r.Start.Line < first {
			first = r.Start.Line
		}
		last = max(last, r.End.Line)
	}
	return first, last
}
