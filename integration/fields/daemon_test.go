// Package fields_test shows the rule fields with real package managers and on a real
// daemon: which changes of a manifest install again, that what is installed is the
// same as with the whole files, and what the builder and the user see of it.
package fields_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/moby/buildkit/client"

	"github.com/cachewright/cachewright/integration/scenario"
)

type (
	rebuild = scenario.Rebuild[[]change]
	project = scenario.Project
)

// change is a change of a project and what the next build says: the steps that run,
// with their notes.
type change struct {
	name string
	make scenario.Change
	want []string
}

const (
	manifest = `{
  "name": "app",
  "version": "1.0.0",
  "description": "an app",
  "scripts": {"test": "true"},
  "dependencies": {"express": "^4.18.0", "left-pad": "1.3.0"}
}
`
	lockfile = `{
  "name": "app",
  "version": "1.0.0",
  "lockfileVersion": 3,
  "packages": {
    "": {"name": "app", "version": "1.0.0", "dependencies": {"express": "^4.18.0", "left-pad": "1.3.0"}},
    "node_modules/express": {"version": "4.18.0", "resolved": "https://registry.example.org/express-4.18.0.tgz"},
    "node_modules/left-pad": {"version": "1.3.0", "resolved": "https://registry.example.org/left-pad-1.3.0.tgz"}
  }
}
`
)

var npmFiles = map[string]string{"package.json": manifest, "package-lock.json": lockfile, "server.js": "1\n"}

const npmDockerfile = `FROM $BASE
WORKDIR /app
# cache=fields=npm
COPY package.json package-lock.json ./
RUN cat package.json package-lock.json > /installed
COPY . .
`

// replaced returns a change of a text in a file.
func replaced(name, old, text string) scenario.Change {
	return func(p *project) {
		p.T.Helper()
		data, err := os.ReadFile(p.Path(name))
		p.Must(err)
		if !strings.Contains(string(data), old) {
			p.T.Fatalf("%s has no %q:\n%s", name, old, data)
		}
		p.Write(name, strings.ReplaceAll(string(data), old, text))
	}
}

// raised is a release: another version in both files.
var raised = scenario.All(
	replaced("package.json", `"version": "1.0.0"`, `"version": "1.1.0"`),
	replaced("package-lock.json", `"version": "1.0.0"`, `"version": "1.1.0"`),
)

func stories() []rebuild {
	copied := "COPY . . ← package-lock.json changed, package.json changed"
	return []rebuild{
		{Name: "npm", Dockerfile: npmDockerfile, Files: npmFiles, Want: []change{
			{"nothing", scenario.All(), nil},
			{"a version", raised, []string{copied}},
			{"a description", replaced("package.json", "an app", "the app"), []string{"COPY . . ← package.json changed"}},
			{"layout", replaced("package.json", "  ", "\t"), []string{"COPY . . ← package.json changed"}},
			{"a dependency raised", scenario.All(
				replaced("package.json", "^4.18.0", "^4.19.0"),
				replaced("package-lock.json", "^4.18.0", "^4.19.0"),
			), []string{
				"COPY package.json package-lock.json ./ ← package.json: dependencies.express ^4.18.0 → ^4.19.0, package-lock.json: packages.\"\".dependencies.express ^4.18.0 → ^4.19.0",
				"RUN cat package.json package-lock.json > /installed ← follows 3/5",
				"COPY . . ← follows 3/5, package-lock.json changed, package.json changed",
			}},
			{"a dependency removed", replaced("package.json", `, "left-pad": "1.3.0"`, ""), []string{
				"COPY package.json package-lock.json ./ ← package.json: dependencies.left-pad removed",
				"RUN cat package.json package-lock.json > /installed ← follows 3/5",
				"COPY . . ← follows 3/5, package.json changed",
			}},
			{"the rule", scenario.Edited("fields=npm", "fields=dependencies,packages"), []string{
				"COPY package.json package-lock.json ./ ← rule fields=npm → fields=dependencies,packages",
				"RUN cat package.json package-lock.json > /installed ← follows 3/5",
				"COPY . . ← follows 3/5, Dockerfile changed",
			}},
		}},
	}
}

