package oracle

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/moby/buildkit/solver/pb"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"google.golang.org/protobuf/proto"
)

// Diff is one difference between two outcomes.
type Diff struct {
	// Kind says what differs: "error", "error position", "warnings", "advice",
	// "operations", "order", "metadata", "position", "image", "base image",
	// "scans", "epoch", "ignore cache".
	Kind string
	// Detail shows both sides; "-" lines are docker/dockerfile's.
	Detail string
	// Row is the row of docs/differences.md that explains it, empty if none does.
	Row string

	want, got *Op // of a difference in operations or metadata
}

// attempts is how often docker/dockerfile is asked again after a difference. Some
// of its results depend on the order of map iteration or of concurrent lookups;
// ours must be one of them.
const attempts = 50

// Report is what Compare finds.
type Report struct {
	Diffs []Diff
	// Failed tells that docker/dockerfile gives an error.
	Failed bool
}

// Unexplained returns the differences that no row of docs/differences.md covers.
func (r *Report) Unexplained() []Diff { return unexplained(r.Diffs) }

// Rows returns the rows of docs/differences.md that cover a difference.
func (r *Report) Rows() map[string]bool {
	rows := map[string]bool{}
	for _, d := range r.Diffs {
		if d.Row != "" {
			rows[d.Row] = true
		}
	}
	return rows
}

func unexplained(diffs []Diff) []Diff {
	return slices.DeleteFunc(slices.Clone(diffs), func(d Diff) bool { return d.Row != "" })
}

// Compare converts a case with both converters, for every platform it asks for.
// Cache rules in the Dockerfile are left out: to docker/dockerfile they are
// comments.
func Compare(ctx context.Context, c *Case) *Report {
	targets, err := Platforms(c)
	if err != nil {
		return &Report{Diffs: []Diff{{Kind: "options", Detail: err.Error()}}}
	}
	r := &Report{}
	for _, p := range targets {
		r.compare(ctx, c, p)
	}
	return r
}

func (r *Report) compare(ctx context.Context, c *Case, p *ocispecs.Platform) {
	ours := Ours(ctx, c.WithoutRules(), p)
	again := *c
	var diffs []Diff
	for range attempts {
		upstream := Upstream(ctx, &again, p)
		again.LookupTime = time.Millisecond // as it were in reality: other stages' errors come first
		diffs = Differences(upstream, ours)
		r.Failed = r.Failed || upstream.Err != nil
		explain(c, upstream, ours, diffs)
		if len(unexplained(diffs)) == 0 {
			break
		}
	}
	r.Diffs = append(r.Diffs, diffs...)
}

// Differences lists what differs between two outcomes.
func Differences(upstream, ours *Outcome) []Diff {
	var out []Diff
	add := func(kind, want, got string) {
		if want != got {
			out = append(out, Diff{Kind: kind, Detail: cmp.Diff(want, got)})
		}
	}
	add("warnings", warningsText(upstream.Warnings), warningsText(ours.Warnings))
	add("advice", warningsText(upstream.Advice), warningsText(ours.Advice))
	if upstream.Err != nil || ours.Err != nil {
		return append(out, errorDiffs(upstream.Err, ours.Err)...)
	}
	add("image", upstream.Image, ours.Image)
	add("base image", upstream.BaseImage, ours.BaseImage)
	add("epoch", upstream.Epoch, ours.Epoch)
	add("ignore cache", fmt.Sprint(upstream.IgnoreCache), fmt.Sprint(ours.IgnoreCache))
	add("scans", strings.Join(sortedKeys(upstream.Graphs), ","), strings.Join(sortedKeys(ours.Graphs), ","))
	for _, name := range sortedKeys(upstream.Graphs) {
		if g := ours.Graphs[name]; g != nil {
			out = append(out, graphDiffs(upstream.Graphs[name], g)...)
		}
	}
	return out
}

