package llbconv

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

// historyComment marks history entries that a Dockerfile frontend wrote.
const historyComment = "buildkit.dockerfile.v0"

// history is an image's history. Entries are rendered only for the image that is
// exported, since the text of a RUN repeats every build argument.
type history struct {
	parent    *history
	inherited []ocispecs.History // from the base image
	own       []historyEntry
}

type historyEntry struct {
	text  string
	run   *step // set for RUN, whose text is rendered late
	layer bool
	at    *time.Time
}

// add records an instruction; layer reports whether it made one.
func (h *history) add(text string, layer bool, at *time.Time) {
	h.own = append(h.own, historyEntry{text: text, layer: layer, at: at})
}

// addRun records a RUN.
func (h *history) addRun(run *step, at *time.Time) {
	h.own = append(h.own, historyEntry{run: run, layer: true, at: at})
}

// entries renders the history. A RUN shows only the build arguments that its rule
// lets through.
func (h *history) entries(d decisions) []ocispecs.History {
	var chain []*history
	size := 0
	for p := h; p != nil; p = p.parent {
		chain = append(chain, p)
		size += len(p.inherited) + len(p.own)
	}
	out := make([]ocispecs.History, 0, size)
	for _, p := range slices.Backward(chain) {
		out = append(out, p.inherited...)
		for _, e := range p.own {
			text := e.text
			if e.run != nil {
				text = d.applied(e.run).op.(*runOp).historyText()
			}
			out = append(out, ocispecs.History{CreatedBy: text, Comment: historyComment, EmptyLayer: !e.layer, Created: e.at})
		}
	}
	return out
}

// historyText is the command preceded by the declared build arguments, in the order of
// their first declaration, with the values the command saw.
func (r *runOp) historyText() string {
	command := strings.Join(r.args, " ")
	size := len("RUN |99999  # buildkit") + len(command)
	for _, kv := range r.declared {
		size += len(kv) + 1
	}
	var b strings.Builder
	b.Grow(size) // the arguments can be most of an image config, and are written again for each RUN
	b.WriteString("RUN ")
	if n := len(r.declared); n > 0 {
		b.WriteString("|" + strconv.Itoa(n) + " ")
		for _, kv := range r.declared {
			b.WriteString(kv)
			b.WriteByte(' ')
		}
	}
	b.WriteString(command)
	b.WriteString(" # buildkit")
	return b.String()
}

// declaredArgs lists the build arguments that a stage and its bases declare, as
// the history of a RUN shows them.
type declaredArgs struct {
	list   []string // NAME=VALUE in the order of first declaration
	index  map[string]int
	shared bool // somebody holds list: copy before changing an entry
}

func newDeclaredArgs() *declaredArgs {
	return &declaredArgs{index: map[string]int{}}
}

func (d *declaredArgs) clone() *declaredArgs {
	return &declaredArgs{list: slices.Clone(d.list), index: maps.Clone(d.index)}
}

// declare adds an argument, or gives a declared one its new value.
func (d *declaredArgs) declare(name, value string) {
	if d.assign(name, value) {
		return
	}
	d.index[name] = len(d.list)
	d.list = append(d.list, name+"="+value)
}

// assign notes a variable's new value if it is a declared argument.
func (d *declaredArgs) assign(name, value string) bool {
	i, ok := d.index[name]
	if !ok {
		return false
	}
	if d.shared {
		d.list, d.shared = slices.Clone(d.list), false
	}
	d.list[i] = name + "=" + value
	return true
}

// snapshot returns the list as it is now; later changes do not show in it.
func (d *declaredArgs) snapshot() []string {
	d.shared = true
	return slices.Clip(d.list)
}
