package llbconv

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"

	"github.com/cachewright/cachewright/cachepolicy"
	"github.com/cachewright/cachewright/cachepolicy/fields"
	"github.com/cachewright/cachewright/llbconv/internal/source"
	"github.com/cachewright/cachewright/llbconv/internal/vertex"
)

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
