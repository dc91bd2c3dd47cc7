package llbconv

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/subrequests/lint"
)

// Lint runs the build checks: on every stage, or with a target in opt.Config on
// those that it needs. A Dockerfile that cannot be converted is not a failure:
// the result says why. opt.SourceMap is required, opt.Warn is not used.
func Lint(ctx context.Context, dt []byte, opt Options) *lint.LintResults {
	res := &lint.LintResults{}
	source := res.AddSource(opt.SourceMap)
	opt.Warn = func(rule, description, url, message string, at []parser.Range) {
		res.AddWarning(rule, description, url, message, source, at)
	}
	opt.AllStages = opt.Config.Target == ""
	if _, _, err := decided(ctx, dt, opt); err != nil {
		res.Error = &lint.BuildError{Message: err.Error()}
		var located *parser.LocationError
		if errors.As(err, &located) {
			res.Error.Location.SourceIndex = int32(source)
			res.Error.Location.Ranges = PBRanges(mergeRanges(slices.Concat(located.Locations...)))
		}
	}
	return res
}

// mergeRanges joins ranges that share a line and sorts them.
func mergeRanges(ranges []parser.Range) []parser.Range {
	slices.SortStableFunc(ranges, func(a, b parser.Range) int {
		return cmp.Compare(a.Start.Line, b.Start.Line)
	})
	var out []parser.Range
	for _, r := range ranges {
		if n := len(out); n > 0 && r.Start.Line <= out[n-1].End.Line {
			out[n-1].End.Line = max(out[n-1].End.Line, r.End.Line)
			continue
		}
		out = append(out, r)
	}
	return out
}
