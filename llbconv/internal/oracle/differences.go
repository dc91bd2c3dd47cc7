package oracle

import (
	"regexp"
	"slices"
	"strings"

	"github.com/moby/buildkit/solver/pb"
	"google.golang.org/protobuf/proto"
)

// explain marks the differences that are deliberate with their row in
// docs/differences.md.
func explain(c *Case, upstream, ours *Outcome, diffs []Diff) {
	for i := range diffs {
		for _, row := range rows {
			if row.covers(c, upstream, ours, &diffs[i]) {
				diffs[i].Row = row.id
				break
			}
		}
	}
}

// row is a deliberate difference.
type row struct {
	id     string
	covers func(c *Case, upstream, ours *Outcome, d *Diff) bool
}

var rows = []row{
	{id: "onbuild-step-numbers", covers: func(_ *Case, _, _ *Outcome, d *Diff) bool {
		return d.want != nil && sameButNumber(d.want.Meta, d.got.Meta)
	}},
	{id: "first-bad-base", covers: func(_ *Case, upstream, ours *Outcome, d *Diff) bool {
		return strings.HasPrefix(d.Kind, "error") && badReference(upstream.Err) && badReference(ours.Err)
	}},
	{id: "lint-error-order", covers: func(_ *Case, upstream, ours *Outcome, d *Diff) bool {
		return d.Kind == "error" && upstream.Err != nil && ours.Err != nil && sortedRules(upstream.Err.Text) == ours.Err.Text
	}},
	{id: "located-errors", covers: func(_ *Case, upstream, ours *Outcome, d *Diff) bool {
		return d.Kind == "error position" && upstream.Err.Locations == nil && ours.Err.Locations != nil
	}},
}

// sameButNumber tells whether metadata differs in the number of the step only.
func sameButNumber(want, got *pb.OpMetadata) bool {
	strip := func(m *pb.OpMetadata) *pb.OpMetadata {
		m = m.CloneVT()
		m.Description["llb.customname"] = stepNumber.ReplaceAllString(m.Description["llb.customname"], "[$1")
		if pg := m.ProgressGroup; pg != nil {
			pg.Name = stepNumber.ReplaceAllString(pg.Name, "[$1")
		}
		return m
	}
	return proto.Equal(strip(want), strip(got))
}

var stepNumber = regexp.MustCompile(`^\[((?:\S+ )*) *\d+/`)

// badReference tells whether an error is about a base that cannot be an image.
func badReference(f *Failure) bool {
	return f != nil && strings.HasPrefix(f.Text, "failed to parse stage name ")
}

// sortedRules puts the rules in an error about broken rules in order.
func sortedRules(text string) string {
	const prefix = "lint violation found for rules: "
	list, ok := strings.CutPrefix(text, prefix)
	if !ok {
		return text
	}
	rules := strings.Split(list, ", ")
	slices.Sort(rules)
	return prefix + strings.Join(rules, ", ")
}
