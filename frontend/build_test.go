package frontend_test

import (
	"archive/tar"
	"bytes"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/dockerfile/builder"

	"github.com/cachewright/cachewright/frontend"
)

const (
	stages = `# check=skip=MaintainerDeprecated
ARG VERSION=latest
# BASE is what everything starts from
ARG BASE=busybox:${VERSION}

# base has the tools
FROM ${BASE} AS base
# USER_ID is who runs it
ARG USER_ID=1000
MAINTAINER me
RUN --mount=type=secret,id=token,required --mount=type=ssh make $USER_ID

FROM --platform=$BUILDPLATFORM golang AS build
ARG TARGETARCH
ARG UNUSED
copy . /src
WORKDIR src
RUN --mount=type=secret,id=token --mount=type=secret,id=other go build

# app is what ships
FROM base AS app
ARG VERSION
COPY --from=build /src/app /
COPY --from=alpine /etc/os-release /
CMD app $UNDEFINED

FROM scratch AS last
COPY --from=app /app /
ENTRYPOINT ["/app"]
`
	commit = "tree aa\nauthor A <a@b> 1500000000 +0000\ncommitter A <a@b> 1600000000 +0000\n\nmessage\n"
	gitURL = "https://git.example/repo.git"
)

// gateway returns a gateway whose client has a Dockerfile and some other files.
func gateway(dockerfile string, opts map[string]string) *fakeGateway {
	files := map[string]string{"Dockerfile": dockerfile, ".dockerignore": "secret\n", "src": "x"}
	modified := time.Unix(1700000000, 0).UTC()
	return &fakeGateway{
		opts:   opts,
		locals: map[string]map[string]string{"context": files, "dockerfile": files},
		images: map[string]string{
			"docker.io/library/onbuild:latest": `{"architecture":"amd64","os":"linux","config":{"OnBuild":["COPY --from=golang /x /x","RUN x"]},"rootfs":{"type":"layers","diff_ids":["sha256:aa"]}}`,
			"docker.io/library/arm:latest":     `{"architecture":"arm64","os":"linux","rootfs":{"type":"layers","diff_ids":["sha256:aa"]}}`,
			"docker.io/docker/scanner:1":       `{"architecture":"amd64","os":"linux","config":{"Entrypoint":["/scan"],"Env":["A=B"]},"rootfs":{"type":"layers","diff_ids":["sha256:aa"]}}`,
		},
		urls: map[string]string{
			"https://http.example/Dockerfile": dockerfile,
			"https://http.example/src.tar":    archive(),
		},
		sources: map[string]*sourceresolver.MetaResponse{
			"git://git.example/repo.git#main": {Git: &sourceresolver.ResolveGitResponse{CommitObject: []byte(commit)}},
			"https://http.example/Dockerfile": {HTTP: &sourceresolver.ResolveHTTPResponse{LastModified: &modified}},
			"https://http.example/src.tar":    {HTTP: &sourceresolver.ResolveHTTPResponse{}},
			"https://http.example/plain":      {HTTP: &sourceresolver.ResolveHTTPResponse{}},
		},
	}
}

// archive returns a tar file whose newest regular file is of 1650000000.
func archive() string {
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, h := range []tar.Header{
		{Name: "dir/", Typeflag: tar.TypeDir, Mode: 0o755, ModTime: time.Unix(1690000000, 0)},
		{Name: "new", Typeflag: tar.TypeReg, Mode: 0o644, ModTime: time.Unix(1650000000, 0)},
		{Name: "old", Typeflag: tar.TypeReg, Mode: 0o644, ModTime: time.Unix(1550000000, 0)},
	} {
		if err := w.WriteHeader(&h); err != nil {
			panic(err)
		}
	}
	w.Close()
	return buf.String()
}

// epochStage is a file whose second stage is the source of the time.
func epochStage(stage string) string {
	return "ARG SOURCE_DATE_EPOCH=time\nARG HOST=http.example\nFROM busybox\nWORKDIR /x\nFROM scratch AS time\n" + stage + "\nFROM busybox\nWORKDIR /x\n"
}

