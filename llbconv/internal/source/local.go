package source

import (
	"encoding/json"
	"maps"
	"path"
	"path/filepath"
	"slices"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"
)

// Paths collects what is read from a context or stage.
type Paths struct {
	all   bool     // the root is among them
	paths []string // absolute, may repeat
}

// Add notes a source path or pattern; relative ones start at the root.
func (p *Paths) Add(src string) {
	if p.all {
		return
	}
	if src = AbsPath(src); src == "/" {
		p.all, p.paths = true, nil
		return
	}
	p.paths = append(p.paths, src)
}

// AddAll adds the paths of another set.
func (p *Paths) AddAll(other *Paths) {
	p.all = p.all || other.all
	p.paths = append(p.paths, other.paths...)
}

// LocalOptions returns the options that restrict a local source to the set; none
// if the set is empty or holds the root.
func (p *Paths) LocalOptions() []llb.LocalOption {
	if p.all || len(p.paths) == 0 {
		return nil
	}
	follow := make([]string, len(p.paths))
	for i, v := range p.paths {
		follow[i] = v[1:] // relative to the root
	}
	slices.Sort(follow)
	return []llb.LocalOption{llb.FollowPaths(slices.Compact(follow))}
}

// AbsPath cleans a path and makes it absolute. One that is both stays as it is.
func AbsPath(p string) string {
	p = filepath.ToSlash(p)
	if !path.IsAbs(p) {
		p = "/" + p
	}
	return path.Clean(p)
}

// JoinLocal returns the source of a local directory, the context of a name, that has
// what two have which are each narrowed to what one instruction reads.
func JoinLocal(name string, a, b Op) llb.State {
	attrs := maps.Clone(a.Attrs)
	one, two := a.followed(), b.followed()
	if len(one) == 0 || len(two) == 0 { // one has it all
		delete(attrs, pb.AttrFollowPaths)
	} else {
		paths := append(one, two...)
		slices.Sort(paths)
		data, _ := json.Marshal(slices.Compact(paths)) // strings do not fail
		attrs[pb.AttrFollowPaths] = string(data)
	}
	var c llb.Constraints
	llb.WithCustomName("[context " + name + "] load from client").SetConstraintsOption(&c)
	return llb.NewState(llb.NewSource(a.Identifier, attrs, c).Output())
}

// followed are the paths that a local source is narrowed to; none: it is not.
func (o Op) followed() []string {
	var paths []string
	if json.Unmarshal([]byte(o.Attrs[pb.AttrFollowPaths]), &paths) != nil {
		return nil
	}
	return paths
}
