package llbconv

import (
	"strings"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/identity"
	"github.com/moby/buildkit/solver/pb"

	"github.com/cachewright/cachewright/llbconv/internal/source"
	"github.com/cachewright/cachewright/llbconv/internal/vertex"
)

// copy makes the vertices of a COPY or ADD: the sources that it fetches itself,
// and one file operation. With --link the files are put in a layer of their own
// that is laid on top of base, so that they do not depend on it.
func (e *emitter) copy(s *step, d *decision, op *copyOp, base llb.Output) (stepVertices, error) {
	var reduced llb.Output
	if d != nil && d.reduced != nil {
		var err error
		if reduced, err = e.reducedContext(s, d.reduced); err != nil {
			return stepVertices{}, err
		}
	}
	link := e.c.links(op)
	file := &vertex.File{Base: base}
	if link {
		file.Base = nil
	}
	for _, f := range op.files {
		action := e.copyAction(s, d, op, f)
		if reduced != nil {
			action.Source = reduced
		}
		file.Actions = append(file.Actions, action)
	}
	v := vertex.NewFile(file, s.name())
	v.Meta.IgnoreCache = noCache(s, d)
	file.Keys = e.setExport(v, s, d)
	e.locate(v, s.cmd.Location())
	if !link {
		return stepVertices{op: v}, nil
	}
	group := identity.NewID()
	v.Meta.ProgressGroup = &pb.ProgressGroup{Id: group, Name: s.name(), Weak: true}
	if base == nil {
		return stepVertices{op: v}, nil
	}
	merge := vertex.New(&vertex.Merge{Layers: []llb.Output{base, v.Output()}}, s.prefix+"LINK "+s.title, pb.CapMergeOp)
	merge.Meta.IgnoreCache = noCache(s, d)
	merge.Meta.ExportCache = v.Meta.ExportCache
	merge.Meta.ProgressGroup = &pb.ProgressGroup{Id: group, Name: s.name()}
	e.locate(merge, s.cmd.Location())
	return stepVertices{op: v, merge: merge}, nil
}

// links reports whether the files of a COPY or ADD get a layer of their own.
func (c *conversion) links(op *copyOp) bool {
	return op.link && op.mode == nil && c.supports(pb.CapMergeOp)
}

func (e *emitter) copyAction(s *step, d *decision, op *copyOp, f copyFile) vertex.Action {
	c := &pb.FileActionCopy{
		Src:                              source.AbsPath(f.path),
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
	return vertex.Action{
		Action: &pb.FileAction_Copy{Copy: c},
		Owner:  op.owner,
		Source: e.copyInput(s, d, f.source),
		Copies: true,
	}
}

// copyInput returns the filesystem that a file is copied from.
func (e *emitter) copyInput(s *step, d *decision, src copySource) llb.Output {
	switch {
	case src.context && d != nil && d.IgnoreModes:
		return e.contextWithoutModes()
	case src.context:
		return e.context
	case src.stage != nil:
		return e.stages[src.stage].out
	case src.inline != nil:
		return inline(src.inline)
	case src.http != nil:
		return src.http.State(llb.WithCustomName(s.name()), commandDescription("")).Output()
	case src.git != nil:
		return src.git.State(e.c.opt.Config.GitAdvice, llb.WithCustomName(s.name())).Output()
	default:
		return nil
	}
}

// workdir makes the directory of a WORKDIR.
func (e *emitter) workdir(s *step, op *workdirOp, base llb.Output) stepVertices {
	timestamp := int64(-1)
	if e.c.epoch != nil {
		timestamp = e.c.epoch.UnixNano()
	}
	v := vertex.NewFile(&vertex.File{Base: base, Actions: []vertex.Action{{
		Owner: op.owner,
		Action: &pb.FileAction_Mkdir{Mkdir: &pb.FileActionMkDir{
			Path:        source.AbsPath(op.path),
			Mode:        0o755,
			MakeParents: true,
			Owner:       op.owner,
			Timestamp:   timestamp,
		}},
	}}}, s.name())
	e.locate(v, s.cmd.Location())
	return stepVertices{op: v}
}

// absDest is source.AbsPath for a destination: a trailing "/" or "/." says that it is a
// directory and is kept.
func absDest(p string) string {
	out := source.AbsPath(p)
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
