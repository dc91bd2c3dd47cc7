package oracle

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/solver/pb"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	digest "github.com/opencontainers/go-digest"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// Text renders an outcome for golden files: the operations with their names and
// positions, the image config, the warnings, or else the error.
func (o *Outcome) Text() string {
	var b strings.Builder
	for _, w := range o.Warnings {
		fmt.Fprintf(&b, "warning %s: %s%s\n", w.Rule, w.Message, lines(w.Location))
	}
	for _, w := range o.Advice {
		fmt.Fprintf(&b, "advice %s: %s%s\n", w.Rule, w.Message, lines(w.Location))
	}
	if o.Err != nil {
		fmt.Fprintf(&b, "error%s: %s\n", o.Err.lines(), o.Err.Text)
		return b.String()
	}
	for _, name := range sortedKeys(o.Graphs) {
		switch {
		case name == "":
			b.WriteString(o.Graphs[name].Text())
		case name != sbomCore: // the same as the result
			fmt.Fprintf(&b, "scan %s: %s\n", strings.TrimPrefix(name, sbomExtra), shorten(o.Graphs[name].headText()))
		}
	}
	b.WriteString(imageText(o.Image))
	if o.Epoch != "" {
		fmt.Fprintf(&b, "epoch %s\n", o.Epoch)
	}
	return b.String()
}

// Text lists the operations of a graph; inputs are given by number.
func (g *Graph) Text() string {
	var b strings.Builder
	number := g.numbers()
	for _, dgst := range g.Order {
		b.WriteString(shorten(g.opText(dgst, number)))
	}
	return b.String()
}

// headText is the operation that makes the graph's result.
func (g *Graph) headText() string {
	if len(g.Order) < 2 {
		return "empty"
	}
	return strings.ReplaceAll(strings.TrimSpace(g.opText(g.Order[len(g.Order)-2], g.numbers())), "\n", "; ")
}

// numbers gives every operation its number in the text form.
func (g *Graph) numbers() map[string]string {
	out := map[string]string{}
	for i, dgst := range g.Order {
		out[string(dgst)] = "#" + strconv.Itoa(i+1)
	}
	return out
}

// opText renders one operation. Digests of inputs are replaced by names.
func (g *Graph) opText(dgst digest.Digest, names map[string]string) string {
	op := g.Ops[dgst]
	var msg pb.Op
	if err := msg.UnmarshalVT(op.Bytes); err != nil {
		return "not an operation: " + err.Error() + "\n"
	}
	var ins []string
	for _, in := range msg.Inputs {
		name, ok := names[in.Digest]
		if !ok {
			name = in.Digest
		}
		if in.Index != 0 {
			name += fmt.Sprintf("[%d]", in.Index)
		}
		ins = append(ins, name)
	}
	head := names[string(dgst)]
	if head == "" {
		head = "-"
	}
	if msg.Op == nil {
		return fmt.Sprintf("%s result(%s)\n", head, strings.Join(ins, " "))
	}
	var b strings.Builder
	kind, body := opBody(&msg)
	fmt.Fprintf(&b, "%s %s(%s)", head, kind, strings.Join(ins, " "))
	if op.Locations != nil {
		for _, at := range op.Locations.Locations {
			b.WriteString(" at " + pbLines(at))
		}
	}
	if op.Meta.IgnoreCache {
		b.WriteString(" no-cache")
	}
	if e := op.Meta.ExportCache; e != nil && !e.Value {
		b.WriteString(" no-export")
	}
	if p := msg.Platform; p != nil {
		b.WriteString(" " + fieldText(p.ProtoReflect()))
	}
	b.WriteByte('\n')
	if name := op.Meta.Description["llb.customname"]; name != "" {
		fmt.Fprintf(&b, "  name %s\n", name)
	}
	if pg := op.Meta.ProgressGroup; pg != nil {
		fmt.Fprintf(&b, "  group %s weak=%v\n", pg.Name, pg.Weak)
	}
	for _, line := range bodyLines(body) {
		b.WriteString("  " + line + "\n")
	}
	return b.String()
}

// opBody returns which kind of operation a message is, and its own message.
func opBody(msg *pb.Op) (string, protoreflect.Message) {
	m := msg.ProtoReflect()
	field := m.WhichOneof(m.Descriptor().Oneofs().ByName("op"))
	return string(field.Name()), m.Get(field).Message()
}

