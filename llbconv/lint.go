package llbconv

import (
	"context"

	"slices"

	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/subrequests/lint"
	"github.com/moby/buildkit/solver/pb"
	"github.com/pkg/errors"

	"github.com/cachewright/cachewright/llbconv/internal/position"
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
	if _, err := decide(ctx, dt, opt); err != nil {
		res.Error = &lint.BuildError{Message: err.Error()}
		var located *parser.LocationError
		if errors.As(err, &located) {
			res.Error.Location.SourceIndex = int32(source)
			res.Error.Location.Ranges = position.PB(position.Merge(slices.Concat(located.Locations...)))
		}
	}
	return res
}

// PBRanges returns the lines of a parsed instruction as BuildKit's API has them.
func PBRanges(at []parser.Range) []*pb.Range { return position.PB(at) }
