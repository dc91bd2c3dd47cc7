package llbconv

import "slices"

// environ is an ordered set of environment variables. Setting a variable again
// moves it to the end, as llb.EnvList does: the order is part of an exec's key.
// It implements shell.EnvGetter.
type environ struct {
	entries []envVar       // in order of assignment; index tells the live ones
	index   map[string]int // name → live entry
	list    []string       // NAME=VALUE of the live entries among entries[:listed]
	listed  int
}

type envVar struct {
	name, value string
	arg         bool // last assigned by an ARG
}

func newEnviron() *environ {
	return &environ{index: map[string]int{}}
}

// clone returns a copy that can be changed without changing e.
func (e *environ) clone() *environ {
	c := &environ{entries: e.live(), index: make(map[string]int, len(e.index))}
	for i, v := range c.entries {
		c.index[v.name] = i
	}
	return c
}

// live returns the entries in force, in order.
func (e *environ) live() []envVar {
	out := make([]envVar, 0, len(e.index))
	for i, v := range e.entries {
		if at, ok := e.index[v.name]; ok && at == i {
			out = append(out, v)
		}
	}
	return out
}

// set assigns a value to a variable.
func (e *environ) set(name, value string) { e.assign(envVar{name: name, value: value}) }

// setArg assigns the value of an ARG.
func (e *environ) setArg(name, value string) { e.assign(envVar{name: name, value: value, arg: true}) }

func (e *environ) assign(v envVar) {
	name := v.name
	if i, ok := e.index[name]; ok && i < e.listed {
		e.list, e.listed = nil, 0 // the list holds the old value
	}
	if len(e.entries) > 2*len(e.index)+16 {
		e.compact()
	}
	e.index[name] = len(e.entries)
	e.entries = append(e.entries, v)
}

// unset removes a variable.
func (e *environ) unset(name string) {
	if _, ok := e.index[name]; ok {
		delete(e.index, name)
		e.compact()
	}
}

// compact drops entries that are no longer in force.
func (e *environ) compact() {
	e.entries = e.live()
	for i, v := range e.entries {
		e.index[v.name] = i
	}
	e.list, e.listed = nil, 0
}

// Get returns a variable's value and whether it is set.
func (e *environ) Get(name string) (string, bool) {
	i, ok := e.index[name]
	if !ok {
		return "", false
	}
	return e.entries[i].value, true
}

// Keys returns the names in order.
func (e *environ) Keys() []string {
	out := make([]string, 0, len(e.index))
	for _, v := range e.live() {
		out = append(out, v.name)
	}
	return out
}

// strings returns the variables as NAME=VALUE in order. The slice is shared with
// later calls and must not be modified: as long as variables are only added, an
// environment of n variables used by n steps takes room for n, not n², entries.
func (e *environ) strings() []string {
	for i, v := range e.entries[e.listed:] {
		if at, ok := e.index[v.name]; ok && at == e.listed+i {
			e.list = append(e.list, v.name+"="+v.value)
		}
	}
	e.listed = len(e.entries)
	return slices.Clip(e.list)
}
