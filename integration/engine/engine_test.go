package engine_test

import (
	"encoding/json"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// app is a Dockerfile of two stages; its image prints what it was built of.
const app = `# syntax=cachewright/dockerfile:1
FROM busybox AS build
WORKDIR /@
COPY src src
RUN cat src/* >/out
FROM busybox
ARG WHO=nobody
RUN echo "$WHO" >/who # @
COPY --from=build /out /out
CMD ["cat", "/who", "/out"]
`

// engineArgs are the arguments of docker build on an engine without a bridge.
var engineArgs = []string{"--network=none", "--progress=plain"}

// TestStore builds into the engine's image store, runs the image, changes a file and
// does so again: with docker build, and with buildx build and --load.
func TestStore(t *testing.T) {
	for name, command := range map[string][]string{
		"docker build": append([]string{"build"}, engineArgs...),
		"load":         append([]string{"buildx", "build", "--load"}, engineArgs...),
	} {
		t.Run(strings.ReplaceAll(name, " ", "-"), func(t *testing.T) {
			p := newProject(t, map[string]string{"Dockerfile": app, "src/a": "first\n"})
			image := "store-" + filepath.Base(t.Name())
			command := append(command, "-t", image, "--build-arg=WHO="+t.Name(), ".")
			run := func() string { return p.docker("run", "--rm", "--network=none", image) }

			p.docker(command...)
			if got, want := run(), t.Name()+"\nfirst\n"; got != want {
				t.Errorf("the image prints %q, want %q", got, want)
			}
			p.write("src/a", "second\n")
			out := p.docker(command...)
			all := steps(out)
			for _, step := range []string{
				"[build 3/4] COPY src src  ← src/a changed", "[build 4/4] RUN cat src/* >/out  ← follows 3/4",
				"[stage-1 3/3] COPY --from=build /out /out  ← follows build 4/4 if that changed",
			} {
				if all[step] != "DONE" {
					t.Errorf("%s is %q\n%s", step, all[step], out)
				}
			}
			if got, want := run(), t.Name()+"\nsecond\n"; got != want {
				t.Errorf("the image prints %q, want %q", got, want)
			}
			for step, end := range steps(p.docker(command...)) {
				if end != "CACHED" {
					t.Errorf("unchanged, %s is %s", step, end)
				}
			}
		})
	}
}

// TestCompose builds two services of one Dockerfile with docker compose.
func TestCompose(t *testing.T) {
	p := newProject(t, map[string]string{
		"Dockerfile": app,
		"src/a":      "first\n",
		"compose.yaml": `services:
  one:
    image: one-@
    build: {context: ., network: none, args: {WHO: one}}
    network_mode: none
  two:
    image: two-@
    build: {context: ., network: none, args: {WHO: two}}
    network_mode: none
`,
	})
	build := []string{"compose", "--progress=plain", "build"}
	p.docker(build...)
	p.write("src/a", "second\n")
	// Names are those of the service that came first.
	p.said(p.docker(build...), "] COPY src src  ← src/a changed\n", "] RUN cat src/* >/out  ← follows 3/4\n")
	for _, service := range []string{"one", "two"} {
		want := service + "\nsecond\n"
		if got := p.docker("run", "--rm", "--network=none", service+"-testcompose"); got != want {
			t.Errorf("service %s prints %q, want %q", service, got, want)
		}
	}
	p.said(p.docker("compose", "run", "--rm", "--no-TTY", "two"), "two\nsecond\n")
}

// TestBake builds targets that share a file, two of them of a matrix, and predicts and
// asserts what all of them do.
func TestBake(t *testing.T) {
	p := newProject(t, map[string]string{
		"Dockerfile": app,
		"src/a":      "first\n",
		"docker-bake.hcl": `group "default" {
  targets = ["app", "files"]
}
target "base" {
  network = "none"
}
target "app" {
  inherits = ["base"]
  matrix   = { who = ["x", "y"] }
  name     = "app-${who}"
  args     = { WHO = who }
  tags     = ["bake-${who}"]
}
target "files" {
  inherits = ["base"]
  target   = "build"
}
`,
	})
	bake := func(args ...string) []string { return append([]string{"buildx", "bake"}, args...) }
	expect := func(what string) []string {
		return bake("--call=cache-assert", "--set=*.args.CACHEWRIGHT_EXPECT="+what)
	}
	p.docker(bake("--load")...)
	for _, who := range []string{"x", "y"} {
		if got, want := p.docker("run", "--rm", "--network=none", "bake-"+who), who+"\nfirst\n"; got != want {
			t.Errorf("%s prints %q, want %q", who, got, want)
		}
	}
	p.docker(expect("*=hit")...)
	p.write("src/a", "second\n")

	plan := p.docker(bake("--call=cache")...)
	p.said(plan, "\napp-x\n", "\napp-y\n", "\nfiles\n")
	if n := strings.Count(plan, "re-run  [build 3/4] COPY src src\n          because   src/a changed\n"); n != 3 {
		t.Errorf("%d of the 3 targets predict the change:\n%s", n, plan)
	}
	p.said(p.fails(expect("build/*=hit")...), "FAIL  [build 3/4] COPY src src: expected hit (build/*), predicted re-run: src/a changed\n")

	// What targets share runs once. A target that compares after another one has
	// written its record finds nothing new in what they share.
	reasons := map[string][]string{
		"COPY src src":        {"", "src/a changed"},
		"RUN cat src/* >/out": {"", "follows 3/4"},
		"COPY --from=build /out /out": {"follows build 4/4 if that changed",
			"not built in this combination before"},
	}
	out := p.docker(bake("--progress=plain")...)
	ran := map[string]bool{}
	for step, end := range steps(out) {
		_, text, _ := strings.Cut(step, "] ")
		instruction, reason, _ := strings.Cut(text, "  ← ")
		if end != "DONE" {
			continue
		}
		if ran[instruction] = true; !slices.Contains(reasons[instruction], reason) {
			t.Errorf("%s is said to run because of %q", instruction, reason)
		}
	}
	if len(ran) != len(reasons) {
		t.Errorf("ran %v, want those of %v\n%s", ran, reasons, out)
	}
}

// TestTurns builds two variants in turn: what one has built, the other hits, and where
// they part it says so.
func TestTurns(t *testing.T) {
	p := newProject(t, map[string]string{"Dockerfile": app, "src/a": "first\n"})
	build := func(who string) string {
		return p.docker(slices.Concat([]string{"build"}, engineArgs, []string{"--build-arg=WHO=" + who, "."})...)
	}
	build("x")
	build("y")
	p.write("src/a", "second\n")
	build("x")
	out := build("y")
	want := map[string]string{
		"[build 2/4] WORKDIR /testturns": "CACHED", "[build 3/4] COPY src src": "CACHED", "[build 4/4] RUN cat src/* >/out": "CACHED",
		`[stage-1 2/3] RUN echo "y" >/who # testturns`:                                      "CACHED",
		"[stage-1 3/3] COPY --from=build /out /out  ← not built in this combination before": "DONE",
	}
	if got := steps(out); !maps.Equal(got, want) {
		t.Errorf("steps are %v, want %v\n%s", got, want, out)
	}
}

// TestHistory reads a build from the engine's history.
func TestHistory(t *testing.T) {
	p := newProject(t, map[string]string{"Dockerfile": app, "src/a": "first\n"})
	build := append(append([]string{"build"}, engineArgs...), "--metadata-file=metadata.json", ".")
	p.docker(build...)
	p.write("src/a", "second\n")
	p.docker(build...)

	var inspected struct {
		Status         string
		NumCachedSteps int
		NumTotalSteps  int
		Materials      []struct{ URI string }
	}
	if err := json.Unmarshal([]byte(p.docker("buildx", "history", "inspect", "--format=json")), &inspected); err != nil {
		t.Fatal(err)
	}
	if inspected.Status != "completed" || inspected.NumCachedSteps == 0 || inspected.NumCachedSteps == inspected.NumTotalSteps {
		t.Errorf("the history says %+v", inspected)
	}
	var materials []string
	for _, m := range inspected.Materials {
		materials = append(materials, m.URI)
	}
	p.said(strings.Join(materials, "\n"), "pkg:docker/cachewright/dockerfile@1", "pkg:docker/busybox@latest?platform=linux%2Famd64")
	p.said(p.docker("buildx", "history", "logs", "--progress=plain"), "] COPY src src  ← src/a changed\n")
	p.said(p.docker("buildx", "history", "inspect"), "(", "% cached)")
}
