package llbconv

import (
	"context"
	"strconv"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/dockerfile/dfgitutil"
	"github.com/moby/buildkit/solver/pb"
	"github.com/pkg/errors"

	"github.com/cachewright/cachewright/cachepolicy"
)

// ruleDir is where the sources that a rule adds to a key are mounted: below /dev,
// where the container's own file system hides them from the layer.
const ruleDir = "/dev/.cachewright"

// applyRule puts what a rule says about a RUN into its vertex.
func (e *emitter) applyRule(ctx context.Context, v *vertex, exec *execOp, d *decision) error {
	if d == nil {
		return nil
	}
	setExport(v, d)
	salt := d.Salt
	for i, src := range d.Mounts {
		if src.Kind == cachepolicy.SourceImage {
			digest, err := e.imageDigest(ctx, src.Ref)
			if err != nil {
				return err
			}
			salt += " " + src.String() + "@" + digest
			continue
		}
		m, err := e.ruleMount(src, ruleDir+"/"+strconv.Itoa(i))
		if err != nil {
			return err
		}
		exec.mounts = append(exec.mounts, m)
	}
	if salt != "" {
		addSalt(v, exec, salt)
	}
	return nil
}

// setContentBase keys an exec by the content of its root, where the rule says so
// and the root is not empty.
func setContentBase(v *vertex, exec *execOp, d *decision) {
	if d == nil || !d.ContentBase {
		return
	}
	for _, m := range exec.mounts {
		if m.mount.Dest == pb.RootMount && m.input != nil {
			v.needs(pb.CapExecMountContentCache)
			m.mount.ContentCache = pb.MountContentCache_ON
		}
	}
}

// setExport keeps a vertex out of remote caches where its rule says so.
func setExport(v *vertex, d *decision) {
	if d != nil && d.NoExport {
		v.meta.ExportCache = &pb.ExportCache{Value: false}
	}
}

// addSalt puts a text into an exec's key and nowhere else: as the id of an
// optional secret that nobody has, so that nothing is mounted. It works on any
// base and any daemon.
func addSalt(v *vertex, exec *execOp, salt string) {
	v.needs(pb.CapExecMountSecret)
	exec.extra = append(exec.extra, &pb.Mount{
		Input:     int64(pb.Empty),
		Dest:      ruleDir + "/salt",
		MountType: pb.MountType_SECRET,
		SecretOpt: &pb.SecretOpt{ID: salt, Mode: 0o400, Optional: true},
	})
}

// imageDigest resolves an image reference.
func (e *emitter) imageDigest(ctx context.Context, ref string) (string, error) {
	_, dgst, _, err := e.c.opt.MetaResolver.ResolveImageConfig(ctx, ref, sourceresolver.Opt{
		LogName: "[internal] load metadata for " + ref,
		ImageOpt: &sourceresolver.ResolveImageOpt{
			Platform:    &e.c.targetPlatform,
			ResolveMode: e.c.opt.Config.ImageResolveMode.String(),
		},
	})
	return dgst.String(), errors.Wrapf(err, "key=image://%s", ref)
}

// ruleMount makes the read-only mount of a source. URLs and files count by their
// content, a repository by its commit.
func (e *emitter) ruleMount(src cachepolicy.Source, target string) (execMount, error) {
	m := execMount{mount: &pb.Mount{Dest: target, Readonly: true, Output: int64(pb.SkipOutput)}}
	name := llb.WithCustomName("[internal] cache key " + src.String())
	switch src.Kind {
	case cachepolicy.SourceHTTP:
		const file = "content"
		m.input = llb.HTTP(src.Ref, llb.Filename(file), name).Output()
		m.mount.Selector = "/" + file
	case cachepolicy.SourceGit:
		ref, _, err := dfgitutil.ParseGitRef(src.Ref)
		if err != nil {
			return m, errors.Wrapf(err, "key=%s", src)
		}
		opts := []llb.GitOption{name, llb.GitRef(ref.Ref), llb.GitSkipSubmodules()}
		if ref.SubDir != "" {
			opts = append(opts, llb.GitSubDir(ref.SubDir))
		}
		m.input = llb.Git(ref.Remote, "", opts...).Output()
		m.mount.ContentCache = pb.MountContentCache_OFF
	case cachepolicy.SourceFile:
		m.input = e.keyFiles(src)
	default:
		return m, errors.Errorf("key=%s cannot be mounted", src)
	}
	return m, nil
}

// keyFiles copies the files of a file: source out of the build context, so that
// a missing one fails the build and others do not count.
func (e *emitter) keyFiles(src cachepolicy.Source) llb.Output {
	v := newFileVertex(&fileOp{actions: []fileAction{{
		copies: true,
		source: e.context,
		action: &pb.FileAction_Copy{Copy: &pb.FileActionCopy{
			Src:            absPath(src.Ref),
			Dest:           "/",
			Mode:           -1,
			Timestamp:      -1,
			FollowSymlink:  true,
			AllowWildcard:  true,
			CreateDestPath: true,
		}},
	}}}, "[internal] cache key "+src.String())
	return v.Output()
}
