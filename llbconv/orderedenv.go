package llbconv

import (
	"slices"
	"strings"
)

// orderedEnv is the environment in an image config: NAME=VALUE entries, where a
// variable that is set again keeps its place.
type orderedEnv struct {
	list  []string
	index map[string]int
}

func newOrderedEnv(list []string) *orderedEnv {
	e := &orderedEnv{list: slices.Clone(list), index: make(map[string]int, len(list))}
	for i, kv := range list {
		name, _, _ := strings.Cut(kv, "=")
		if _, dup := e.index[name]; !dup {
			e.index[name] = i
		}
	}
	return e
}

func (e *orderedEnv) clone() *orderedEnv { return newOrderedEnv(e.list) }

func (e *orderedEnv) has(name string) bool {
	_, ok := e.index[name]
	return ok
}

// set assigns a value. A name that contains "=" cannot be told from a shorter name
// with a longer value, so such an entry is always a new one.
func (e *orderedEnv) set(name, value string) {
	kv := name + "=" + value
	read, _, ambiguous := strings.Cut(name, "=")
	i, ok := e.index[read]
	if ok && !ambiguous {
		e.list[i] = kv
		return
	}
	if !ok {
		e.index[read] = len(e.list)
	}
	e.list = append(e.list, kv)
}
