package llbconv_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/dockerfile/dockerfile2llb"
	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"
	"google.golang.org/protobuf/encoding/prototext"

	"github.com/cachewright/cachewright/llbconv"
)

type fakeResolver struct{}

func (fakeResolver) ResolveImageConfig(ctx context.Context, ref string, opt sourceresolver.Opt) (string, digest.Digest, []byte, error) {
	cfg := `{"architecture":"amd64","os":"linux","config":{"Env":["PATH=/bin","BASE=1"],"WorkingDir":"/w"},"rootfs":{"type":"layers","diff_ids":["sha256:aa"]}}`
	return ref, digest.FromString(ref), []byte(cfg), nil
}

func TestOracleSmoke(t *testing.T) {
	df := []byte(`# syntax=x
ARG V=1
FROM busybox:$V AS base
ENV A=1 B=$A
ARG X=3
RUN echo $A
ENV A=2
WORKDIR foo
RUN --mount=type=cache,target=/c,uid=3 --mount=type=bind,source=a,target=b,rw --mount=type=secret,id=s,env=S --mount=type=ssh make $X
COPY --chown=bob:3 --chmod=755 a b*.c /x/
COPY --link --from=alpine /etc/x .
COPY <<EOF2 <<EOF3 /y/
hello $A
EOF2
other
EOF3
RUN <<EOF4
#!/bin/sh
echo
EOF4
ADD http://x/y.tar /z
ADD --keep-git-dir https://github.com/a/b.git#main:sub /g
EXPOSE 80/tcp 90-92
CMD foo
FROM scratch
COPY --from=base / /
ENTRYPOINT ["x"]
FROM base
USER bob
WORKDIR /q
RUN true
ENTRYPOINT x
`)
	sm := llb.NewSourceMap(nil, "Dockerfile", "Dockerfile", df)
	caps := pb.Caps.CapSet(pb.Caps.All())
	want, err := dockerfile2llb.Dockerfile2LLB(context.TODO(), df, dockerfile2llb.ConvertOpt{SourceMap: sm, MetaResolver: fakeResolver{}, LLBCaps: &caps})
	if err != nil {
		t.Fatal(err)
	}
	got, err := llbconv.Convert(context.TODO(), df, llbconv.Options{SourceMap: sm, MetaResolver: fakeResolver{}, Caps: &caps})
	if err != nil {
		t.Fatal(err)
	}
	wd, err := want.State.Marshal(context.TODO(), llb.LocalUniqueID("x"))
	if err != nil {
		t.Fatal(err)
	}
	gd, err := got.State.Marshal(context.TODO(), llb.LocalUniqueID("x"))
	if err != nil {
		t.Fatal(err)
	}
	wj, _ := json.MarshalIndent(want.Image, "", " ")
	gj, _ := json.MarshalIndent(got.Image, "", " ")
	if d := cmp.Diff(string(wj), string(gj)); d != "" {
		t.Error(d)
	}
	have := map[string]bool{}
	for _, dt := range gd.Def {
		have[string(dt)] = true
	}
	for _, dt := range wd.Def {
		if !have[string(dt)] {
			var op pb.Op
			if err := op.UnmarshalVT(dt); err != nil {
				t.Fatal(err)
			}
			t.Errorf("missing:\n%s", prototext.Format(&op))
		}
	}
	if len(wd.Def) != len(gd.Def) {
		t.Errorf("%d vertices, want %d", len(gd.Def), len(wd.Def))
	}
}
