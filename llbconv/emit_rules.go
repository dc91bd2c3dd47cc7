package llbconv

import (
	"strings"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"
)

// applyRule puts what a rule says about a RUN into its vertex. A source whose
// digest is not known is an input that nothing mounts: it is in the key, and the
// container does not differ.
func (e *emitter) applyRule(v *vertex, exec *execOp, s *step) {
	d := e.rules[s]
	if d == nil {
		return
	}
	exec.keys = e.setExport(v, s)
	for i := range d.keys {
		if k := &d.keys[i]; k.Digest == "" {
			exec.keys = append(exec.keys, e.keyInput(k))
		}
	}
	if salt := d.Salt(); salt != "" {
		addSalt(v, exec, salt)
	}
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

// setExport keeps a vertex out of remote caches where its rule says so. Daemons do
// not heed the metadata for a step that they have just run; but they never export
// what has a directory of the client as such in its key, nor what follows. So it
// returns such a directory as one more input, if the build has one: for off the
// build context, whose key is of this build alone.
func (e *emitter) setExport(v *vertex, s *step) []llb.Output {
	d := e.rules[s]
	if d == nil || !d.NoExport {
		return nil
	}
	v.meta.ExportCache = &pb.ExportCache{Value: false}
	name, local := strings.CutPrefix(sourceIdentifier(e.context), "local://")
	if local && d.Off {
		return []llb.Output{e.context}
	}
	if local {
		return []llb.Output{e.noFiles(name)}
	}
	if !d.Off {
		e.c.advise(e.c.lint, "CacheRuleMayExport", "The builder may export this step despite export=no: to keep it out of remote caches, build from a local directory", s.cmd.Location())
	}
	return nil
}

// noFiles returns none of the files of a directory of the client. It names no
// session of the client, so that its key is the same in all builds; a builder
// that does not have it yet waits five seconds for the session that it names,
// and then takes the build's own.
func (e *emitter) noFiles(directory string) llb.Output {
	if e.nothing == nil {
		e.nothing = llb.Local(directory, llb.SessionID("cachewright"), llb.SharedKeyHint("cachewright-nothing"),
			llb.FollowPaths([]string{noFile}), llb.WithCustomName("[internal] mark as not to be exported")).Output()
	}
	return e.nothing
}

// addSalt puts a text into an exec's key and nowhere else: as the id of an
// optional secret that nobody has, so that nothing is mounted. It works on any
// base and any daemon.
func addSalt(v *vertex, exec *execOp, salt string) {
	v.needs(pb.CapExecMountSecret)
	exec.extra = append(exec.extra, &pb.Mount{
		Input:     int64(pb.Empty),
		Dest:      "/dev/.cachewright",
		MountType: pb.MountType_SECRET,
		SecretOpt: &pb.SecretOpt{ID: salt, Mode: 0o400, Optional: true},
	})
}

// plainModes are the modes that files have under modes=ignore: nothing of their
// own but whether anybody may execute them.
const plainModes = "u=rwX,go=rX,a-t"

// contextWithoutModes returns a copy of the build context in which all files have
// plainModes. What a step copies from there is keyed by its content, so that the
// modes in the context do not count. The copy has the same paths and links, so that
// every source path and flag means what it means in the context.
func (e *emitter) contextWithoutModes() llb.Output {
	if e.noModes == nil {
		v := newFileVertex(&fileOp{actions: []fileAction{{
			copies: true,
			source: e.context,
			action: &pb.FileAction_Copy{Copy: &pb.FileActionCopy{
				Src:             "/",
				Dest:            "/",
				ModeStr:         plainModes,
				DirCopyContents: true,
				Timestamp:       -1,
			}},
		}}}, "[internal] build context without file modes")
		e.noModes = v.Output()
	}
	return e.noModes
}
