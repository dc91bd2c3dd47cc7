package fields

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// parseTOML reads a TOML file. Its tables have no order; they come sorted.
func parseTOML(data []byte) (*node, error) {
	var v map[string]any
	err := toml.Unmarshal(data, &v)
	var decode *toml.DecodeError
	switch {
	case errors.As(err, &decode):
		line, _ := decode.Position()
		return nil, &Error{Line: line, Message: "no valid TOML: " + strings.TrimPrefix(decode.Error(), "toml: ")}
	case err != nil:
		return nil, &Error{Message: "no valid TOML: " + err.Error()}
	}
	if v == nil {
		v = map[string]any{}
	}
	return fromTOML(v), nil
}

func fromTOML(v any) *node {
	switch v := v.(type) {
	case map[string]any:
		n := &node{kind: object, keys: make([]string, 0, len(v)), items: make([]*node, 0, len(v))}
		n.keys = slices.AppendSeq(n.keys, maps.Keys(v))
		slices.Sort(n.keys)
		for _, k := range n.keys {
			n.items = append(n.items, fromTOML(v[k]))
		}
		return n
	case []any:
		n := &node{kind: list, items: make([]*node, 0, len(v))}
		for _, item := range v {
			n.items = append(n.items, fromTOML(item))
		}
		return n
	default:
		return &node{value: v}
	}
}

func toTOML(n *node) any {
	switch n.kind {
	case object:
		m := make(map[string]any, len(n.keys))
		n.each(func(key string, v *node) { m[key] = toTOML(v) })
		return m
	case list:
		items := make([]any, len(n.items))
		for i, v := range n.items {
			items[i] = toTOML(v)
		}
		return items
	case scalar:
	}
	return n.value
}

func encodeTOML(n *node) ([]byte, error) { return toml.Marshal(toTOML(n)) }