// TestSameAsUpstream runs this frontend and BuildKit's own on the same gateway.
// What they ask for, what they return and what they say has to be the same.
func TestSameAsUpstream(t *testing.T) {
	type opts = map[string]string
	tests := []struct {
		name       string
		dockerfile string
		opts       opts
	}{
		{"scratch", "FROM scratch\n", nil},
		{"empty", "", nil},
		{"stages", stages, nil},
		{"target", stages, opts{"target": "app", "label:a": "b", "build-arg:VERSION": "2"}},
		{"unknown target", stages, opts{"target": "ap"}},
		{"one platform", stages, opts{"platform": "linux/arm64"}},
		{"one platform as a list", stages, opts{"platform": "linux/arm64", "multi-platform": "true"}},
		{"platforms", stages, opts{"platform": "linux/amd64,linux/arm64,linux/arm/v7"}},
		{"the same platform twice", stages, opts{"platform": "linux/amd64,linux/amd64"}},
		{"platforms and multi-platform=false", stages, opts{"platform": "linux/amd64,linux/arm64", "multi-platform": "false"}},
		{"no-cache", stages, opts{"no-cache": ""}},
		{"no-cache by stage", stages, opts{"no-cache": "Build"}},
		{"no such capability", stages, opts{"frontend.caps": "moby.buildkit.frontend.inputs,moby.buildkit.frontend.nonsense"}},
		{"no such capability here", stages, opts{"frontend.caps": "moby.buildkit.frontend.nonsense+forward"}},
		{"capabilities", stages, opts{"frontend.caps": "moby.buildkit.frontend.inputs,moby.buildkit.frontend.subrequests,moby.buildkit.frontend.contexts,moby.buildkit.frontend.gitquerystring+forward,moby.buildkit.frontend.contexts.zstd"}},

		{"onbuild", "FROM onbuild\n", nil},
		{"base of another platform", "FROM arm\nRUN x\n", nil},
		{"missing base", "FROM busybox\nRUN x\nFROM missing\n", nil},
		{"bad flag", "FROM busybox\nRUN --foo x\n", nil},
		{"bad instruction", "FROM busybox\n\nCOPPY x y\n", nil},
		{"late instruction error", "FROM busybox\nRUN x\nEXPOSE 99999 \\\n  12\n", nil},
		{"no FROM", "RUN x\n", nil},
		{"circular", "FROM busybox AS a\nCOPY --from=b / /\nFROM busybox AS b\nCOPY --from=a / /\n", nil},
		{"undefined in FROM", "FROM --platform=$BULDPLATFORM busybox\n", nil},

		{"check directive", "# check=skip=all\nFROM busybox\nMAINTAINER me\n", nil},
		{"check at an instruction", "FROM busybox\n# check=skip=MaintainerDeprecated\nMAINTAINER me\nCMD x\n", nil},
		{"check error", "# check=error=true\nFROM busybox\nMAINTAINER me\nMAINTAINER you\n", nil},
		{"check error on several platforms", "# check=error=true\nFROM busybox\nMAINTAINER me\n", opts{"platform": "linux/amd64,linux/arm64"}},
		{"check argument", "# check=error=true\nFROM busybox\nMAINTAINER me\nCMD x\n", opts{"build-arg:BUILDKIT_DOCKERFILE_CHECK": "skip=JSONArgsRecommended"}},
		{"empty check argument", "# check=error=true\nFROM busybox\nMAINTAINER me\n", opts{"build-arg:BUILDKIT_DOCKERFILE_CHECK": ""}},
		{"bad check directive", "# check=skipp=all\nFROM busybox\n", nil},
		{"bad check argument", "FROM busybox\n", opts{"build-arg:BUILDKIT_DOCKERFILE_CHECK": "error=maybe"}},
		{"experimental check", "# check=experimental=all\n# something else\nFROM busybox AS base\n", nil},

		{"another frontend", "#  syntax = docker/dockerfile:1 with args\nFROM busybox\n", opts{"build-arg:A": "1"}},
		{"another frontend that is missing", "# syntax=missing/dockerfile\nFROM busybox\n", nil},
		{"another frontend that fails", "# syntax=failing/dockerfile\nFROM busybox\n", nil},
		{"syntax argument", "# syntax=docker/dockerfile:1\nFROM busybox\n", opts{"build-arg:BUILDKIT_SYNTAX": "other/dockerfile:1 x y"}},
		{"syntax argument of a missing frontend", "FROM busybox\n", opts{"build-arg:BUILDKIT_SYNTAX": "missing/dockerfile:1"}},
		{"syntax of another language", "// syntax=other/thing\n{}", nil},
		{"syntax in JSON", `{"syntax": "other/thing"}`, nil},
		{"followed syntax", "# syntax=docker/dockerfile:1\nFROM busybox\n", opts{"cmdline": "x/y", "source": "x/y"}},
		{"capability of another frontend", "# syntax=docker/dockerfile:1\nFROM busybox\n", opts{"frontend.caps": "moby.buildkit.frontend.nonsense+forward"}},

		{"number as epoch", "FROM busybox\nWORKDIR /x\n", opts{"build-arg:SOURCE_DATE_EPOCH": "1234567890"}},
		{"epoch on platforms", "FROM busybox\nWORKDIR /x\n", opts{"build-arg:SOURCE_DATE_EPOCH": "1234567890", "platform": "linux/amd64,linux/arm64"}},
		{"default epoch", "ARG SOURCE_DATE_EPOCH=123\nFROM busybox\nARG SOURCE_DATE_EPOCH\nRUN x\n", nil},
		{"reset epoch", "ARG SOURCE_DATE_EPOCH=123\nFROM busybox\nARG SOURCE_DATE_EPOCH\nRUN x\n", opts{"build-arg:SOURCE_DATE_EPOCH": ""}},
		{"bad epoch", "FROM busybox\n", opts{"build-arg:SOURCE_DATE_EPOCH": "nonsense"}},
		{"worse epoch", "FROM busybox\n", opts{"build-arg:SOURCE_DATE_EPOCH": "No Name"}},
		{"epoch of a named context in git", "FROM busybox\nARG SOURCE_DATE_EPOCH\nRUN x\n", opts{"build-arg:SOURCE_DATE_EPOCH": "time", "context:time": gitURL + "#main"}},
		{"epoch of a named URL", "FROM busybox\nRUN x\n", opts{"build-arg:SOURCE_DATE_EPOCH": "time", "context:time": "https://http.example/Dockerfile"}},
		{"epoch of a named archive", "FROM busybox\nRUN x\n", opts{"build-arg:SOURCE_DATE_EPOCH": "time", "context:time": "https://http.example/src.tar"}},
		{"epoch of a git stage", epochStage("ADD " + gitURL + "#main /"), nil},
		{"epoch of a git stage with flags", epochStage("ADD --keep-git-dir=true --checksum=abc123 " + gitURL + "#main /"), nil},
		{"epoch of an http stage", epochStage("ARG FILE=Dockerfile\nADD https://$HOST/${FILE} /"), nil},
		{"epoch of an http stage by argument", epochStage("ARG FILE\nADD https://$HOST/${FILE} /"), opts{"build-arg:FILE": "src.tar"}},
		{"epoch of an http stage that names itself", epochStage("ADD https://$HOST/${SOURCE_DATE_EPOCH:-Dockerfile} /"), nil},
		{"epoch of a plain file", epochStage("ADD https://http.example/plain /"), nil},
		{"epoch stage with another base", "ARG SOURCE_DATE_EPOCH=time\nFROM busybox AS time\nADD https://http.example/x /\nFROM scratch\n", nil},
		{"epoch stage with RUN", epochStage("ADD https://http.example/x /\nRUN x"), nil},
		{"epoch stage with two ADD", epochStage("ADD https://http.example/x /\nADD https://http.example/y /"), nil},
		{"epoch stage with two sources", epochStage("ADD https://http.example/x https://http.example/y /"), nil},
		{"epoch stage without ADD", epochStage(""), nil},
		{"epoch stage with a heredoc", epochStage("ADD <<EOF /x\nEOF"), nil},
		{"epoch stage with a local file", epochStage("ADD src /"), nil},
		{"epoch stage with a bad checksum", epochStage("ADD --checksum=nonsense https://http.example/x /"), nil},
		{"epoch stage with an unset variable", epochStage("ADD https://${NO:?is needed}/x /"), nil},
		{"git context", "FROM busybox\nCOPY . /\n", opts{"context": gitURL + "#main", "dockerfilekey": "dockerfile"}},
		{"epoch of the git context", "FROM busybox\nCOPY . /\n", opts{"context": gitURL + "#main:sub", "dockerfilekey": "dockerfile", "build-arg:SOURCE_DATE_EPOCH": "context"}},
		{"http Dockerfile", "FROM busybox\n", opts{"context": "https://http.example/Dockerfile"}},
		{"epoch of the http Dockerfile", "FROM busybox\n", opts{"context": "https://http.example/Dockerfile", "build-arg:SOURCE_DATE_EPOCH": "context"}},
		{"http archive", "FROM busybox\nCOPY . /\n", opts{"context": "https://http.example/src.tar", "dockerfilekey": "dockerfile"}},
		{"epoch of the http archive", "FROM busybox\nCOPY . /\n", opts{"context": "https://http.example/src.tar", "dockerfilekey": "dockerfile", "contextsubdir": "sub", "build-arg:SOURCE_DATE_EPOCH": "context"}},

		{"named contexts", "FROM one AS base\nFROM two\nCOPY --from=base / /\nCOPY --from=three / /\nCOPY --from=four / /\nFROM last\n", opts{
			"context:one": "docker-image://alpine", "context:two::linux/amd64": "docker-image://scratch",
			"context:three": "https://http.example/x", "context:four": gitURL, "context:last": "docker-image://golang:1",
		}},
		{"SBOM", stages, opts{"attest:sbom": "generator=docker/scanner:1,KEY=value"}},
		{"SBOM on platforms", stages, opts{"attest:sbom": "generator=docker/scanner:1", "platform": "linux/amd64,linux/arm64"}},
		{"SBOM without cache", stages, opts{"attest:sbom": "generator=docker/scanner:1", "no-cache": ""}},
		{"SBOM of context and stages", stages, opts{"attest:sbom": "generator=docker/scanner:1", "build-arg:BUILDKIT_SBOM_SCAN_CONTEXT": "true", "build-arg:BUILDKIT_SBOM_SCAN_STAGE": "build,base"}},
		{"SBOM by ARG", "ARG BUILDKIT_SBOM_SCAN_STAGE=true\nFROM busybox AS a\nFROM a AS b\nARG BUILDKIT_SBOM_SCAN_STAGE=false\nFROM busybox\nARG BUILDKIT_SBOM_SCAN_CONTEXT=true\nCOPY --from=b / /\nCOPY --from=a / /\n", opts{"attest:sbom": "generator=docker/scanner:1"}},
		{"SBOM scanner that is missing", stages, opts{"attest:sbom": "generator=docker/missing:1"}},
		{"SBOM scanner without a command", stages, opts{"attest:sbom": "generator=arm"}},

		{"outline", stages, opts{"requestid": "frontend.outline"}},
		{"outline of a target", stages, opts{"requestid": "frontend.outline", "target": "app", "build-arg:VERSION": "2"}},
		{"outline of a platform", stages, opts{"requestid": "frontend.outline", "platform": "linux/amd64,linux/arm64"}},
		{"outline with a replaced stage", "ARG BASE=busybox\nFROM $BASE AS base\nARG A\nFROM scratch\nCOPY --from=base / /\n", opts{"requestid": "frontend.outline", "context:base": "docker-image://alpine"}},
		{"targets", stages, opts{"requestid": "frontend.targets"}},
		{"targets without FROM", "ARG A=1\n", opts{"requestid": "frontend.targets"}},
		{"lint", stages, opts{"requestid": "frontend.lint"}},
		{"lint of a target", stages, opts{"requestid": "frontend.lint", "target": "app"}},
		{"lint without a finding", "FROM scratch\nCOPY src /\n", opts{"requestid": "frontend.lint"}},
		{"lint of a broken file", "FROM busybox\nMAINTAINER me\nRUN --foo x \\\n y\n", opts{"requestid": "frontend.lint"}},
		{"lint of a cycle", "FROM busybox AS a\nCOPY --from=b / /\nFROM busybox AS b\nCOPY --from=a / /\n", opts{"requestid": "frontend.lint"}},
		{"lint of a bad platform", "FROM busybox\nFROM --platform=a/b/c/d \\\n  busybox\n", opts{"requestid": "frontend.lint"}},
		{"lint of a missing base", "FROM busybox\nFROM missing\n", opts{"requestid": "frontend.lint"}},
		{"lint with error", "# check=error=true\nFROM busybox\nMAINTAINER me\n", opts{"requestid": "frontend.lint"}},
		{"LLB", stages, opts{"requestid": "frontend.convertllb"}},
		{"unknown request", stages, opts{"requestid": "frontend.nonsense"}},
		{"request to another frontend", "# syntax=docker/dockerfile:1\nFROM busybox\n", opts{"requestid": "frontend.lint"}},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			checkSame(t, func() *fakeGateway { return gateway(tc.dockerfile, tc.opts) })
		})
	}
}

