package source

import (
	"context"
	"strings"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"

	"github.com/cachewright/cachewright/llbconv/internal/vertex"
)

// The schemes of source identifiers.
const (
	imageScheme = "docker-image://"
	localScheme = "local://"
	gitScheme   = "git://"
)

// Op is a source in the form that the daemon takes, such as "local://context".
// The zero Op is none.
type Op struct{ *pb.SourceOp }

// Of returns the source that an output is; false if it is none. A vertex of package
// llb, as dockerui returns them for contexts, says what it is in encoded form only.
func Of(out llb.Output) (Op, bool) {
	if out == nil {
		return Op{}, false
	}
	if v, ok := vertex.Of(out); ok {
		src, ok := v.Op.(*vertex.Source)
		if !ok {
			return Op{}, false
		}
		return Op{src.Op}, true
	}
	ctx, c := context.Background(), &llb.Constraints{}
	_, data, _, _, err := out.Vertex(ctx, c).Marshal(ctx, c)
	if err != nil {
		return Op{}, false
	}
	return decode(data)
}

func decode(data []byte) (Op, bool) {
	var op pb.Op
	if err := op.UnmarshalVT(data); err != nil || op.GetSource() == nil {
		return Op{}, false
	}
	return Op{op.GetSource()}, true
}

// Only returns the only source of a state; false if it has none or several.
func Only(ctx context.Context, st llb.State, opts ...llb.ConstraintsOpt) (Op, bool, error) {
	def, err := st.Marshal(ctx, opts...)
	if err != nil {
		return Op{}, false, err
	}
	var found Op
	count := 0
	for _, dt := range def.Def {
		if op, ok := decode(dt); ok {
			found = op
			count++
		}
	}
	return found, count == 1, nil
}

// IsGit reports whether the source is a git repository.
func (o Op) IsGit() bool { return strings.HasPrefix(o.GetIdentifier(), gitScheme) }

// IsHTTP reports whether the source is a URL.
func (o Op) IsHTTP() bool {
	return strings.HasPrefix(o.GetIdentifier(), "http://") || strings.HasPrefix(o.GetIdentifier(), "https://")
}

// Local returns the client's name of the directory that the source is; false if it
// is none.
func (o Op) Local() (string, bool) {
	name, ok := strings.CutPrefix(o.GetIdentifier(), localScheme)
	if !ok {
		return "", false
	}
	return name, true
}

// Name returns what the source is called, and its digest if the name has one.
func (o Op) Name() (name, digest string) {
	if ref, ok := strings.CutPrefix(o.GetIdentifier(), imageScheme); ok {
		return ref, DigestIn(ref)
	}
	_, name, _ = strings.Cut(o.GetIdentifier(), "://")
	return name, ""
}

// Identity returns a digest that stands for a filesystem which is made of nothing but
// images and commits that are named by digest, such as another target of a bake file;
// nothing if it is made of anything that may have changed.
func Identity(out llb.Output) string {
	if out == nil {
		return ""
	}
	def, err := llb.NewState(out).Marshal(context.Background())
	if err != nil || len(def.Def) == 0 {
		return ""
	}
	for _, dt := range def.Def {
		if op, ok := decode(dt); ok && !op.pinned() {
			return ""
		}
	}
	return string(vertex.Digest(def.Def[len(def.Def)-1]))
}

// pinned reports whether the source is named by its digest.
func (o Op) pinned() bool {
	switch {
	case o.IsGit():
		return o.Attrs[pb.AttrGitChecksum] != ""
	case o.IsHTTP():
		return o.Attrs[pb.AttrHTTPChecksum] != ""
	default:
		_, digest := o.Name()
		return digest != ""
	}
}
