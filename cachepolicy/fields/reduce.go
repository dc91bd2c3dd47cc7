package fields

import (
	"bytes"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/cachewright/cachewright/cachepolicy/fieldspec"
)

// File is a file by its path in the build context, with slashes.
type File struct {
	Path string
	Data []byte
}

// Reduced is a file as a spec leaves it.
type Reduced struct {
	Path string
	// Data are the canonical bytes. They are the same for files that differ only in
	// what does not count.
	Data []byte
	// Fields are what counts, in the order of Data, at most MaxFields. A file of more
	// has its upper levels there, or none.
	Fields []Field
}

// Error says what is wrong with a file.
type Error struct {
	// Path is the file, Line its line from 1; 0 if it is about the file as a whole.
	Path    string
	Line    int
	Message string
}

// Error returns the file, the line and what is wrong.
func (e *Error) Error() string {
	if e.Line > 0 {
		return fmt.Sprintf("%s:%d: %s", e.Path, e.Line, e.Message)
	}
	return e.Path + ": " + e.Message
}

// form is how a file is written.
type form uint8

const (
	formJSON form = iota
	formTOML
	formYAML
	formWhole // the file counts as it is
)

// document is a file on its way.
type document struct {
	path string
	data []byte
	form form
	kind *fileKind // of the preset; nil without one
	root *node     // nil for formWhole
}

// dir is the directory of the file.
func (d *document) dir() string { return path.Dir(d.path) }

// Reduce leaves of files only the fields that count. The files are all that a stage
// copies under the rule: what one of them says can decide what counts in another.
// The error is an *Error: a file of another kind, one that cannot be parsed, or a
// path that leads nowhere in all of the files.
func Reduce(s fieldspec.Spec, files []File) ([]Reduced, error) {
	known := presetOf(s.Preset)
	docs := make([]*document, len(files))
	for i, f := range files {
		doc, err := parse(s, known, f)
		if err != nil {
			return nil, at(f.Path, err)
		}
		docs[i] = doc
	}
	if known != nil {
		known.reduce(s, docs)
	} else if err := pick(s.Paths, docs); err != nil {
		return nil, err
	}
	out := make([]Reduced, len(docs))
	for i, d := range docs {
		data, err := d.encode()
		if err != nil {
			return nil, at(d.path, err)
		}
		if d.form == formJSON {
			d.root = fromJSON(bytes.TrimSpace(data)) // whose values are parts of data
		}
		out[i] = Reduced{Path: d.path, Data: data, Fields: flatten(d.root)}
	}
	return out, nil
}

// at says which file an error is about.
func at(path string, err error) *Error {
	var e *Error
	if !errors.As(err, &e) {
		e = &Error{Message: err.Error()}
	}
	e.Path = path
	return e
}

func parse(s fieldspec.Spec, known *preset, f File) (*document, error) {
	d := &document{path: f.Path, data: f.Data}
	if known != nil {
		base := path.Base(f.Path)
		i := slices.IndexFunc(known.kinds, func(k fileKind) bool { return slices.Contains(k.names, base) })
		if i < 0 {
			return nil, &Error{Message: fmt.Sprintf("no file of fields=%s, which is for %s; copy it with an instruction of its own", s, known.fileNames())}
		}
		d.kind = &known.kinds[i]
		d.form = d.kind.form
	} else {
		switch strings.ToLower(path.Ext(f.Path)) {
		case ".json":
			d.form = formJSON
		case ".toml", ".lock":
			d.form = formTOML
		case ".yaml", ".yml":
			d.form = formYAML
		default:
			return nil, &Error{Message: "fields are of JSON, TOML and YAML files, and the name ends in none of .json, .toml, .lock (TOML), .yaml, .yml; copy it with an instruction of its own"}
		}
	}
	var err error
	switch d.form {
	case formJSON:
		d.root, err = parseJSON(f.Data)
	case formTOML:
		d.root, err = parseTOML(f.Data)
	case formYAML:
		d.root, err = parseYAML(f.Data)
	case formWhole:
		return d, nil
	}
	if err == nil && d.root.kind != object {
		err = &Error{Line: 1, Message: "holds no fields: it is no object"}
	}
	return d, err
}

// pick leaves of the documents what the paths lead to.
func pick(paths []fieldspec.Path, docs []*document) error {
	found := make([]*bool, len(paths))
	for i := range found {
		found[i] = new(bool)
	}
	for _, d := range docs {
		root := d.root.pick(paths, found)
		if root == nil {
			root = &node{kind: object, plain: d.root.plain}
		}
		root.sortKeys(true)
		d.root = root
	}
	for i, p := range paths {
		if !*found[i] && len(docs) > 0 {
			return &Error{Path: docs[0].path, Message: fmt.Sprintf("has no field %s, nor has any other file of this instruction", p)}
		}
	}
	return nil
}

func (d *document) encode() ([]byte, error) {
	switch d.form {
	case formTOML:
		return encodeTOML(d.root)
	case formWhole:
		return d.data, nil
	case formJSON, formYAML: // JSON is YAML
	}
	return encodeJSON(d.root), nil
}