// bodyLines renders a message, one line for each field or element.
func bodyLines(m protoreflect.Message) []string {
	var out []string
	for _, f := range setFields(m) {
		v := m.Get(f)
		if f.IsList() {
			for i := range v.List().Len() {
				out = append(out, fmt.Sprintf("%s %s", f.Name(), valueText(f, v.List().Get(i))))
			}
			continue
		}
		out = append(out, fmt.Sprintf("%s %s", f.Name(), anyText(f, v)))
	}
	return out
}

// setFields lists the populated fields of a message in order of their numbers.
func setFields(m protoreflect.Message) []protoreflect.FieldDescriptor {
	var out []protoreflect.FieldDescriptor
	m.Range(func(f protoreflect.FieldDescriptor, _ protoreflect.Value) bool {
		out = append(out, f)
		return true
	})
	slices.SortFunc(out, func(a, b protoreflect.FieldDescriptor) int { return int(a.Number()) - int(b.Number()) })
	return out
}

// fieldText renders a message on one line: {name value, name value}.
func fieldText(m protoreflect.Message) string {
	var parts []string
	for _, f := range setFields(m) {
		parts = append(parts, fmt.Sprintf("%s %s", f.Name(), anyText(f, m.Get(f))))
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// anyText renders a field's value, which may be a list or map.
func anyText(f protoreflect.FieldDescriptor, v protoreflect.Value) string {
	var parts []string
	switch {
	case f.IsMap():
		v.Map().Range(func(k protoreflect.MapKey, v protoreflect.Value) bool {
			parts = append(parts, fmt.Sprintf("%s=%s", k.String(), valueText(f.MapValue(), v)))
			return true
		})
		slices.Sort(parts)
	case f.IsList():
		for i := range v.List().Len() {
			parts = append(parts, valueText(f, v.List().Get(i)))
		}
	default:
		return valueText(f, v)
	}
	return "[" + strings.Join(parts, " ") + "]"
}

func valueText(f protoreflect.FieldDescriptor, v protoreflect.Value) string {
	//exhaustive:ignore
	switch f.Kind() {
	case protoreflect.MessageKind, protoreflect.GroupKind:
		return fieldText(v.Message())
	case protoreflect.StringKind:
		return strconv.Quote(v.String())
	case protoreflect.BytesKind:
		return strconv.Quote(string(v.Bytes()))
	case protoreflect.EnumKind:
		if d := f.Enum().Values().ByNumber(v.Enum()); d != nil {
			return string(d.Name())
		}
		return strconv.Itoa(int(v.Enum()))
	default:
		return v.String()
	}
}

// protoText renders a whole message for comparison.
func protoText(m proto.Message) string {
	return strings.Join(bodyLines(m.ProtoReflect()), "\n")
}

// imageText renders an image config, given as JSON: all but the history on one
// line, then a line for each entry of the history.
func imageText(config string) string {
	var img *dockerspec.DockerOCIImage
	if err := json.Unmarshal([]byte(config), &img); err != nil || img == nil {
		return "image " + config + "\n"
	}
	history := img.History
	img.History = nil
	dt, err := json.Marshal(img)
	if err != nil {
		return "image " + err.Error() + "\n"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "image %s\n", shorten(string(dt)))
	for _, h := range history {
		fmt.Fprintf(&b, "history %s", h.CreatedBy)
		if !h.EmptyLayer {
			b.WriteString(" [layer]")
		}
		if h.Created != nil {
			fmt.Fprintf(&b, " [%d]", h.Created.Unix())
		}
		b.WriteByte('\n')
	}
	return b.String()
}

var longDigest = regexp.MustCompile(`sha256:([0-9a-f]{8})[0-9a-f]{56}`)

// shorten cuts digests to what a person can compare.
func shorten(s string) string { return longDigest.ReplaceAllString(s, "sha256:$1") }

// lines renders a position: " (line 3)", " (lines 3-5)"; empty if there is none.
func lines(at []parser.Range) string {
	if len(at) == 0 {
		return ""
	}
	first, last := at[0].Start.Line, at[0].End.Line
	for _, r := range at {
		first, last = min(first, r.Start.Line), max(last, r.End.Line)
	}
	if first == last {
		return fmt.Sprintf(" (line %d)", first)
	}
	return fmt.Sprintf(" (lines %d-%d)", first, last)
}

func (f *Failure) lines() string {
	var b strings.Builder
	for _, at := range f.Locations {
		b.WriteString(lines(at))
	}
	return b.String()
}

func pbLines(at *pb.Location) string {
	var parts []string
	for _, r := range at.Ranges {
		parts = append(parts, fmt.Sprintf("%d-%d", r.Start.Line, r.End.Line))
	}
	return strings.Join(parts, ",")
}
