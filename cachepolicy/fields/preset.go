package fields

import (
	"slices"
	"strings"

	"github.com/cachewright/cachewright/cachepolicy/fieldspec"
)

// preset is what is known of a package manager's files.
type preset struct {
	names []string
	kinds []fileKind
	// reduce leaves of the documents of a stage what counts.
	reduce func(s fieldspec.Spec, docs []*document)
}

// fileKind is a kind of file that a package manager reads.
type fileKind struct {
	names []string
	form  form
	drops []Drop
}

// Drop is a field that an install does not read.
type Drop struct {
	// Path is the field, its keys joined by dots; a * is any.
	Path string
	// Becomes is what the field is replaced by, where tools want one; empty: nothing.
	Becomes string
	// Why says why it does not count, Doc where the tool's documentation says so.
	Why, Doc string
}

// Kept is a field that stays although it looks idle.
type Kept struct {
	Path, Why, Doc string
}

var presets = []*preset{&npm, &cargo, &python, &composer}

// presetOf returns the preset of a name; nil if there is none.
func presetOf(name string) *preset {
	for _, p := range presets {
		if slices.Contains(p.names, name) {
			return p
		}
	}
	return nil
}

func (p *preset) fileNames() string {
	var out []string
	for _, k := range p.kinds {
		out = append(out, k.names...)
	}
	return strings.Join(out, ", ")
}

// isKind reports whether a document is of the kind that has this name.
func (d *document) isKind(name string) bool { return slices.Contains(d.kind.names, name) }

// drop removes and replaces the fields of the document's kind, save those for which
// keep says yes.
func (d *document) drop(root *node, keep func(path string) bool) {
	for _, drop := range d.kind.drops {
		if keep != nil && keep(drop.Path) {
			continue
		}
		p := fieldspec.Path(strings.Split(drop.Path, "."))
		if drop.Becomes == "" {
			root.dropPath(p)
			continue
		}
		parent := root.get(p[:len(p)-1]...)
		parent.set(p[len(p)-1], constant(drop.Becomes))
	}
}

// constant returns what a dropped field becomes: a text, or a list if it is [].
func constant(becomes string) *node {
	switch becomes {
	case "[]":
		return &node{kind: list}
	case `""`:
		return text("")
	}
	return text(becomes)
}

// noVersion is the version of what has none.
const noVersion = "0.0.0"
