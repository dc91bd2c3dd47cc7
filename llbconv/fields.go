package llbconv

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
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
	"github.com/moby/buildkit/solver/pb"

	"github.com/cachewright/cachewright/cachepolicy"
	"github.com/cachewright/cachewright/cachepolicy/cacheplan"
	"github.com/cachewright/cachewright/cachepolicy/fields"
	"github.com/cachewright/cachewright/llbconv/internal/position"
	"github.com/cachewright/cachewright/llbconv/internal/source"
	"github.com/cachewright/cachewright/llbconv/internal/vertex"
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
	return position.With(ruleError(err), s.st.cmd.Location())
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

// reducedContext returns a filesystem in which the reduced files stand where they
// stand in the build context, so that every source path and flag of the instruction
// means what it means there. It is nil if there are none.
func (e *emitter) reducedContext(st *step, r *reducedFiles) (llb.Output, error) {
	if out, ok := e.reduced[r]; ok || len(r.files) == 0 {
		return out, nil
	}
	name := "[internal] fields of " + r.names()
	size := 0
	for _, f := range r.files {
		size += len(f.Data)
	}
	make := r.actions
	if size > maxInlineBytes {
		make = r.archive
	}
	actions, err := make()
	if err != nil {
		return nil, err
	}
	v := vertex.NewFile(&vertex.File{Actions: actions}, name)
	e.locate(v, st.cmd.Location())
	if e.reduced == nil {
		e.reduced = map[*reducedFiles]llb.Output{}
	}
	e.reduced[r] = v.Output()
	return v.Output(), nil
}

// names lists the files, or the first of many.
func (r *reducedFiles) names() string {
	const most = 3
	var names []string
	for _, f := range r.files[:min(len(r.files), most)] {
		names = append(names, f.Path)
	}
	if more := len(r.files) - most; more > 0 {
		names = append(names, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(names, " ")
}

// actions make the files one by one.
func (r *reducedFiles) actions() ([]vertex.Action, error) {
	var out []vertex.Action
	for _, dir := range slices.Sorted(maps.Keys(r.dirs)) {
		out = append(out, vertex.Action{Action: &pb.FileAction_Mkdir{Mkdir: &pb.FileActionMkDir{
			Path: source.AbsPath(dir), Mode: int32(r.dirs[dir].Perm()), Timestamp: -1,
		}}})
	}
	for _, f := range r.files {
		out = append(out, vertex.Action{Action: &pb.FileAction_Mkfile{Mkfile: &pb.FileActionMkFile{
			Path: source.AbsPath(f.Path), Mode: int32(f.mode.Perm()), Data: f.Data, Timestamp: -1,
		}}})
	}
	return out, nil
}

const (
	// maxInlineBytes is how much goes into a build graph as it is.
	maxInlineBytes = 1 << 20
	// maxArchiveBytes is how much a build graph can carry: it is one message to the
	// builder, which takes 16 MB.
	maxArchiveBytes = 12 << 20
)

// archive makes the files out of a compressed archive, since what a build graph can
// carry is limited.
func (r *reducedFiles) archive() ([]vertex.Action, error) {
	var b bytes.Buffer
	zip := gzip.NewWriter(&b)
	archive := tar.NewWriter(zip)
	for _, dir := range slices.Sorted(maps.Keys(r.dirs)) {
		if err := archive.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: dir + "/", Mode: int64(r.dirs[dir].Perm())}); err != nil {
			return nil, err
		}
	}
	for _, f := range r.files {
		if err := archive.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: f.Path, Mode: int64(f.mode.Perm()), Size: int64(len(f.Data))}); err != nil {
			return nil, err
		}
		if _, err := archive.Write(f.Data); err != nil {
			return nil, err
		}
	}
	if err := errors.Join(archive.Close(), zip.Close()); err != nil {
		return nil, err
	}
	if b.Len() > maxArchiveBytes {
		return nil, fmt.Errorf("%s: the fields that count have %d MB compressed, and a build graph carries %d; copy the file whole", r.names(), b.Len()>>20, maxArchiveBytes>>20)
	}
	const name = "/fields.tar.gz"
	packed := vertex.NewFile(&vertex.File{Actions: []vertex.Action{{
		Action: &pb.FileAction_Mkfile{Mkfile: &pb.FileActionMkFile{Path: name, Mode: 0o600, Data: b.Bytes(), Timestamp: -1}},
	}}}, "[internal] pack "+r.names())
	return []vertex.Action{{
		Copies: true,
		Source: packed.Output(),
		Action: &pb.FileAction_Copy{Copy: &pb.FileActionCopy{
			Src: name, Dest: "/", Mode: -1, CreateDestPath: true, AttemptUnpackDockerCompatibility: true, Timestamp: -1,
		}},
	}}, nil
}

// inputs are the files and fields in the form of the plan.
func (r *reducedFiles) inputs(rule cachepolicy.Setting, secretKey func() []byte) []cachepolicy.Input {
	var out []cachepolicy.Input
	for _, f := range r.files {
		var list []cachepolicy.Input
		withheld := false
		for _, field := range f.Fields {
			in := fieldInput(f.Path, field, rule.Origin, secretKey)
			withheld = withheld || in.Secret
			list = append(list, in)
		}
		file := cachepolicy.Input{
			Kind: cachepolicy.InputFields, Name: f.Path, Origin: rule.Origin,
			Value: fmt.Sprintf("%d fields, mode %04o", len(f.Fields), f.mode.Perm()), Digest: string(vertex.Digest(f.Data)),
		}
		if withheld { // a digest of all values would give the secret ones away
			file.Digest = cachepolicy.NewWithheld(cachepolicy.InputFields, f.Path, "", string(f.Data), rule.Origin, secretKey()).Digest
		}
		out = append(append(out, file), list...)
	}
	return out
}

func fieldInput(file string, f fields.Field, origin cachepolicy.Origin, secretKey func() []byte) cachepolicy.Input {
	name := file + cachepolicy.FieldSeparator + f.Name
	key := f.Name[strings.LastIndex(f.Name, ".")+1:]
	if f.Package {
		key = ""
	}
	if cachepolicy.IsSecret(key, f.Value) {
		return cachepolicy.NewWithheld(cachepolicy.InputField, name, "", name+"="+f.Value, origin, secretKey())
	}
	in := cachepolicy.NewInput(cachepolicy.InputField, name, f.Value, origin)
	if f.Group {
		in.Value, in.Digest = f.Version, string(vertex.Digest([]byte(f.Value)))
	}
	return in
}
