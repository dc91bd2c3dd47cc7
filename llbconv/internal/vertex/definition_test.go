package vertex_test

import (
	"testing"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"
	"google.golang.org/protobuf/proto"

	"github.com/cachewright/cachewright/llbconv/internal/vertex"
)

// TestDefinition compares definitions with llb's, where the converted files of
// other tests do not reach: vertices that are one operation but differ in
// metadata, and several source files.
func TestDefinition(t *testing.T) {
	location := func(from *llb.State, filename, text string) llb.ConstraintsOpt {
		return llb.NewSourceMap(from, filename, "Dockerfile", []byte(text)).
			Location([]*pb.Range{{Start: &pb.Position{Line: 1}, End: &pb.Position{Line: 2}}})
	}
	local := llb.Local("dockerfile", llb.LocalUniqueID("unique"))
	// both has two vertices that run the same command.
	both := func(first, second []llb.RunOption) llb.State {
		run := func(opts []llb.RunOption) llb.State {
			return llb.Image("busybox").Run(append(opts, llb.Shlex("x"))...).Root()
		}
		return llb.Merge([]llb.State{run(first).File(llb.Mkdir("/a", 0o755)), run(second).File(llb.Mkdir("/b", 0o755))})
	}
	one := func(opt llb.RunOption) []llb.RunOption { return []llb.RunOption{opt} }
	for name, st := range map[string]llb.State{
		"empty":               llb.Scratch(),
		"ignored first":       both(one(llb.IgnoreCache), nil),
		"ignored second":      both(nil, one(llb.IgnoreCache)),
		"descriptions":        both(one(llb.WithDescription(map[string]string{"a": "1", "b": "1"})), one(llb.WithDescription(map[string]string{"b": "2"}))),
		"late description":    both(nil, one(llb.WithCustomName("x"))),
		"groups":              both(one(llb.ProgressGroup("1", "first", true)), one(llb.ProgressGroup("2", "second", false))),
		"one group":           both(one(llb.ProgressGroup("1", "first", true)), nil),
		"exported":            both(nil, one(llb.WithExportCache())),
		"not exported":        both(one(llb.WithoutExportCache()), one(llb.WithExportCache())),
		"capabilities":        both(nil, one(llb.WithLinuxResources(llb.LinuxResources{Memory: 1}))),
		"one position":        both(nil, one(location(&local, "a", "text"))),
		"equal files":         both(one(location(nil, "a", "text")), one(location(nil, "a", "text"))),
		"files of other name": both(one(location(nil, "a", "text")), one(location(nil, "b", "text"))),
		"files of other text": both(one(location(nil, "a", "text")), one(location(nil, "a", "more"))),
	} {
		t.Run(name, func(t *testing.T) {
			want, err := st.Marshal(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			got, err := vertex.Encode(t.Context(), st.Output(), 0, nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			if !proto.Equal(got.PB, want.ToPB()) {
				t.Errorf("got\n%v\nwant\n%v", got.PB, want.ToPB())
			}
		})
	}
}
