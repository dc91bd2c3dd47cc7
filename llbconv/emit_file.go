package llbconv

import (
	"path"
	"path/filepath"
	"strings"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/identity"
	"github.com/moby/buildkit/solver/pb"
)

// copy makes the vertices of a COPY or ADD: the sources that it fetches itself,
// and one file operation. With --link the files are put in a layer of their own
// that is laid on top of base, so that they do not depend on it.
func (e *emitter) copy(s *step, op *copyOp, base llb.Output) llb.Output {
	link := e.c.links(op)
	file := &fileOp{base: base}
	if link {
		file.base = nil
	}
	for _, f := range op.files {
		file.actions = append(file.actions, e.copyAction(s, op, f))
	}
	v := newFileVertex(file, s.name())
	s.vertex = v
	v.meta.IgnoreCache = e.rules.noCache(s)
	file.keys = e.setExport(v, s)
	e.locate(v, s.cmd.Location())
	if !link {
		return v.Output()
	}
	group := identity.NewID()
	v.meta.ProgressGroup = &pb.ProgressGroup{Id: group, Name: s.name(), Weak: true}
	if base == nil {
		return v.Output()
	}
	merge := newVertex(&mergeOp{layers: []llb.Output{base, v.Output()}}, s.prefix+"LINK "+s.title, pb.CapMergeOp)
	s.merge = merge
	merge.meta.IgnoreCache = e.rules.noCache(s)
	merge.meta.ExportCache = v.meta.ExportCache
	merge.meta.ProgressGroup = &pb.ProgressGroup{Id: group, Name: s.name()}
	e.locate(merge, s.cmd.Location())
	return merge.Output()
}

// links tells whether the files of a COPY or ADD get a layer of their own.
func (c *conversion) links(op *copyOp) bool {
	return op.link && op.mode == nil && c.supports(pb.CapMergeOp)
}

func (e *emitter) copyAction(s *step, op *copyOp, f copyFile) fileAction {
	c := &pb.FileActionCopy{
		Src:                              absPath(f.path),
		Dest:                             absDest(op.dest),
		Owner:                            op.owner,
		Mode:                             -1,
		IncludePatterns:                  f.include,
		ExcludePatterns:                  op.exclude,
		RequiredPaths:                    f.required,
		CreateDestPath:                   true,
		FollowSymlink:                    f.local,
		DirCopyContents:                  f.local,
		AllowWildcard:                    f.local,
		AllowEmptyWildcard:               f.local,
		AttemptUnpackDockerCompatibility: f.unpack,
		Timestamp:                        -1,
	}
	if op.mode != nil {
		c.Mode, c.ModeStr = int32(op.mode.bits), op.mode.symbolic
	}
	return fileAction{
		action: &pb.FileAction_Copy{Copy: c},
		owner:  op.owner,
		source: e.copyInput(s, f.source),
		copies: true,
	}
}

// copyInput returns the filesystem that a file is copied from.
func (e *emitter) copyInput(s *step, src copySource) llb.Output {
	switch {
	case src.context && e.rules[s] != nil && e.rules[s].IgnoreModes:
		return e.contextWithoutModes()
	case src.context:
		return e.context
	case src.stage != nil:
		return src.stage.out
	case src.inline != nil:
		return inline(src.inline)
	case src.http != nil:
		h := src.http
		return llb.HTTP(h.url, llb.Filename(h.filename), llb.WithCustomName(s.name()), llb.Checksum(h.checksum), commandDescription("")).Output()
	case src.git != nil:
		return e.git(src.git, llb.WithCustomName(s.name())).Output()
	default:
		return nil
	}
}

// git makes the source vertex of a repository.
func (e *emitter) git(g *gitSource, opts ...llb.GitOption) llb.State {
	opts = append(opts, llb.GitRef(g.ref.Ref))
	if e.c.opt.Config.GitAdvice {
		opts = append(opts, llb.GitAdvice(true))
	}
	if g.keepGitDir {
		opts = append(opts, llb.KeepGitDir())
	}
	if g.checksum != "" {
		opts = append(opts, llb.GitChecksum(g.checksum))
	}
	if g.ref.SubDir != "" {
		opts = append(opts, llb.GitSubDir(g.ref.SubDir))
	}
	if g.ref.Submodules != nil && !*g.ref.Submodules {
		opts = append(opts, llb.GitSkipSubmodules())
	}
	if g.ref.FetchByCommit {
		opts = append(opts, llb.GitFetchByCommit())
	}
	return llb.Git(g.ref.Remote, "", opts...)
}

// workdir makes the directory of a WORKDIR.
func (e *emitter) workdir(s *step, op *workdirOp, base llb.Output) llb.Output {
	timestamp := int64(-1)
	if e.c.epoch != nil {
		timestamp = e.c.epoch.UnixNano()
	}
	v := newFileVertex(&fileOp{base: base, actions: []fileAction{{
		owner: op.owner,
		action: &pb.FileAction_Mkdir{Mkdir: &pb.FileActionMkDir{
			Path:        absPath(op.path),
			Mode:        0o755,
			MakeParents: true,
			Owner:       op.owner,
			Timestamp:   timestamp,
		}},
	}}}, s.name())
	s.vertex = v
	e.locate(v, s.cmd.Location())
	return v.Output()
}

// absPath cleans a path and makes it absolute. One that is both stays as it is.
func absPath(p string) string {
	p = filepath.ToSlash(p)
	if !path.IsAbs(p) {
		p = "/" + p
	}
	return path.Clean(p)
}

// absDest is absPath for a destination: a trailing "/" or "/." says that it is a
// directory and is kept.
func absDest(p string) string {
	out := absPath(p)
	switch {
	case strings.HasSuffix(p, "/") && out != "/":
		return out + "/"
	case strings.HasSuffix(p, "/.") && out != "/":
		return out + "/."
	case strings.HasSuffix(p, "/."):
		return "/."
	default:
		return out
	}
}
