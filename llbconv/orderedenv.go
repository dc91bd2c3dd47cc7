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

func (e *orderedEnv) set(name, value string) {
	kv := name + "=" + value
	if i, ok := e.index[name]; ok {
		e.list[i] = kv
		return
	}
	e.index[name] = len(e.list)
	e.list = append(e.list, kv)
}
