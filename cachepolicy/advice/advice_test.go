package advice

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// edits returns the worlds of eight builds in each of which some things are different
// from all others.
func edits(first world, changing ...string) []world {
	var out []world
	for i := range 8 {
		w := maps.Clone(first)
		for _, name := range changing {
			w[name] = fmt.Sprint(i, name)
		}
		out = append(out, w)
	}
	return out
}

func project(more ...string) world {
	w := world{"package.json": "p", "package-lock.json": "l", "src/main.js": "m"}
	for _, name := range more {
		w[name] = "x"
	}
	return w
}

const all = "FROM base AS app\nWORKDIR /app\nCOPY . .\nRUN npm ci\nRUN npm run build\n"

// TestSuggest looks at what is suggested for a Dockerfile and what that becomes.
func TestSuggest(t *testing.T) {
	for _, c := range []struct {
		name, dockerfile string
		worlds           []world
		// want are the kind, the runs saved and the patched file; empty: nothing is suggested.
		kind  Kind
		saves int
		want  string
	}{
		{
			"a copy of all", all, edits(project(), "src/main.js"), KindOrder, 7,
			"FROM base AS app\nWORKDIR /app\nCOPY package-lock.json package.json ./\nRUN npm ci\nCOPY . .\nRUN npm run build\n",
		},
		{
			"flags, comments, and a directory", "FROM base AS app\nWORKDIR /app\n# All.\nCOPY --chown=1 web/ /app\nENV A=1\n# Install.\nRUN npm ci\nRUN make\n",
			edits(world{"web/package.json": "p", "web/main.js": "m"}, "web/main.js"), KindOrder, 7,
			"FROM base AS app\nWORKDIR /app\nCOPY --chown=1 web/package.json /app/\nENV A=1\n# Install.\nRUN npm ci\n# All.\nCOPY --chown=1 web/ /app\nRUN make\n",
		},
		{
			"two copies, one of what is read", "FROM base AS app\nWORKDIR /app\nCOPY src src\nCOPY package.json package-lock.json ./\nRUN npm ci\nRUN make\n",
			edits(project(), "src/main.js"), KindOrder, 7,
			"FROM base AS app\nWORKDIR /app\nCOPY package-lock.json package.json ./\nRUN npm ci\nCOPY src src\nCOPY package.json package-lock.json ./\nRUN make\n",
		},
		{
			"nothing is read", "FROM base AS app\nCOPY src /src\nRUN apt-get update && apt-get install -y git\nRUN make\n",
			edits(project(), "src/main.js"), KindOrder, 7,
			"FROM base AS app\nRUN apt-get update && apt-get install -y git\nCOPY src /src\nRUN make\n",
		},
		{name: "only what is read changes", dockerfile: all, worlds: edits(project(), "package.json")},
		{name: "nobody knows what it reads", dockerfile: "FROM base AS app\nWORKDIR /app\nCOPY . .\nRUN make deps\n", worlds: edits(project(), "src/main.js")},
		{name: "it fills a directory that is copied", dockerfile: all, worlds: edits(project("node_modules/a/a.js"), "src/main.js")},
		{name: "a workspace", dockerfile: all, worlds: edits(project("packages/a/package.json"), "src/main.js")},
		{name: "a command between", dockerfile: "FROM base AS app\nWORKDIR /app\nCOPY . .\nRUN make\nRUN npm ci\n", worlds: edits(project(), "src/main.js")},
		{name: "another directory", dockerfile: "FROM base AS app\nCOPY . .\nWORKDIR /app\nRUN npm ci\n", worlds: edits(project(), "src/main.js")},
		{name: "a copy between from elsewhere", dockerfile: "FROM base AS tools\nRUN make\nFROM base AS app\nWORKDIR /app\nCOPY . .\nCOPY --from=tools /x .\nRUN npm ci\n", worlds: edits(project(), "src/main.js")},
		{name: "an expanded source", dockerfile: "FROM base AS app\nWORKDIR /app\nARG DIR=.\nCOPY $DIR .\nRUN npm ci\n", worlds: edits(project(), "src/main.js")},
		{name: "a mounted directory", dockerfile: "FROM base AS app\nWORKDIR /app\nCOPY . .\nRUN --mount=target=/src npm ci\n", worlds: edits(project(), "src/main.js")},
		{
			"an argument", "FROM base AS app\nARG SHA\nRUN make\nRUN test\nLABEL a=$SHA\n", edits(world{}, "SHA"), KindArguments, 14,
			"FROM base AS app\nRUN make\nRUN test\nARG SHA\nLABEL a=$SHA\n",
		},
		{
			"an argument with a comment, above one", "# syntax=x\nFROM base AS app\n# The commit.\nARG SHA=none\nRUN make\n# Says $SHA.\nRUN echo ${SHA}\n", edits(world{}, "SHA"), KindArguments, 7,
			"# syntax=x\nFROM base AS app\nRUN make\n# The commit.\nARG SHA=none\n# Says $SHA.\nRUN echo ${SHA}\n",
		},
		{
			"an argument of a label", "FROM base AS app\nARG SHA\nLABEL a=$SHA\nRUN make\n", edits(world{}, "SHA"), KindArguments, 7,
			"FROM base AS app\nARG SHA\nLABEL a=$SHA\n# cache=args=none\nRUN make\n",
		},
		{name: "an argument for the cache", dockerfile: "FROM base AS app\nARG CACHEBUST\nRUN make\n", worlds: edits(world{}, "CACHEBUST")},
		{name: "an argument that is used at once", dockerfile: "FROM base AS app\nARG SHA\nRUN echo $SHA\nRUN make\n", worlds: edits(world{}, "SHA")},
		{name: "an argument that does not change", dockerfile: "FROM base AS app\nARG SHA\nRUN make\nLABEL a=$SHA\nCOPY src src\nRUN test\n", worlds: edits(project(), "src/main.js")},
		{name: "two arguments that change together", dockerfile: "FROM base AS app\nARG A\nRUN echo $A\nRUN make\n", worlds: edits(world{}, "A", "B")},
		{name: "a base that moves", dockerfile: all, worlds: edits(project(), "base", "src/main.js")},
		{
			"noise", "FROM base AS app\nCOPY . .\nRUN make\n", edits(project(), "coverage/lcov.info"), KindNoise, 7,
			"coverage\n",
		},
		{name: "noise that is named", dockerfile: "FROM base AS app\nCOPY . .\nRUN cat coverage/lcov.info\n", worlds: edits(project(), "coverage/lcov.info")},
		{name: "noise beside what counts", dockerfile: "FROM base AS app\nCOPY . .\nRUN make\n", worlds: edits(project(), "coverage/lcov.info", "src/main.js")},
		{name: "files that nobody knows to be noise", dockerfile: "FROM base AS app\nCOPY . .\nRUN make\n", worlds: edits(project(), "assets/a.png")},
		{
			"modes", "FROM base AS app\nCOPY src src\nRUN make\n", []world{{"src/a": "1"}, {"src/a": "1|600"}, {"src/a": "1|640"}, {"src/a": "2"}, {"src/a": "3"}},
			KindModes, 2, "FROM base AS app\n# cache=modes=ignore\nCOPY src src\nRUN make\n",
		},
		{name: "modes that the rule counts", dockerfile: "FROM base AS app\nCOPY src src\nRUN make\n", worlds: []world{{"src/a": "1"}, {"src/a": "1|755"}, {"src/a": "2"}, {"src/a": "2|755"}, {"src/a": "3"}, {"src/a": "3|755"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := sampleProject(c.dockerfile, c.worlds)
			got, err := Suggest(p)
			if err != nil {
				t.Fatal(err)
			}
			if c.kind == "" {
				if len(got.Suggestions) > 0 {
					t.Errorf("%+v", got.Suggestions)
				}
				return
			}
			if len(got.Suggestions) != 1 || got.Suggestions[0].Kind != c.kind || got.Suggestions[0].Saves != c.saves {
				t.Fatalf("want %s that saves %d:\n%+v", c.kind, c.saves, got.Suggestions)
			}
			if after := patched(t, p, got.Suggestions[0].Patch); after != c.want {
				t.Errorf("got\n%s\nwant\n%s", after, c.want)
			}
		})
	}
}

// patched gives a patch to git, and returns the file that it changes.
func patched(t *testing.T, p *Project, patch string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, p.Dockerfile.Path), []byte(p.Dockerfile.Text), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "git", "apply")
	cmd.Dir, cmd.Stdin = dir, strings.NewReader(patch)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("git apply: %v\n%s\n%s", err, out, patch)
	}
	name := p.Dockerfile.Path
	if strings.Contains(patch, "+++ b/"+p.Ignore.Path) {
		name = p.Ignore.Path
	}
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestFewBuilds asks too early.
func TestFewBuilds(t *testing.T) {
	p := sampleProject(all, edits(project(), "src/main.js")[:MinBuilds-1])
	if got, err := Suggest(p); err != nil || got.Builds != MinBuilds-1 || len(got.Suggestions) > 0 {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestDoubt lets more steps run than the simulation can know of: then nothing is promised.
func TestDoubt(t *testing.T) {
	worlds := edits(project(), "src/main.js")
	for i := range 8 {
		worlds = append(worlds, world{"package.json": "p", "src/main.js": fmt.Sprint(i, "src/main.js")})
	}
	p := sampleProject(all, worlds)
	for i := range p.Log {
		p.Log[i].Ran = []int{0, 1, 2, 3, 4}
		p.Log[i].Changes = nil
		if i < 3 {
			p.Log[i] = sampleProject(all, worlds).Log[i]
		}
	}
	got, err := Suggest(p)
	if err != nil || len(got.Suggestions) != 1 || got.Suggestions[0].Saves != 0 || got.Suggestions[0].Patch == "" {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestContent saves runs of a stage whose files another one takes: of that one nobody
// knows.
func TestContent(t *testing.T) {
	p := sampleProject(all+"FROM base AS last\nCOPY --from=app /app/dist /\nRUN check\n", edits(project(), "coverage/x"))
	got, err := Suggest(p)
	if err != nil || len(got.Suggestions) != 1 || got.Suggestions[0].Saves != 14 || got.Suggestions[0].UpTo != 21 {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestRotated forgets the first builds of a log.
func TestRotated(t *testing.T) {
	p := sampleProject(all, edits(project(), "src/main.js"))
	p.Log = p.Log[2:]
	got, err := Suggest(p)
	if err != nil || len(got.Suggestions) != 1 || got.Suggestions[0].Saves != 5 {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestOthers asks where a remote cache is used and commands are emulated.
func TestOthers(t *testing.T) {
	worlds := edits(project(), "src/main.js")
	for _, w := range edits(project(), "src/main.js") {
		w["src/main.js"] = "again " + w["src/main.js"]
		worlds = append(worlds, w)
	}
	ask := func(remote bool, platform, dockerfile string) string {
		p := sampleProject(dockerfile, worlds)
		p.Remote, p.BuildPlatform = remote, platform
		got, err := Suggest(p)
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, s := range got.Suggestions {
			out = append(out, string(s.Kind))
			if (s.Kind == KindExport || s.Kind == KindPlatform) && (s.Saves > 0 || (s.Patch == "") != (s.Kind == KindPlatform)) {
				t.Errorf("%+v", s)
			}
		}
		return strings.Join(out, " ")
	}
	const stages = "FROM base AS app\nCOPY src src\nRUN make\nFROM base AS last\nCOPY --from=app /dist /\n"
	for _, c := range []struct {
		remote                     bool
		platform, dockerfile, want string
	}{
		{false, "sample", stages, ""},
		{true, "sample", stages, "export"},
		{false, "other", stages, "platform"},
		{true, "other", stages, "export platform"},
		{false, "other", strings.Replace(stages, "FROM base AS app", "FROM --platform=$BUILDPLATFORM base AS app", 1), ""},
		{false, "other", "FROM base AS app\nCOPY src src\nRUN make\n", ""},
		{true, "sample", strings.Replace(stages, "RUN", "# cache=export=no\nRUN", 1), ""},
		{true, "sample", "FROM base AS app\nCOPY package.json /\nRUN make\nCOPY src src\n", ""},
	} {
		if got := ask(c.remote, c.platform, c.dockerfile); got != c.want {
			t.Errorf("%+v: %q", c, got)
		}
	}
}

// BenchmarkSuggest asks about a file of 60 steps and a log of 200 builds.
func BenchmarkSuggest(b *testing.B) {
	var worlds []world
	for i := range 200 {
		w := project()
		w["src/main.js"], w["SHA"] = fmt.Sprint(i), fmt.Sprint(i/2)
		if i%5 == 0 {
			w["coverage/x"] = fmt.Sprint(i)
		}
		worlds = append(worlds, w)
	}
	p := sampleProject("FROM base AS app\nARG SHA\nWORKDIR /app\nCOPY . .\nRUN npm ci\n"+strings.Repeat("RUN make\nCOPY src src\n", 28)+"LABEL a=$SHA\n", worlds)
	for b.Loop() {
		if got, err := Suggest(p); err != nil || len(got.Suggestions) == 0 {
			b.Fatal(got, err)
		}
	}
}
