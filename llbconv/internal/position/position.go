// Package position converts positions in a Dockerfile between the forms that the
// parser, BuildKit's API and the cache rules have: ranges, protobuf messages, lines.
package position

import (
	"cmp"

	"slices"

	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/solver/pb"
	"github.com/pkg/errors"
)

// PB returns the lines of a parsed instruction as BuildKit's API has them.
func PB(at []parser.Range) []*pb.Range {
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

// With gives an error a position unless it has one.
func With(err error, at []parser.Range) error {
	if err == nil {
		return nil
	}
	var has *parser.LocationError
	if errors.As(err, &has) {
		return err
	}
	return parser.WithLocation(err, at)
}

// Span returns the first and last line of a position, 0 and 0 if it is empty.
func Span(at []parser.Range) (first, last int) {
	for i, r := range at {
		if i == 0 || r.Start.Line < first {
			first = r.Start.Line
		}
		last = max(last, r.End.Line)
	}
	return first, last
}

// Line returns the position of a whole line, counted from 1; nil for 0, which is none.
func Line(line int) []parser.Range {
	if line == 0 {
		return nil
	}
	at := parser.Position{Line: line}
	return []parser.Range{{Start: at, End: at}}
}

// Merge joins ranges that share a line and sorts them.
func Merge(ranges []parser.Range) []parser.Range {
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

// Location returns a position as the subrequests' results have it, nil for none.
func Location(at []parser.Range) *pb.Location {
	if len(at) == 0 {
		return nil
	}
	return &pb.Location{Ranges: PB(at)}
}