// checkSame runs this frontend and upstream's, each on a gateway of its own, and
// compares the outcomes, which it returns.
func checkSame(t *testing.T, gw func() *fakeGateway, opts ...cmp.Option) (ours, upstream outcome) {
	t.Helper()
	ours = gw().run(t.Context(), frontend.Build)
	if !runsUpstream {
		return ours, upstream
	}
	upstream = gw().run(t.Context(), builder.Build)
	if len(withoutIgnoreFile(upstream.Solves)) == len(upstream.Solves) {
		// docker/dockerfile loads it only when the file is right and the images are
		// there; this frontend does not wait for that.
		ours.Solves = withoutIgnoreFile(ours.Solves)
	}
	if d := cmp.Diff(upstream, ours, opts...); d != "" {
		t.Errorf("-upstream +this\n%s", d)
	}
	return ours, upstream
}

func withoutIgnoreFile(solves []string) []string {
	return slices.DeleteFunc(slices.Clone(solves), func(s string) bool { return strings.Contains(s, "[internal] load .dockerignore") })
}

// TestNoEpoch names a source that has no time. Unlike docker/dockerfile, this
// frontend does not ask the daemon for it.
func TestNoEpoch(t *testing.T) {
	gw := func() *fakeGateway {
		return gateway("FROM busybox\nARG SOURCE_DATE_EPOCH\nRUN x\n",
			map[string]string{"build-arg:SOURCE_DATE_EPOCH": "time", "context:time": "docker-image://alpine"})
	}
	asked := func(o outcome) bool {
		return strings.Contains(strings.Join(o.Lookups, "\n"), "resolve SOURCE_DATE_EPOCH")
	}
	got, want := checkSame(t, gw, cmpopts.IgnoreFields(outcome{}, "Lookups"))
	if asked(got) || runsUpstream && !asked(want) {
		t.Errorf("asked for the image's time: upstream %t, this %t", asked(want), asked(got))
	}
}

