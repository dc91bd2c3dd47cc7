package llbconv

import (
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"

	"github.com/cachewright/cachewright/llbconv/internal/vertex"
)

// applyRule puts what a rule says about a RUN into its vertex. A source whose
// digest is not known is an input that nothing mounts: it is in the key, and the
// container does not differ.
func (e *emitter) applyRule(v *vertex.Vertex, exec *vertex.Exec, s *step, d *decision) {
	if d == nil {
		return
	}
	exec.Keys = e.setExport(v, s, d)
	for i := range d.keys {
		if k := &d.keys[i]; k.Digest == "" {
			exec.Keys = append(exec.Keys, e.keyInput(k))
		}
	}
	if salt := d.Salt(); salt != "" {
		addSalt(v, exec, salt)
	}
}

// setContentBase keys an exec by the content of its root, where the rule says so
// and the root is not empty.
func setContentBase(v *vertex.Vertex, exec *vertex.Exec, d *decision) {
	if d == nil || !d.ContentBase {
		return
	}
	for _, m := range exec.Mounts {
		if m.Mount.Dest == pb.RootMount && m.Input != nil {
			v.Needs(pb.CapExecMountContentCache)
			m.Mount.ContentCache = pb.MountContentCache_ON
		}
	}
}

// setExport keeps a vertex out of remote caches where its rule says so. Daemons do
// not heed the metadata for a step that they have just run; but they never export
// what has a directory of the client as such in its key, nor what follows. So it
// returns such a directory as one more input, if the build has one: for off the
// build context, whose key is of this build alone.
func (e *emitter) setExport(v *vertex.Vertex, s *step, d *decision) []llb.Output {
	if d == nil || !d.NoExport {
		return nil
	}
	v.Meta.ExportCache = &pb.ExportCache{Value: false}
	if e.local != "" && d.Off {
		return []llb.Output{e.context}
	}
	if e.local != "" {
		return []llb.Output{e.noFiles(e.local)}
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
			llb.FollowPaths([]string{noFile}), llb.WithCustomName("[internal] mark as not to be exported (a builder waits 5 s for it, once)")).Output()
	}
	return e.nothing
}

// addSalt puts a text into an exec's key and nowhere else: as the id of an
// optional secret that nobody has, so that nothing is mounted. It works on any
// base and any daemon.
func addSalt(v *vertex.Vertex, exec *vertex.Exec, salt string) {
	v.Needs(pb.CapExecMountSecret)
	exec.Extra = append(exec.Extra, &pb.Mount{
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
		v := vertex.NewFile(&vertex.File{Actions: []vertex.Action{{
			Copies: true,
			Source: e.context,
			Action: &pb.FileAction_Copy{Copy: &pb.FileActionCopy{
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
