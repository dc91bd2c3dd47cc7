package frontend

import (
	"context"

	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/errdefs"
	"github.com/moby/buildkit/solver/pb"
	"github.com/pkg/errors"

	"github.com/cachewright/cachewright/llbconv"
)

// withSource adds the Dockerfile and the lines that err is about, so that the
// client can show them: one errdefs.Source for each location of a
// parser.LocationError. Other errors are returned as they are.
func (b *build) withSource(err error) error {
	var located *parser.LocationError
	if !errors.As(err, &located) {
		return err
	}
	for _, ranges := range located.Locations {
		err = b.markLines(err, ranges)
	}
	return err
}

func (b *build) markLines(err error, ranges []parser.Range) error {
	return errdefs.WithSource(err, &errdefs.Source{
		Info: &pb.SourceInfo{
			Data:       b.src.Data,
			Filename:   b.src.Filename,
			Language:   b.src.Language,
			Definition: b.src.Definition.ToPB(),
		},
		Ranges: llbconv.PBRanges(ranges),
	})
}

// warn returns a function that reports findings of the build checks as warnings
// of the vertex that loaded the Dockerfile.
func (b *build) warn(ctx context.Context) linter.LintWarnFunc {
	return func(rule, description, url, message string, location []parser.Range) {
		line := 0
		if len(location) > 0 {
			line = location[0].Start.Line
		}
		b.src.Warn(ctx, linter.LintFormatShort(rule, message, line), client.WarnOpts{
			Level:  1,
			Detail: [][]byte{[]byte(description)},
			URL:    url,
			Range:  llbconv.PBRanges(location),
		})
	}
}
