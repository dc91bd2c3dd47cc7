package explain

import (
	"slices"
	"strconv"
	"strings"

	"github.com/cachewright/cachewright/cachepolicy/cacheplan"
	"github.com/cachewright/cachewright/cachepolicy/internal/phrase"
)

// maxNamedFiles is how many changed files a step's reasons name.
const maxNamedFiles = 2

// files returns what differs between the files of two inputs: at most two by name,
// then a count. Contents come before additions, these before removals, and mode
// changes come last.
func (d *differ) files(p inputPair) []Reason {
	var old, new cacheplan.KnownSet
	if p.old != nil {
		old = d.oldSets[p.old.Files]
	}
	if p.new != nil {
		new = d.newSets[p.new.Files]
	}
	if d.old.Text() != d.new.Text() && (p.old == nil || p.new == nil || !samePatterns(old, new)) {
		return nil // other files, because the instruction says so
	}
	switch {
	case p.old != nil && old.FileSet == nil || p.new != nil && new.FileSet == nil || old.Sum == new.Sum:
		return nil
	case old.FileSet == nil:
		old.FileSet = &cacheplan.FileSet{}
	case new.FileSet == nil:
		new.FileSet = &cacheplan.FileSet{}
	}
	if old.Digest != "" || new.Digest != "" {
		return []Reason{{Kind: ReasonFiles, Change: Changed, Count: new.Size()}}
	}
	var c fileChanges
	c.compare(old.Files, new.Files, old.IgnoreModes && new.IgnoreModes)
	return c.reasons()
}

// samePatterns reports whether two known sets select by the same patterns.
func samePatterns(a, b cacheplan.KnownSet) bool {
	return a.FileSet != nil && b.FileSet != nil && slices.Equal(a.Patterns, b.Patterns) && slices.Equal(a.Exclude, b.Exclude)
}

// fileChanges collects differences by their kind.
type fileChanges struct {
	content, added, removed, mode []Reason
	total                         int
}

// compare walks over two sorted lists.
func (c *fileChanges) compare(old, new []cacheplan.File, ignoreModes bool) {
	for len(old) > 0 || len(new) > 0 {
		switch {
		case len(old) == 0 || len(new) > 0 && new[0].Path < old[0].Path:
			c.add(&c.added, Reason{Kind: ReasonFileAdded, Change: Added, Name: displayPath(new[0])})
			new = new[1:]
		case len(new) == 0 || old[0].Path < new[0].Path:
			c.add(&c.removed, Reason{Kind: ReasonFileRemoved, Change: Removed, Name: displayPath(old[0])})
			old = old[1:]
		default:
			c.file(&old[0], &new[0], ignoreModes)
			old, new = old[1:], new[1:]
		}
	}
}

// file compares two states of one file.
func (c *fileChanges) file(old, new *cacheplan.File, ignoreModes bool) {
	switch {
	case old.Digest != new.Digest || old.Mode.Type() != new.Mode.Type():
		c.add(&c.content, Reason{Kind: ReasonFileChanged, Change: Changed, Name: displayPath(*new)})
	case old.Mode.Counted(ignoreModes) != new.Mode.Counted(ignoreModes):
		c.add(&c.mode, Reason{Kind: ReasonFileMode, Change: Changed, Name: displayPath(*new), Old: permission(old.Mode), New: permission(new.Mode)})
	}
}

// add keeps a reason if it may be shown, and counts it.
func (c *fileChanges) add(list *[]Reason, r Reason) {
	if len(*list) < maxNamedFiles {
		*list = append(*list, r)
	}
	if !isDirectory(r) {
		c.total++
	}
}

// isDirectory reports whether a reason is about a directory: those are named, but do
// not count as files.
func isDirectory(r Reason) bool { return strings.HasSuffix(r.Name, "/") }

func (c *fileChanges) reasons() []Reason {
	var out []Reason
	for _, list := range [][]Reason{c.content, c.added, c.removed, c.mode} {
		for _, r := range list {
			if len(out) < maxNamedFiles {
				out = append(out, r)
			}
		}
	}
	rest := c.total
	for _, r := range out {
		if !isDirectory(r) {
			rest--
		}
	}
	if rest > 0 {
		out = append(out, Reason{Kind: ReasonMoreFiles, Change: Changed, Count: rest})
	}
	return out
}

func displayPath(f cacheplan.File) string {
	if f.Mode.IsDir() {
		return phrase.ValidName(f.Path + "/")
	}
	return phrase.ValidName(f.Path)
}

// permission returns the permission bits as chmod writes them.
func permission(m cacheplan.FileMode) string {
	return strconv.FormatUint(uint64(m.Permission()), 8)
}
