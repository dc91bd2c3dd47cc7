package advice

import (
	"fmt"
	"strings"

	"github.com/cachewright/cachewright/cachepolicy"
	"github.com/cachewright/cachewright/cachepolicy/internal/phrase"
	"github.com/cachewright/cachewright/cachepolicy/record"
)

// modes returns a candidate for each COPY of local files of which nothing but permission
// bits changed in some builds.
func (s *situation) modes() []candidate {
	var out []candidate
	for i := range s.reading.Instructions {
		in := &s.reading.Instructions[i]
		step := s.step(in)
		if in.Keyword != "COPY" && in.Keyword != "ADD" || step == nil || len(step.Rule) > 0 || strings.Contains(strings.Join(in.Flags, " "), "--chmod") {
			continue
		}
		n := 0
		for _, input := range step.Inputs {
			if input.Kind == cachepolicy.InputFiles {
				n += s.onlyModes(input.Files)
			}
		}
		if n == 0 {
			continue
		}
		rule := "# cache=" + string(cachepolicy.OptionModes) + "=ignore"
		out = append(out, candidate{
			Suggestion: Suggestion{
				Kind: KindModes, Line: s.line(in),
				Seen:    fmt.Sprintf("only permission bits of the files of %s differed in %s", s.at(in), phrase.Count(n, "build")),
				Do:      rule + " above it",
				Changes: "the files are copied with the permissions u=rwX,go=rX",
			},
			dockerfile: linesOf(s.dockerfile).above(in, rule).String(), ignore: s.ignore,
		})
	}
	return out
}

// onlyModes counts the builds in which files of a set had other permission bits than
// before, and nothing else of them had changed.
func (s *situation) onlyModes(id string) int {
	set := s.reading.Plan.FileSet(id)
	if set == nil {
		return 0
	}
	n := 0
	for _, e := range s.history.entries {
		modes, others := 0, e.More
		for _, c := range e.Changes {
			switch {
			case c.Kind != record.ChangeFile || c.Context != set.Context || !selects(set, c.Name) || matchesAny(s.ignored, c.Name):
			case isModeChange(c):
				modes++
			default:
				others++
			}
		}
		if modes > 0 && others == 0 {
			n++
		}
	}
	return n
}

func isModeChange(c record.LogChange) bool {
	old, was := record.ParseFileState(c.Name, c.Old)
	now, is := record.ParseFileState(c.Name, c.New)
	return was && is && old.Digest == now.Digest && old.Mode.Type() == now.Mode.Type()
}