// TestInputs builds from definitions that the client gives.
func TestInputs(t *testing.T) {
	repo := llb.Git("https://git.example/repo.git", "", llb.GitRef("main"))
	for _, test := range []struct {
		name, dockerfile string
		context          llb.State
		opts             map[string]string
	}{
		{"build", "FROM base\nCOPY . /\n", llb.Scratch().File(llb.Mkdir("/d", 0o755)), nil},
		{"forward", "# syntax=docker/dockerfile:1\nFROM base\n", repo, nil},
		{"epoch of a context with one source", "FROM base\nCOPY . /\n", llb.Scratch().File(llb.Copy(repo, "/", "/")),
			map[string]string{"build-arg:SOURCE_DATE_EPOCH": "context"}},
		{"epoch of a context with two sources", "FROM base\nCOPY . /\n", llb.HTTP("https://http.example/x").File(llb.Copy(repo, "/", "/")),
			map[string]string{"build-arg:SOURCE_DATE_EPOCH": "context"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			checkSame(t, func() *fakeGateway {
				opts := map[string]string{"context:base": "input:base", "input-metadata:base": `{"containerimage.config":"e30="}`}
				maps.Copy(opts, test.opts)
				g := gateway(test.dockerfile, opts)
				g.inputs = map[string]llb.State{"base": llb.Image("x"), "context": test.context}
				return g
			})
		})
	}
}
