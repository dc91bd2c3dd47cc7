// Package fieldspec is the value of the rule fields: which fields of a copied file count.
// What that leaves of a file is in package fields, which reads JSON, TOML and YAML; this
// one needs nothing, so that whatever reads rules stays light.
package fieldspec

import (
	"fmt"
	"slices"
	"strings"
)

// Spec says which fields of a file count. The zero Spec is none; Parse makes one.
type Spec struct {
	// Preset is the name of a preset, as written; empty if Paths say it.
	Preset string
	// NoScripts leaves out the scripts that no install runs (npm).
	NoScripts bool
	// Paths are the fields that count.
	Paths []Path
}

// Path is a path to a field: its keys from the root. A key * is any.
type Path []string

// String returns the path as it is written.
func (p Path) String() string {
	keys := make([]string, len(p))
	for i, k := range p {
		if keys[i] = k; k == "" || strings.ContainsAny(k, `."`) {
			keys[i] = `"` + k + `"`
		}
	}
	return strings.Join(keys, ".")
}

// noScripts is what follows the preset npm to leave out scripts too.
const noScripts = "noscripts"

// Parse reads the items of a list: the name of a preset (npm may be followed by
// noscripts), or paths to fields, A.B, in which a key with a dot in it stands in
// quotes and * is any key or element.
func Parse(items []string) (Spec, error) {
	if len(items) == 0 {
		return Spec{}, fmt.Errorf("names nothing; write a preset (%s) or the paths of the fields that count, such as dependencies,scripts.postinstall", strings.Join(Presets(), ", "))
	}
	if slices.Contains(presets, items[0]) {
		s := Spec{Preset: items[0]}
		for _, item := range items[1:] {
			if item != noScripts || s.Preset != "npm" || s.NoScripts {
				return Spec{}, fmt.Errorf("%q after the preset %s; only npm takes more, npm,%s", item, s.Preset, noScripts)
			}
			s.NoScripts = true
		}
		return s, nil
	}
	var s Spec
	for _, item := range items {
		if slices.Contains(presets, item) {
			return Spec{}, fmt.Errorf("%s is a preset and stands alone; write it, or the paths of fields", item)
		}
		p, err := parsePath(item)
		if err != nil {
			return Spec{}, err
		}
		if slices.ContainsFunc(s.Paths, func(o Path) bool { return slices.Equal(o, p) }) {
			return Spec{}, fmt.Errorf("%s is listed twice", item)
		}
		s.Paths = append(s.Paths, p)
	}
	return s, nil
}

// parsePath splits a path at the dots outside quotes.
func parsePath(text string) (Path, error) {
	var p Path
	for rest := text; ; {
		key, after, more := strings.Cut(rest, ".")
		if strings.HasPrefix(rest, `"`) {
			quoted, tail, closed := strings.Cut(rest[1:], `"`)
			if !closed || tail != "" && tail[0] != '.' {
				return nil, fmt.Errorf("%s: a quote is not closed; write a key with a dot as \"a.b\"", text)
			}
			key, more = quoted, tail != ""
			after = strings.TrimPrefix(tail, ".")
		} else if key == "" {
			return nil, fmt.Errorf("%s has an empty key; keys are separated by one dot", text)
		}
		p = append(p, key)
		if !more {
			return p, nil
		}
		rest = after
	}
}

// String returns the list as it is written, in one order: equal for specs that mean
// the same.
func (s Spec) String() string { return strings.Join(s.Items(), ",") }

// Items returns the items of the list, as Parse takes them.
func (s Spec) Items() []string {
	if s.Preset != "" {
		if s.NoScripts {
			return []string{s.Preset, noScripts}
		}
		return []string{s.Preset}
	}
	items := make([]string, len(s.Paths))
	for i, p := range s.Paths {
		items[i] = p.String()
	}
	slices.Sort(items)
	return items
}

var presets = []string{"npm", "cargo", "uv", "poetry", "pdm", "composer"}

// Presets returns the names of the presets.
func Presets() []string { return slices.Clone(presets) }