func errorDiffs(want, got *Failure) []Diff {
	text := func(f *Failure) string {
		if f == nil {
			return "no error"
		}
		if strings.Contains(f.Text, "unknown instruction: ") || strings.Contains(f.Text, "unknown flag: ") { // BuildKit's parser suggests any of several
			text, _, _ := strings.Cut(f.Text, " (did you mean ")
			return text
		}
		return f.Text
	}
	if text(want) != text(got) {
		return []Diff{{Kind: "error", Detail: fmt.Sprintf("- %s\n+ %s", text(want), text(got))}}
	}
	if !reflect.DeepEqual(want.Locations, got.Locations) {
		return []Diff{{Kind: "error position", Detail: fmt.Sprintf("%s\n-%s\n+%s", want.Text, want.lines(), got.lines())}}
	}
	return nil
}

// warningsText renders warnings one per line. Those that upstream reports in
// random order are sorted: several for one instruction, and those about the
// platforms of base images, which come from concurrent lookups.
func warningsText(ws []Warning) string {
	texts := make([]string, len(ws))
	for i, w := range ws {
		texts[i] = fmt.Sprintf("%s%s: %s [%s] [%s]\n", w.Rule, lines(w.Location), w.Message, w.Description, w.URL)
	}
	together := func(a, b Warning) bool {
		return a.Rule == b.Rule && (a.Rule == "InvalidBaseImagePlatform" || reflect.DeepEqual(a.Location, b.Location))
	}
	for i := 0; i < len(ws); {
		j := i + 1
		for j < len(ws) && together(ws[i], ws[j]) {
			j++
		}
		slices.Sort(texts[i:j])
		i = j
	}
	return strings.Join(texts, "")
}

// graphDiffs compares two definitions.
func graphDiffs(want, got *Graph) []Diff {
	if d := opsDiff(want, got); d != nil {
		return []Diff{*d}
	}
	var out []Diff
	if want.Head != got.Head || !slices.Equal(want.Order, got.Order) {
		out = append(out, Diff{Kind: "order", Detail: cmp.Diff(want.Order, got.Order)})
	}
	for _, dgst := range want.Order {
		w, g := want.Ops[dgst], got.Ops[dgst]
		if !proto.Equal(w.Meta, g.Meta) {
			out = append(out, Diff{Kind: "metadata", Detail: want.opText(dgst, want.numbers()) + cmp.Diff(protoText(w.Meta), protoText(g.Meta)), want: w, got: g})
		}
		if !proto.Equal(w.Locations, g.Locations) {
			out = append(out, Diff{Kind: "position", Detail: want.opText(dgst, want.numbers()) + fmt.Sprintf("- %v\n+ %v", w.Locations, g.Locations)})
		}
	}
	if !slices.EqualFunc(want.Files, got.Files, func(a, b *pb.SourceInfo) bool { return proto.Equal(a, b) }) {
		out = append(out, Diff{Kind: "position", Detail: "the source files differ"})
	}
	return out
}

// opsDiff describes the first operation that only one side has, next to the one
// on the other side that looks most like it.
func opsDiff(want, got *Graph) *Diff {
	for _, dgst := range want.Order {
		if _, ok := got.Ops[dgst]; ok {
			continue
		}
		d := &Diff{Kind: "operations", want: want.Ops[dgst]}
		other := ""
		for _, o := range got.Order {
			if _, ok := want.Ops[o]; ok {
				continue
			}
			if d.got == nil || !alike(d.want, d.got) && alike(d.want, got.Ops[o]) {
				d.got, other = got.Ops[o], got.opText(o, got.numbers())
			}
		}
		d.Detail = cmp.Diff(shorten(want.opText(dgst, want.numbers())), shorten(other))
		return d
	}
	for _, dgst := range got.Order {
		if _, ok := want.Ops[dgst]; !ok {
			return &Diff{Kind: "operations", Detail: "only ours:\n" + shorten(got.opText(dgst, got.numbers())), got: got.Ops[dgst]}
		}
	}
	return nil
}

// alike reports whether two operations are of the same kind and for the same step.
func alike(a, b *Op) bool {
	kind := func(op *Op) string {
		var msg pb.Op
		if err := msg.UnmarshalVT(op.Bytes); err != nil || msg.Op == nil {
			return ""
		}
		name, _ := opBody(&msg)
		return name
	}
	return kind(a) == kind(b) && a.Meta.Description["llb.customname"] == b.Meta.Description["llb.customname"]
}
