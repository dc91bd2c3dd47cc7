package recorder

import (
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/moby/patternmatcher"

	"github.com/cachewright/cachewright/cachepolicy/cacheplan"
)

// selected is one file of a selection.
type selected struct {
	// path is where the instruction finds the file. It differs from the node's when
	// a link leads there.
	path string
	node *node
}

// selection collects the files of a set, as BuildKit's content key of a COPY, ADD
// or bind mount counts them: directories with all below, links that a pattern
// leads to as what they lead to, other links as links. The context's root itself
// never counts. A file may be there twice.
type selection struct {
	tree  *tree
	files []selected

	// The filters of the pattern at hand; nil: none.
	include, exclude *patternmatcher.PatternMatcher
}

// selectFiles returns what the patterns of a set select. A pattern that leads
// nowhere selects nothing. It fails on a filter that is no pattern and on what
// cannot be read.
func selectFiles(t *tree, set *cacheplan.FileSet) ([]selected, error) {
	s := selection{tree: t}
	if len(set.Exclude) > 0 {
		var err error
		if s.exclude, err = patternmatcher.New(set.Exclude); err != nil {
			return nil, err
		}
	}
	var plain []string
	for _, p := range set.Patterns {
		p, filter, parents := strings.Cut("/"+filepath.ToSlash(p), "/./")
		p = path.Join("/", p)
		if !parents && s.exclude == nil && !cacheplan.HasWildcard(p) {
			plain = append(plain, p)
			continue
		}
		if err := s.pattern(p, filter); err != nil {
			return nil, err
		}
	}
	for _, p := range dropNested(plain) {
		if err := s.plain(p); err != nil {
			return nil, err
		}
	}
	return s.files, nil
}

// pattern adds what the filter, if there is one, leaves of a path or wildcard.
func (s *selection) pattern(p, filter string) error {
	s.include = nil
	if filter != "" {
		var err error
		if s.include, err = patternmatcher.New([]string{filter}); err != nil {
			return err
		}
	}
	if cacheplan.HasWildcard(p) {
		return s.wildcard(p)
	}
	n, err := s.tree.follow(p, false)
	if n == nil || err != nil {
		return err
	}
	return s.filter(strings.TrimPrefix(p, "/"), n, "", filterState{})
}

// dropNested leaves out paths below others: the builder looks at a path once, and
// so a link below another path counts as a link.
func dropNested(paths []string) []string {
	var out []string
	slices.Sort(paths)
	for _, p := range paths {
		nested := slices.ContainsFunc(out, func(dir string) bool {
			return strings.HasPrefix(p+"/", strings.TrimSuffix(dir, "/")+"/")
		})
		if !nested {
			out = append(out, p)
		}
	}
	return out
}

// plain adds what a path without wildcards leads to.
func (s *selection) plain(p string) error {
	n, err := s.tree.follow(p, true)
	if n == nil || err != nil {
		return err
	}
	return s.all(strings.TrimPrefix(p, "/"), n)
}

// all adds a file under a path, and all below it.
func (s *selection) all(p string, n *node) error {
	if n.isDir() {
		if err := s.tree.listAll(n); err != nil {
			return err
		}
	}
	s.walk(p, n)
	return nil
}

func (s *selection) walk(p string, n *node) {
	s.add(p, n)
	for i := range n.children {
		c := &n.children[i]
		s.walk(childPath(p, n, c), c)
	}
}

// childPath returns the path of a child of n, which is selected as p.
func childPath(p string, n, child *node) string {
	if p == n.path {
		return child.path
	}
	return join(p, child.name())
}

func (s *selection) add(p string, n *node) {
	if n != &s.tree.top {
		s.files = append(s.files, selected{path: p, node: n})
	}
}

// wildcard adds what matches a path with wildcards. Links are followed before the
// first component with a wildcard, and at the end.
func (s *selection) wildcard(p string) error {
	components := strings.Split(strings.TrimPrefix(p, "/"), "/")
	first := slices.IndexFunc(components, cacheplan.HasWildcard)
	prefix := strings.Join(components[:first], "/")
	n, err := s.tree.follow(prefix, true)
	if n == nil || err != nil {
		return err
	}
	return s.match(prefix, n, components[first:])
}

// match adds what matches the components below n, which is selected as p.
func (s *selection) match(p string, n *node, components []string) error {
	if len(components) == 0 {
		return s.filter(p, n, "", filterState{})
	}
	if !n.isDir() {
		return nil
	}
	if err := s.tree.list(n); err != nil {
		return err
	}
	for i := range n.children {
		c := &n.children[i]
		if ok, err := path.Match(components[0], c.name()); err != nil || !ok {
			continue // the build fails on a bad pattern
		}
		if err := s.match(childPath(p, n, c), c, components[1:]); err != nil {
			return err
		}
	}
	return nil
}

// filterState is what the filters said of the directories that a file is in.
type filterState struct {
	include, exclude patternmatcher.MatchInfo
	parents          *pendingDir
}

// pendingDir is a directory that counts as soon as something in it does.
type pendingDir struct {
	selected
	above *pendingDir
	added bool
}

// filter adds n, which is selected as p, and what is below it, as far as the
// filters let it. They see the path rel. A link counts as what it leads to unless
// it lies in a directory that counts or may count.
func (s *selection) filter(p string, n *node, rel string, state filterState) error {
	in, below, err := s.matches(rel, state)
	if err != nil {
		return err
	}
	if n.isLink() && in && state.parents == nil {
		return s.link(p, n)
	}
	if !n.isDir() {
		if in {
			s.addPending(state.parents)
			s.add(p, n)
		}
		return nil
	}
	if n != &s.tree.top {
		below.parents = &pendingDir{selected: selected{path: p, node: n}, above: state.parents}
	}
	if in {
		s.addPending(below.parents)
	} else if s.include == nil && !s.exclude.Exclusions() {
		return nil // nothing below is in either
	}
	if err := s.tree.list(n); err != nil {
		return err
	}
	for i := range n.children {
		c := &n.children[i]
		if err := s.filter(childPath(p, n, c), c, join(rel, c.name()), below); err != nil {
			return err
		}
	}
	return nil
}

// matches reports whether a path is in the selection, and the state for what is
// below it.
func (s *selection) matches(rel string, state filterState) (bool, filterState, error) {
	in, below := true, filterState{}
	var err error
	if s.include != nil {
		if in, below.include, err = s.include.MatchesUsingParentResults(rel, state.include); !in || err != nil {
			return false, below, err
		}
	}
	if s.exclude != nil {
		var out bool
		out, below.exclude, err = s.exclude.MatchesUsingParentResults(rel, state.exclude)
		in = !out
	}
	return in, below, err
}

// link adds what a link leads to, all of it: filters do not look there.
func (s *selection) link(p string, n *node) error {
	target, err := s.tree.follow(n.path, true)
	if err != nil {
		return err
	}
	if target == nil {
		s.add(p, n)
		return nil
	}
	return s.all(p, target)
}

// addPending adds a file, and the directories it is in that are not added yet.
func (s *selection) addPending(d *pendingDir) {
	if d == nil || d.added {
		return
	}
	s.addPending(d.above)
	s.add(d.path, d.node)
	d.added = true
}
