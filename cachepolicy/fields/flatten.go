package fields

import (
	"bytes"
	"slices"
	"strconv"
)

// Field is one field of a file.
type Field struct {
	// Name is the path of the field, its keys joined by dots.
	Name string
	// Value is the value; of a list or a group of fields, as JSON.
	Value string
	// Group says that the field is an object, Version is the version in it, if any.
	Group   bool
	Version string
	// Package says that the last key is the name of a package, or one that a package
	// chose: it says nothing about the value.
	Package bool
}

const (
	// MaxFields is how many fields of a file are told apart.
	MaxFields = 1024
	// maxLevel is how deep fields are told apart.
	maxLevel = 8
)

// flatten lists the fields of a file: each scalar and each list of scalars, or, where
// those are too many, the groups of the lowest level that are few enough.
func flatten(root *node) []Field {
	if root == nil {
		return nil
	}
	for level := maxLevel; level > 0; level = min(level-1, 2) {
		f := flattener{level: level}
		if f.walk("", root, 0) {
			return f.out
		}
	}
	return nil
}

type flattener struct {
	level int
	out   []Field
	// packages says that the section at hand has packages.
	packages bool
}

// packageSections are the sections of manifests and lock files whose keys are names of
// packages.
var packageSections = []string{
	"dependencies", "devDependencies", "optionalDependencies", "peerDependencies", "peerDependenciesMeta", "dependenciesMeta",
	"overrides", "resolutions", "packages", "package", "packages-dev", "require", "require-dev", "dev-dependencies", "build-dependencies",
}

// walk adds the fields below n; it reports whether there are few enough.
func (f *flattener) walk(name string, n *node, depth int) bool {
	if depth == f.level || !n.grouped() {
		if depth > 0 {
			f.out = append(f.out, n.field(name, f.packages))
		}
		return len(f.out) <= MaxFields
	}
	if len(f.out)+n.size() > MaxFields {
		return false // not read for nothing
	}
	n.open()
	used := map[string]bool{}
	for i, v := range n.items {
		key := ""
		if n.kind == object {
			key = n.keys[i]
		} else if key = v.str("name"); key == "" || used[key] {
			key += "[" + strconv.Itoa(i) + "]"
		}
		used[key] = true
		if key == "" {
			key = `""`
		}
		if depth == 0 {
			f.packages = slices.Contains(packageSections, key)
		}
		if name != "" {
			key = name + "." + key
		}
		if !f.walk(key, v, depth+1) {
			return false
		}
	}
	return true
}

// grouped reports whether the parts of a node are fields of their own.
func (n *node) grouped() bool {
	if n.kind == list {
		n.open()
		for _, v := range n.items {
			if v.kind != scalar {
				return true
			}
		}
		return false
	}
	return n.kind == object && n.size() > 0
}

func (n *node) field(name string, isPackage bool) Field {
	f := Field{Name: name, Group: n.kind == object, Package: isPackage}
	if s, ok := n.value.(string); ok {
		f.Value = s
		return f
	}
	if f.Value = string(n.text); n.text == nil {
		var b bytes.Buffer
		writeJSON(&b, n)
		f.Value = b.String()
	}
	if f.Group && n.size() <= MaxFields { // one of more is no package
		f.Version = n.str("version")
	}
	return f
}
