package explain

import (
	"strings"

	"github.com/cachewright/cachewright/cachepolicy"
)

// fieldChanges collects what differs in files of which only some fields count.
type fieldChanges struct {
	files  []Reason // whole files: added, removed, changed in what is not told apart
	fields []Reason
}

// compare adds what differs in a file or field.
func (c *fieldChanges) compare(p inputPair) {
	if p.old != nil && p.new != nil && p.same() {
		return
	}
	in := p.input()
	r := Reason{Change: p.change(), Name: in.Name, Line: in.Origin.Line}
	if in.Kind == cachepolicy.InputFields {
		switch r.Change {
		case Added:
			r.Kind = ReasonFileAdded
		case Removed:
			r.Kind = ReasonFileRemoved
		case Changed:
			r.Kind = ReasonFileChanged
		}
		c.files = append(c.files, r)
		return
	}
	r.Kind = ReasonField
	r.In, r.Name, _ = strings.Cut(in.Name, cachepolicy.FieldSeparator)
	if p.old != nil && p.new != nil && !p.old.Secret && !p.new.Secret && p.old.Value != p.new.Value && p.shown() {
		r.Old, r.New = p.old.Value, p.new.Value
	}
	c.fields = append(c.fields, r)
}

// reasons returns at most two by name, then a count. A file that is there or gone as a
// whole stands for its fields, and fields stand for the file that they are of.
func (c *fieldChanges) reasons() []Reason {
	whole, told := map[string]bool{}, map[string]bool{}
	for _, f := range c.files {
		whole[f.Name] = f.Change != Changed
	}
	var out []Reason
	for _, f := range c.fields {
		told[f.In] = true
		if !whole[f.In] {
			out = append(out, f)
		}
	}
	for _, f := range c.files {
		if whole[f.Name] || !told[f.Name] {
			out = append(out, f)
		}
	}
	if rest := len(out) - maxNamedFiles; rest > 0 {
		out = append(out[:maxNamedFiles], Reason{Kind: ReasonMoreFields, Change: Changed, Count: rest})
	}
	return out
}
