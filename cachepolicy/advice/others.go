package advice

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cachewright/cachewright/cachepolicy"
	"github.com/cachewright/cachewright/cachepolicy/cacheplan"
	"github.com/cachewright/cachewright/cachepolicy/internal/phrase"
)

// minIdleBuilds is how many builds have to be recorded for a result to count as one that
// is never used again.
const minIdleBuilds = 10

// others returns what the simulation says nothing about: it promises nothing.
func (s *situation) others() []Suggestion {
	return append(s.exported(), s.emulated()...)
}

// exported finds the commands whose results a remote cache keeps, although each build
// made another one.
func (s *situation) exported() []Suggestion {
	builds := len(s.history.states)
	if !s.project.Remote || builds < minIdleBuilds {
		return nil
	}
	var lines []string
	next := *s
	text := linesOf(s.dockerfile)
	for i := range slices.Backward(s.reading.Instructions) {
		in := &s.reading.Instructions[i]
		step := s.step(in)
		if in.Keyword != "RUN" || step == nil || s.tally[nameOf(step)].certain < builds || step.Setting(cachepolicy.OptionExport).Option != "" {
			continue
		}
		text = text.above(in, "# cache="+string(cachepolicy.OptionExport)+"=no")
		lines = slices.Insert(lines, 0, s.at(in))
	}
	if len(lines) == 0 {
		return nil
	}
	next.dockerfile = text.String()
	if _, err := s.project.Read(next.dockerfile); err != nil {
		return nil
	}
	return []Suggestion{{
		Kind: KindExport,
		Seen: fmt.Sprintf("the results of %s were used again in none of %s", list(lines), phrase.Count(builds, "build")),
		Do:   "# cache=export=no above them, so that they are not uploaded",
		If:   "new builders seldom build again what another one has built", Patch: s.patch(&next),
	}}
}

// emulated finds stages that run commands under emulation and of which others only take
// files.
func (s *situation) emulated() []Suggestion {
	var out []Suggestion
	for i := range s.reading.Instructions {
		in := &s.reading.Instructions[i]
		if in.Keyword != "FROM" || slices.ContainsFunc(in.Flags, func(f string) bool { return strings.HasPrefix(f, "--platform") }) {
			continue
		}
		ran := s.emulatedRuns(in.Stage)
		if ran < minSaved || !s.onlyCopied(in.Stage) {
			continue
		}
		out = append(out, Suggestion{
			Kind: KindPlatform, Line: s.line(in),
			Seen:    fmt.Sprintf("commands of the stage %s ran %d times for %s on %s, and others only copy files from it", s.at(in), ran, s.project.Plan.Platform, s.project.BuildPlatform),
			Do:      "FROM --platform=$BUILDPLATFORM",
			If:      "these files are the same for all platforms, or made for $TARGETPLATFORM",
			Changes: "the files are those that the builder's own platform makes",
		})
	}
	return out
}

// emulatedRuns counts the runs of a stage's commands on another platform than the
// builder's.
func (s *situation) emulatedRuns(stage int) int {
	n := 0
	for i := range s.reading.Plan.Steps {
		step := &s.reading.Plan.Steps[i]
		foreign := slices.ContainsFunc(step.Inputs, func(in cachepolicy.Input) bool {
			return in.Kind == cachepolicy.InputPlatform && s.project.BuildPlatform != "" && in.Value != s.project.BuildPlatform
		})
		if step.ID.StageIndex == stage && step.ID.Instruction == "RUN" && foreign {
			n += s.tally[nameOf(step)].certain
		}
	}
	return n
}

// onlyCopied reports whether steps of other stages take files of a stage, and none
// starts from it. The last step of the build is that of what ships.
func (s *situation) onlyCopied(stage int) bool {
	steps := s.reading.Plan.Steps
	copied := false
	for i := range steps {
		if steps[i].ID.StageIndex == stage {
			if i == len(steps)-1 {
				return false
			}
			continue
		}
		for _, f := range steps[i].Follows {
			switch {
			case f.Step < 0 || steps[f.Step].ID.StageIndex != stage:
			case f.By != cacheplan.ByContent:
				return false
			default:
				copied = true
			}
		}
	}
	return copied
}
