package llbconv

import (
	"slices"

	"github.com/moby/buildkit/frontend/dockerfile/parser"

	"github.com/cachewright/cachewright/cachepolicy"
	"github.com/cachewright/cachewright/cachepolicy/secret"
	"github.com/cachewright/cachewright/llbconv/internal/position"
)

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
	from        envSource
	covers      *envVar // the ENV of that name which an ARG hides; nil if there is none
}

// env returns the variable as the last ENV left it, nil if none set it.
func (v envVar) env() *envVar {
	if v.arg {
		return v.covers
	}
	return &v
}

// isSecret reports whether the value must not be shown: it looks secret, or is made of
// one that does.
func (v envVar) isSecret() bool { return v.from.secret || secret.Variable(v.name, v.value) }

// envSource is where a variable has its value from.
type envSource struct {
	place  envPlace
	line   int  // of the instruction; 0 if there is none
	secret bool // the value is made of a secret
}

// lineSource is a place in an instruction.
func lineSource(place envPlace, at []parser.Range) envSource {
	line, _ := position.Span(at)
	return envSource{place: place, line: line}
}

type envPlace uint8

// The places that a variable can have its value from.
const (
	fromBuilder  envPlace = iota // built in, such as PATH and TARGETARCH
	fromImage                    // the base image
	fromLine                     // an ENV
	fromDefault                  // the default of an ARG
	fromBuildArg                 // a build argument
)

// newEnviron returns an environment with room for so many variables.
func newEnviron(room int) *environ {
	return &environ{entries: make([]envVar, 0, room), index: make(map[string]int, room)}
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

// snapshot returns what is needed to tell the variables of this moment later. It
// costs nothing until then.
func (e *environ) snapshot() envSnapshot { return slices.Clip(e.entries) }

// envSnapshot is an environment at one moment: assignments in order, of which
// the last of each name is in force. Entries are never changed in place.
type envSnapshot []envVar

// vars returns the variables in force, in order.
func (s envSnapshot) vars() []envVar {
	seen := make(map[string]bool, len(s))
	out := make([]envVar, 0, len(s))
	for _, v := range slices.Backward(s) {
		if !seen[v.name] {
			seen[v.name] = true
			out = append(out, v)
		}
	}
	slices.Reverse(out)
	return out
}

// filtered returns the variables in force without the ARGs that f withholds. Where
// such an ARG hides an ENV, that one shows again.
func (s envSnapshot) filtered(f *cachepolicy.ArgFilter) *environ {
	vars := s.vars()
	out := newEnviron(len(vars))
	for _, v := range vars {
		if v.arg && !f.Allows(v.name) {
			if v.covers == nil {
				continue
			}
			v = *v.covers
		}
		out.assign(v)
	}
	return out
}

// lookup returns the entry in force of a variable.
func (e *environ) lookup(name string) (envVar, bool) {
	i, ok := e.index[name]
	if !ok {
		return envVar{}, false
	}
	return e.entries[i], true
}

// set assigns a value that comes from no instruction.
func (e *environ) set(name, value string) { e.assign(envVar{name: name, value: value}) }

// assign sets a variable.
func (e *environ) assign(v envVar) {
	name := v.name
	if i, ok := e.index[name]; ok {
		if v.arg {
			v.covers = e.entries[i].env()
		}
		if i < e.listed {
			e.list, e.listed = nil, 0 // the list holds the old value
		}
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
	v, ok := e.lookup(name)
	return v.value, ok
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
