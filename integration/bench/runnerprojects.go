package bench

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cachewright/cachewright/integration/sandbox"
)

// runnerProject is what is built on new builders, with one step that has cache mounts.
type runnerProject struct {
	name  string // "Go build"
	image sandbox.Image
	// builds name the builds of a round, the first and those after a change each, and
	// files returns the context of the one with so many changes.
	builds [3]string
	files  func(changes int) map[string]string
	mounts []string // the ids of the step's cache mounts
	// command is in the name of the step, and anew reports whether a line of its output
	// speaks of work that each build of the round has, and that the contents of an
	// earlier build's cache mounts save.
	command string
	anew    func(line string) bool
}

// mountsBelow are the flags that mount each of the project's cache mounts below a
// directory, by its id.
func (p runnerProject) mountsBelow(dir string) string {
	var b strings.Builder
	for _, id := range p.mounts {
		fmt.Fprintf(&b, " --mount=type=cache,id=%s,target=%s/%[1]s", id, dir)
	}
	return b.String()
}

// found reports whether the step of a build worked with the contents of an earlier
// build's cache mounts. It fails if the step did not run.
func (p runnerProject) found(r *sandbox.Result) (bool, error) {
	for _, s := range r.Steps {
		if strings.Contains(s.Name, p.command) && s.Ran() {
			return !slices.ContainsFunc(strings.Split(s.Logs, "\n"), p.anew), nil
		}
	}
	return false, fmt.Errorf("no step with %q ran\n%s", p.command, r)
}

// goProgram is a Go program of three packages that needs the larger part of the
// standard library, so that compiling it anew is felt.
func goProgram() runnerProject {
	const version = "\n// Version is 2.\nvar Version = 2\n"
	files := func(changes int) map[string]string {
		files := map[string]string{
			"go.mod":       "module example.com/app\n\ngo 1.26\n",
			"main.go":      "package main\n\nimport (\n\t\"log\"\n\t\"net/http\"\n\n\t\"example.com/app/api\"\n\t\"example.com/app/page\"\n)\n\nfunc main() {\n\thttp.Handle(\"/api\", api.Handler())\n\thttp.Handle(\"/\", page.Handler())\n\tlog.Fatal(http.ListenAndServe(\":8080\", nil))\n}\n",
			"api/api.go":   "package api\n\nimport (\n\t\"encoding/json\"\n\t\"net/http\"\n)\n\nfunc Handler() http.Handler {\n\treturn http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _ = json.NewEncoder(w).Encode(\"hello\") })\n}\n",
			"page/page.go": "package page\n\nimport (\n\t\"html/template\"\n\t\"net/http\"\n)\n\nvar page = template.Must(template.New(\"\").Parse(\"hello {{.}}\"))\n\nfunc Handler() http.Handler {\n\treturn http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _ = page.Execute(w, r.URL.Path) })\n}\n",
			"Dockerfile": "FROM golang:1.26 AS build\nWORKDIR /src\n# cache=mounts=share\n" +
				"RUN --mount=target=. --mount=type=cache,id=bench-go-build,target=/root/.cache/go-build CGO_ENABLED=0 go build -v -trimpath -o /out/app .\n" +
				"FROM scratch\nCOPY --from=build /out/app /app\n",
		}
		for _, file := range []string{"page/page.go", "api/api.go"}[:changes] {
			files[file] += version
		}
		return files
	}
	return runnerProject{
		name: "Go build", image: sandbox.Golang, builds: [3]string{"first", "one file changed", "another file changed"}, files: files,
		mounts: []string{"bench-go-build"}, command: "go build",
		anew: func(line string) bool { return line == "net/http" }, // a package that is compiled
	}
}

// aptInstall installs Debian packages of some 30 MB, and a small one more with each
// change. apt is told not to keep what it makes of the lists of packages, which is new
// with each installation and as large as the lists; the file is that of the official
// image which has apt remove all packages.
func aptInstall() runnerProject {
	files := func(changes int) map[string]string {
		packages := []string{"git", "python3", "jq", "rsync"}[:2+changes]
		return map[string]string{"Dockerfile": "FROM debian:bookworm-slim\n" +
			"RUN echo 'Dir::Cache { pkgcache \"\"; srcpkgcache \"\"; };' >/etc/apt/apt.conf.d/docker-clean\n# cache=mounts=share\n" +
			"RUN --mount=type=cache,id=bench-apt,target=/var/cache/apt,sharing=locked --mount=type=cache,id=bench-apt-lists,target=/var/lib/apt/lists,sharing=locked " +
			"apt-get update && apt-get install -y " + strings.Join(packages, " ") + "\n"}
	}
	return runnerProject{
		name: "apt install", image: sandbox.Debian, builds: [3]string{"first", "one package more", "another package more"}, files: files,
		mounts: []string{"bench-apt", "bench-apt-lists"}, command: "apt-get install",
		anew: func(line string) bool { // a package that is downloaded
			return strings.HasPrefix(line, "Get:") && strings.Contains(line, " git ")
		},
	}
}
