package transports_test

import (
	"testing"

	"github.com/cachewright/cachewright/integration/sandbox"
)

// TestCacheOfUpstream builds with the daemon's own docker/dockerfile and then with
// ours, and the other way round: each hits what the other built, in every step.
func TestCacheOfUpstream(t *testing.T) {
	sb := start(t)
	for _, test := range []struct{ name, dockerfile string }{
		{"stages", "FROM busybox AS build\nWORKDIR /@\nCOPY f /in/\nRUN cp /in/f /out\n" +
			"FROM busybox\nCOPY --from=build /out /\nADD --chown=1:2 --chmod=604 f /g\n"},
		{"heredocs", "FROM busybox\nRUN <<END\necho @ >/a\nEND\nCOPY <<END <<'LAST' /dir/\n$PATH @\nEND\n$PATH @\nLAST\n" +
			"RUN <<END cat >/b\n@\nEND\n"},
		{"link", "FROM busybox AS a\nRUN echo @ >/a\nFROM busybox\nCOPY --link f /link/@/\nCOPY --link --from=a /a /\nADD --link f /@/\n"},
		{"mounts", "FROM busybox AS a\nRUN echo @ >/a\nFROM busybox\n" +
			"RUN --mount=target=/src --mount=from=a,target=/a,rw cat /src/f /a/a >/out\n" +
			"RUN --mount=type=cache,id=@,target=/cache,sharing=locked --mount=type=tmpfs,target=/tmp echo @ >/cache/f\n" +
			"RUN --mount=type=secret,id=token,mode=0444,env=TOKEN --network=none cat /run/secrets/token >/token; echo @\n"},
		{"variables", "ARG BASE=busybox\nFROM $BASE\nARG NAME=@ VERSION\nENV WHO=$NAME PLACE=${VERSION:-none}\n" +
			"WORKDIR /$WHO\nRUN echo $WHO $VERSION\nUSER 1000\nSHELL [\"/bin/sh\", \"-ec\"]\nRUN echo $PLACE >/tmp/f\n" +
			"COPY --parents f ./${PLACE%e}/\n"},
		{"onbuild", "FROM busybox AS base\nENV ID=@\nONBUILD COPY f /on/@/\nONBUILD RUN cat /on/*/*/*/f\nFROM base\nRUN [\"echo\", \"@\"]\n"},
		{"exclude", "FROM busybox\nWORKDIR /@\nCOPY --exclude=*.md . .\nADD --exclude=f . /x/\n"},
	} {
		for _, order := range []struct {
			name          string
			first, second string
		}{
			{"hits-upstream", "", sandbox.FrontendRef},
			{"hit-by-upstream", sandbox.FrontendRef, ""},
		} {
			t.Run(test.name+"/"+order.name, func(t *testing.T) {
				b := sandbox.Build{
					Frontend: order.first,
					Attrs:    map[string]string{explain: "off"},
					Context: sandbox.Files(t, map[string]string{
						"Dockerfile": unique(t, test.dockerfile),
						"f":          t.Name(),
						"README.md":  t.Name(),
					}),
					Args:    map[string]string{"VERSION": "3"},
					Secrets: map[string][]byte{"token": []byte("t0ken")},
				}
				first := solve(t, sb, b, "ran")
				b.Frontend = order.second
				sameSteps(t, first, solve(t, sb, b, "cached"))
			})
		}
	}
}
