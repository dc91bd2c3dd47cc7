package fields

import (
	"slices"
	"strings"

	"github.com/cachewright/cachewright/cachepolicy/fieldspec"
)

// kind is what a node is.
type kind uint8

const (
	scalar kind = iota
	list
	object
)

// node is a value of a file.
type node struct {
	kind  kind
	keys  []string // of an object
	items []*node  // of an object, as its keys, or of a list
	// value of a scalar: a string, a literal (JSON, YAML), or what TOML has
	value any
	// text is the JSON of an object or a list; opened says that keys and items are read.
	text   []byte
	opened bool
	// plain: in YAML, the keys that stand without quotes
	plain map[string]bool
}

// literal is a scalar that is no string, as written.
type literal string

func text(s string) *node { return &node{value: s} }

// get returns what the keys lead to; nil if there is nothing.
func (n *node) get(keys ...string) *node {
	for _, k := range keys {
		if n == nil || n.kind != object {
			return nil
		}
		n.open()
		i := slices.Index(n.keys, k)
		if i < 0 {
			return nil
		}
		n = n.items[i]
	}
	return n
}

// str returns the string that the keys lead to; empty if there is none.
func (n *node) str(keys ...string) string {
	if v := n.get(keys...); v != nil {
		s, _ := v.value.(string)
		return s
	}
	return ""
}

// set replaces what is there under a key; an object without it stays as it is.
func (n *node) set(key string, v *node) {
	if n == nil || n.kind != object {
		return
	}
	n.open()
	if i := slices.Index(n.keys, key); i >= 0 {
		n.items[i] = v
	}
}

// drop removes the keys of an object.
func (n *node) drop(keys ...string) {
	n.keep(func(key string, _ *node) bool { return !slices.Contains(keys, key) })
}

// keep removes the keys of an object that are not to be kept.
func (n *node) keep(ok func(key string, v *node) bool) {
	if n == nil || n.kind != object {
		return
	}
	n.open()
	at := 0
	for i, k := range n.keys {
		if ok(k, n.items[i]) {
			n.keys[at], n.items[at] = k, n.items[i]
			at++
		}
	}
	n.keys, n.items = n.keys[:at], n.items[:at]
}

// each calls f for what an object or a list holds.
func (n *node) each(f func(key string, v *node)) {
	if n == nil {
		return
	}
	n.open()
	for i, v := range n.items {
		key := ""
		if n.kind == object {
			key = n.keys[i]
		}
		f(key, v)
	}
}

// dropPath removes what a path leads to.
func (n *node) dropPath(p fieldspec.Path) {
	switch {
	case n == nil:
	case len(p) == 1:
		n.drop(p[0])
	case p[0] == "*":
		n.each(func(_ string, v *node) { v.dropPath(p[1:]) })
	default:
		n.get(p[0]).dropPath(p[1:])
	}
}

// sortKeys orders the keys of an object by their bytes, and those of all below it if
// deep.
func (n *node) sortKeys(deep bool) {
	if n == nil {
		return
	}
	n.open()
	if n.kind == object && !slices.IsSorted(n.keys) {
		order := make([]int, len(n.keys))
		for i := range order {
			order[i] = i
		}
		slices.SortFunc(order, func(a, b int) int { return strings.Compare(n.keys[a], n.keys[b]) })
		keys, items := make([]string, len(order)), make([]*node, len(order))
		for i, o := range order {
			keys[i], items[i] = n.keys[o], n.items[o]
		}
		n.keys, n.items = keys, items
	}
	if deep {
		for _, v := range n.items {
			v.sortKeys(true)
		}
	}
}

// pick returns the part of n that the paths lead to, and marks those that lead to
// something; nil if none does.
func (n *node) pick(paths []fieldspec.Path, found []*bool) *node {
	for i, p := range paths {
		if len(p) == 0 {
			*found[i] = true
			return n
		}
	}
	if n.kind == scalar {
		return nil
	}
	out := &node{kind: n.kind, plain: n.plain}
	n.each(func(key string, v *node) {
		var rest []fieldspec.Path
		var marks []*bool
		for i, p := range paths {
			if p[0] == "*" || n.kind == object && p[0] == key {
				rest, marks = append(rest, p[1:]), append(marks, found[i])
			}
		}
		if len(rest) == 0 {
			return
		}
		if part := v.pick(rest, marks); part != nil {
			if n.kind == object {
				out.keys = append(out.keys, key)
			}
			out.items = append(out.items, part)
		}
	})
	if len(out.items) == 0 {
		return nil
	}
	return out
}
