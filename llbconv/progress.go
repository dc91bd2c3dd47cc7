package llbconv

import (
	"strconv"
	"strings"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerfile/shell"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

// keyCommand is the description under which a vertex carries its instruction.
const keyCommand = "com.docker.dockerfile.v1.command"

// nameWidth is how many bytes of a name buildx shows on a terminal of 80 columns, in
// front of it " => CACHED ", behind it a blank and a time of less than 1,000 seconds.
const nameWidth = 80 - len(" => CACHED ") - len("  999.9s ")

// noted is the name of a step with a note: behind it if a terminal shows both, else
// in front of the instruction, whose end is then what a terminal cuts off.
func noted(prefix, title, note string) string {
	if note == "" {
		return prefix + title
	}
	behind := prefix + title + "  ← " + note
	if len(behind) <= nameWidth && !strings.Contains(title, "\n") {
		return behind
	}
	number, rest, ok := strings.Cut(prefix, "] ")
	if !ok {
		return "← " + note + " · " + prefix + title
	}
	return number + "] ← " + note + " · " + rest + title
}

// stepPrefix returns what precedes the text of a step by its number in the stage:
// "[linux/amd64->arm64 build 2/5] ONBUILD ". It is empty in a stage without steps.
func (c *conversion) stepPrefix(s *stage, number int, onBuild bool, platform *ocispecs.Platform, env shell.EnvGetter) string {
	if s.total == 0 {
		return ""
	}
	prefix := "["
	if c.opt.Config.MultiPlatformRequested && platform != nil {
		prefix += platforms.FormatAll(*platform) + crossTarget(*platform, env) + " "
	}
	if s.label != "" {
		prefix += s.label + " "
	}
	n, total := strconv.Itoa(number), strconv.Itoa(s.total)
	prefix += strings.Repeat(" ", max(0, len(total)-len(n))) + n + "/" + total + "] "
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
