package recorder

import (
	"encoding/hex"
	"fmt"
	"os"

	"github.com/cachewright/cachewright/cachepolicy/cacheplan"
)

// given sums all that the recorder was given besides the request: itself, and every
// file of its mounts, selected or not. Where all of that is the same, the builder has
// the recorder's answer in its cache, unless it has lost it. It returns nothing if
// something cannot be read. What only a key looks at, such as contents, is in the plan;
// for the rest, size and time stand for a file.
func (r *run) given() string {
	h := cacheplan.NewHasher()
	path, err := os.Executable()
	if err != nil {
		return ""
	}
	self, err := os.Stat(path)
	if err != nil {
		return ""
	}
	h.Add(fmt.Sprint(self.Size(), self.ModTime().UnixNano()))
	for _, t := range r.trees {
		if t.listAll(&t.top) != nil {
			return ""
		}
		h.Add(t.root)
		t.top.each(func(n *node) {
			h.Add(n.path)
			h.Add(fmt.Sprint(n.stat.mode, n.stat.uid, n.stat.gid))
			if !n.isDir() { // a directory's says only when something in it was replaced
				h.Add(fmt.Sprint(n.stat.size, n.stat.mtime))
			}
		})
	}
	sum := h.Sum()
	return hex.EncodeToString(sum[:])
}

// each calls f with a node and all that is listed below it.
func (n *node) each(f func(*node)) {
	f(n)
	for i := range n.children {
		n.children[i].each(f)
	}
}