// TestStories shows which steps run after a change, and what is said about them.
func TestStories(t *testing.T) {
	sb := scenario.Start(t)
	scenario.Run(t, map[string][]rebuild{"fields": stories()}, func(t *testing.T, row rebuild) {
		p := scenario.New(t, sb, row)
		p.Solve()
		for _, c := range row.Want {
			c.make(p)
			var ran []string
			for _, s := range scenario.Steps(p.Solve()) {
				if !s.Cached && !strings.HasPrefix(s.Text, "FROM") {
					ran = append(ran, strings.TrimSuffix(s.Text+" ← "+s.Note, " ← "))
				}
			}
			slices.Sort(ran)
			slices.Sort(c.want)
			if !slices.Equal(ran, c.want) {
				t.Errorf("%s: ran\n%s\nwant\n%s", c.name, strings.Join(ran, "\n"), strings.Join(c.want, "\n"))
			}
		}
	})
}

// export builds a project into a directory.
func export(p *project) string {
	p.T.Helper()
	dir := p.T.TempDir()
	p.Exports = []client.ExportEntry{{Type: client.ExporterLocal, OutputDir: dir}}
	p.Solve()
	p.Exports = nil
	return dir
}

// TestLanding compares what COPY puts where with the rule and without it: names, modes
// and owners are the same.
func TestLanding(t *testing.T) {
	sb := scenario.Start(t)
	forms := []string{
		"COPY package.json /app/", "COPY package.json /app/manifest", "ADD package.json package-lock.json app/",
		"COPY --chown=5:6 --chmod=640 package.json /app/", "COPY --link package.json /app/", "COPY --link --chown=7 package*.json /app/",
		"COPY --parents packages/*/package.json package.json /app/", "COPY --parents ./packages/./*/package.json /app/",
		"COPY --parents packages/**/package.json /app/", "COPY link.json /app/package.json", "COPY packages/a/package.json /",
	}
	var file strings.Builder
	for i, form := range forms {
		for _, rule := range []string{"", "# cache=fields=name\n"} {
			stage := fmt.Sprintf("s%d", i)
			if rule != "" {
				stage += "short"
			}
			fmt.Fprintf(&file, "FROM $BASE AS %s\nWORKDIR /app\n%s%s\nRUN cd / && find /app /package.json -exec stat -c '%%n %%F %%a %%u:%%g' {} + 2>/dev/null | sort > /list; true\n", stage, rule, form)
		}
	}
	file.WriteString("FROM scratch\n")
	for i := range forms {
		fmt.Fprintf(&file, "COPY --from=s%d /list /whole%d\nCOPY --from=s%dshort /list /short%d\n", i, i, i, i)
	}
	p := scenario.New(t, sb, rebuild{Dockerfile: file.String(), Files: map[string]string{
		"package.json": manifest, "package-lock.json": lockfile, "packages/a/package.json": `{"name": "a"}`, "packages/b/package.json": `{"name": "b"}`,
		"packages/b/deep/package.json": `{"name": "deep"}`,
	}, Links: map[string]string{"link.json": "packages/a/package.json"}})
	p.Must(os.Chmod(p.Path("package.json"), 0o604))
	p.Must(os.Chmod(p.Path("packages/a"), 0o711))
	dir := export(p)
	for i, form := range forms {
		whole, short := read(t, dir, fmt.Sprintf("whole%d", i)), read(t, dir, fmt.Sprintf("short%d", i))
		if whole != short || !strings.Contains(whole, "regular") {
			t.Errorf("%s: with the rule\n%s\nwithout\n%s", form, short, whole)
		}
	}
}

func read(t testing.TB, elem ...string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(elem...))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
