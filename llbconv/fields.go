package llbconv

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerui"

	"github.com/cachewright/cachewright/cachepolicy"
	"github.com/cachewright/cachewright/cachepolicy/cacheplan"
	"github.com/cachewright/cachewright/cachepolicy/fields"
	"github.com/cachewright/cachewright/llbconv/internal/position"
	"github.com/cachewright/cachewright/llbconv/internal/source"
)

// reducedFiles are the files that a COPY or ADD with the rule fields copies: those that
// it selects in the build context, with only the fields that count.
type reducedFiles struct {
	files []reducedFile
	// dirs are the directories that hold them, with their modes, in order.
	dirs map[string]os.FileMode
}

type reducedFile struct {
	fields.Reduced
	mode os.FileMode
}

// checkFields fails for a rule on files that it cannot be about.
func checkFields(d *decision, op *copyOp) error {
	s, ok := d.rule.Get(cachepolicy.OptionFields)
	if !ok || d.Fields == nil {
		return nil
	}
	if len(op.exclude) > 0 {
		return s.Errorf("--exclude does not go with it; name the files to copy instead")
	}
	for _, f := range op.files {
		if len(f.include) > 0 && cacheplan.HasWildcard(f.path) {
			return s.Errorf("%s has a wildcard before /./, which does not go with it; write the directory", contextPath(f.path))
		}
	}
	return nil
}

// readsOnlyContext reports whether a COPY or ADD takes files of the build context and
// nothing else.
func (op *copyOp) readsOnlyContext() bool {
	return len(op.files) > 0 && !slices.ContainsFunc(op.files, func(f copyFile) bool { return !f.source.context })
}

// resolveFields reads the files that rules reduce to some of their fields, and reduces
// them. It asks for no others.
func (c *conversion) resolveFields(ctx context.Context, ev *evaluation, ds decisions) error {
	var steps []*step
	var read source.Paths
	for _, s := range ev.inOrder() {
		for _, st := range s.steps {
			if d := ds[st]; d != nil && d.Fields != nil {
				steps = append(steps, st)
				for _, f := range st.op.(*copyOp).files {
					for _, p := range f.selects() {
						read.Add(beforeAnyDepth(p))
					}
				}
			}
		}
	}
	if len(steps) == 0 {
		return nil
	}
	tree, err := c.fieldsTree(ctx, read)
	if err != nil {
		return err
	}
	byStage := map[string][]*selection{}
	for _, st := range steps {
		sel, err := selectFiles(ctx, tree, st, ds[st])
		if err != nil {
			return sel.error(err)
		}
		key := st.stage.id + " " + ds[st].Fields.String()
		byStage[key] = append(byStage[key], sel)
	}
	for _, key := range slices.Sorted(maps.Keys(byStage)) {
		if err := reduce(byStage[key]); err != nil {
			return err
		}
	}
	c.adviseFields(ev, ds, steps)
	return nil
}

// beforeAnyDepth cuts a pattern before **, which sources do not know.
func beforeAnyDepth(p string) string {
	dir, _, any := strings.Cut("/"+p, "/**")
	if any && dir == "" {
		return "/"
	}
	return dir
}

// fieldsTree returns the build context, narrowed to some paths. It has a store of its
// own on the builder, so that the whole context stays in its own.
func (c *conversion) fieldsTree(ctx context.Context, read source.Paths) (*source.Tree, error) {
	opts := append(read.LocalOptions(), llb.SharedKeyHint("cachewright-fields"), dockerui.WithInternalName("load files for cache=fields"))
	main := dockerui.DefaultMainContext(opts...)
	if c.opt.Client != nil {
		var err error
		if main, err = c.opt.Client.MainContext(ctx, opts...); err != nil {
			return nil, err
		}
	}
	return c.lookup.Tree(ctx, *main)
}

// selects are the patterns of a source, relative to the build context.
func (f copyFile) selects() []string {
	dir := contextPath(f.path)
	if len(f.include) == 0 {
		return []string{dir}
	}
	out := make([]string, len(f.include))
	for i, p := range f.include {
		out[i] = path.Join(dir, p)
	}
	return out
}

// selection is the files that one step selects, as they are.
type selection struct {
	st    *step
	d     *decision
	files []fields.File
	modes map[string]os.FileMode
	dirs  map[string]os.FileMode
}

// error gives an error about the files of a step the position of the rule.
func (s *selection) error(err error) error {
	set, _ := s.d.rule.Get(cachepolicy.OptionFields)
	var e *cachepolicy.Error
	if !errors.As(err, &e) {
		err = set.Errorf("%v", err)
	}
	return position.With(RuleError(err), s.st.cmd.Location())
}

// maxFieldsBytes is how large a file may be whose fields are taken.
const maxFieldsBytes = 64 << 20

func selectFiles(ctx context.Context, tree *source.Tree, st *step, d *decision) (*selection, error) {
	s := &selection{st: st, d: d, modes: map[string]os.FileMode{}, dirs: map[string]os.FileMode{}}
	for _, f := range st.op.(*copyOp).files {
		for _, pattern := range f.selects() {
			paths, err := tree.Glob(ctx, pattern)
			if err != nil {
				return s, err
			}
			for _, p := range paths {
				if _, again := s.modes[p]; again {
					continue
				}
				if err := s.read(ctx, tree, p); err != nil {
					return s, err
				}
			}
		}
	}
	return s, nil
}

// read adds the file at a path.
func (s *selection) read(ctx context.Context, tree *source.Tree, p string) error {
	stat, err := tree.Follow(ctx, p)
	switch {
	case err != nil:
		return err
	case stat == nil:
		return fmt.Errorf("%s is a link to nothing in the build context", p)
	case stat.IsDir():
		return fmt.Errorf("%s is a directory; name the files whose fields count", p)
	case os.FileMode(stat.Mode)&os.ModeType&^os.ModeSymlink != 0:
		return fmt.Errorf("%s is no regular file", p)
	case stat.Size > maxFieldsBytes:
		return fmt.Errorf("%s has %d MB, and a file whose fields count may have %d; copy it whole", p, stat.Size>>20, maxFieldsBytes>>20)
	}
	data, err := tree.Read(ctx, p, stat.Size)
	if err != nil {
		return err
	}
	s.files = append(s.files, fields.File{Path: p, Data: data})
	s.modes[p] = s.plain(os.FileMode(stat.Mode) & (os.ModePerm | os.ModeSetuid | os.ModeSetgid | os.ModeSticky))
	for dir := path.Dir(p); dir != "."; dir = path.Dir(dir) {
		stat, err := tree.Follow(ctx, dir)
		if err != nil || stat == nil {
			return err
		}
		s.dirs[dir] = s.plain(os.FileMode(stat.Mode)&os.ModePerm | os.ModeDir)
	}
	return nil
}

// plain returns a mode as modes=ignore leaves it: plainModes.
func (s *selection) plain(mode os.FileMode) os.FileMode {
	if !s.d.IgnoreModes {
		return mode
	}
	if mode.IsDir() || mode&0o111 != 0 {
		return mode.Type() | 0o755
	}
	return mode.Type() | 0o644
}

// reduce reduces the files of the steps of a stage together.
func reduce(selections []*selection) error {
	var all []fields.File
	owner := map[string]*selection{}
	for _, s := range selections {
		for _, f := range s.files {
			if owner[f.Path] == nil {
				owner[f.Path] = s
				all = append(all, f)
			}
		}
	}
	list, err := fields.Reduce(*selections[0].d.Fields, all)
	if err != nil {
		at := selections[0]
		var e *fields.Error
		if errors.As(err, &e) && owner[e.Path] != nil {
			at = owner[e.Path]
		}
		return at.error(err)
	}
	reduced := map[string]fields.Reduced{}
	for _, r := range list {
		reduced[r.Path] = r
	}
	for _, s := range selections {
		s.d.reduced = &reducedFiles{dirs: s.dirs}
		for _, f := range s.files {
			s.d.reduced.files = append(s.d.reduced.files, reducedFile{reduced[f.Path], s.modes[f.Path]})
		}
	}
	return nil
}

const (
	// maxInlineBytes is how much goes into a build graph as it is.
	maxInlineBytes = 1 << 20
	// maxArchiveBytes is how much a build graph can carry: it is one message to the
	// builder, which takes 16 MB.
	maxArchiveBytes = 12 << 20
)
