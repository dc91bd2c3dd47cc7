package docs_test

import (
	"fmt"
	"maps"
)

// Times around a boundary: the 17th of May 2026 is a Sunday.
const (
	saturday = "2026-05-16T12:00:00Z"
	sunday   = "2026-05-17T12:00:00Z"
	monday   = "2026-05-18T12:00:00Z"
)

// inRelease is the path of a Debian index.
const inRelease = "/debian-security/dists/bookworm-security/InRelease"

var clock = map[string]string{"CACHEWRIGHT_NOW": saturday}

// examples are the Dockerfiles of the documentation, by page, heading and number
// below the heading.
func examples() map[string]example {
	all := ruleExamples()
	maps.Copy(all, recipes())
	return all
}

func ruleExamples() map[string]example {
	return map[string]example{
		"cache-rules.md/Cache rules/1": {args: clock, changes: []change{
			{"unchanged", again, nil, nil},
			{"the next day", at(sunday), []string{"RUN apt-get"}, nil},
		}},
		"cache-rules.md/How to write one/1": {args: clock, changes: []change{
			{"REFRESH", given("REFRESH", "2"), []string{"RUN apk"}, nil},
			{"the next day", at(sunday), []string{"RUN apk"}, nil},
		}},
		"cache-rules.md/off/1": {files: map[string]string{"smoke-test.sh": "#!/bin/sh\n"}, changes: []change{
			{"unchanged", again, []string{"RUN /src/smoke-test.sh"}, nil},
		}},
		"cache-rules.md/ttl/1": {args: clock, changes: []change{
			{"the next day", at(sunday), []string{"RUN wget"}, nil},
			{"two months later", at("2026-07-17T12:00:00Z"), []string{"RUN apk", "RUN wget"}, nil},
		}},
		"cache-rules.md/key/1": {
			files: map[string]string{".renew": "2026-05\n"},
			changes: []change{
				{"unchanged", again, nil, nil},
				{"another branch", pushed("tool", "main"), nil, nil},
				{"a file", written(".renew", "2026-06\n"), []string{"RUN /tool/generate"}, nil},
				{"an argument", given("SEED", "2"), []string{"RUN /tool/generate"}, nil},
				{"the branch", pushed("tool", "v2"), []string{"RUN git clone", "RUN /tool/generate"}, nil},
				{"the index", served(inRelease, "Date: Thu"), []string{"RUN apt-get", "RUN git clone", "RUN /tool/generate"}, nil},
			},
		},
		"cache-rules.md/args/1": {files: node(), args: map[string]string{"GIT_SHA": "1"}, changes: []change{
			{"a commit", given("GIT_SHA", "2"), []string{"RUN npm run build"}, []string{"RUN npm", "COPY . ."}},
			{"an argument that counts", given("NODE_ENV", "test"), []string{"RUN npm", "COPY . ."}, []string{"RUN npm", "COPY . ."}},
		}},
		"cache-rules.md/base/1": {
			files: map[string]string{
				"go.mod":         "module example.org/app\n",
				"main.go":        "package main\n\nimport _ \"embed\"\n\n//go:embed routes.txt\nvar routes string\n\nfunc main() { print(routes) }\n",
				"api/routes.txt": "/\n",
			},
			changes: []change{
				{"a comment", written("api/routes.txt", "# The root.\n/\n"), []string{"RUN --mount=type=bind"}, []string{"RUN"}},
				{"a route", written("api/routes.txt", "/\n/more\n"), []string{"RUN"}, []string{"RUN"}},
			},
		},
		"cache-rules.md/fields/1": {files: release("1.0.0", "^1.0.0"), changes: releases("COPY . .")},
		"cache-rules.md/fields/2": {
			files: joined(release("1.0.0", "^1.0.0"), map[string]string{"packages/tool/package.json": `{"name": "tool", "version": "1.0.0"}`}),
			changes: append(releases("COPY . ."),
				change{"a release of a package", written("packages/tool/package.json", `{"name": "tool", "version": "1.0.1"}`),
					[]string{"COPY . ."}, []string{"COPY", "RUN"}}),
		},
		"cache-rules.md/export/1": {changes: []change{{"unchanged", again, nil, nil}}},
		"cache-rules.md/modes/1": {files: map[string]string{"site/index.html": "<p>Hello\n"}, changes: []change{
			{"another umask", chmod(0o664, 0o775), nil, []string{"COPY"}},
			{"content", written("site/index.html", "<p>More\n"), []string{"COPY"}, []string{"COPY"}},
		}},
		"cache-rules.md/mounts/1": {
			files: map[string]string{"go.mod": "module example.org/app\n", "main.go": "package main\n\nfunc main() {}\n"},
			changes: []change{
				{"unchanged", again, nil, nil},
				{"content", written("main.go", "package main\n\nfunc main() { print(1) }\n"), []string{"COPY", "RUN"}, []string{"COPY", "RUN"}},
			},
		},
		"cache-rules.md/Overruling rules/1": {changes: []change{
			{"a version", given("VERSION", "2"), []string{"RUN apk"}, nil},
			{"a rule of the build", given("CACHEWRIGHT_RULES", ""), []string{"RUN apk"}, nil},
		}},
		"cache-rules.md/Defaults for a stage/1": {args: clock, changes: []change{
			{"two hours later", at("2026-05-16T14:00:00Z"), []string{"RUN wget -O /stock.csv", "RUN sort"}, nil},
			{"the next day", at(sunday), []string{"RUN"}, nil},
		}},
	}
}

func recipes() map[string]example {
	install := map[string]string{"install.sh": "#!/bin/sh\ntouch /installed\n"}
	return map[string]example{
		"recipes.md/Security updates/1": {changes: []change{
			{"unchanged", again, nil, nil},
			{"an update", served(inRelease, "Date: Thu"), []string{"RUN apt-get", "COPY"}, nil},
		}},
		"recipes.md/Security updates/2": {args: clock, changes: []change{
			{"Sunday", at(sunday), []string{"RUN apk"}, nil},
			{"Monday", at(monday), nil, nil},
			{"once more", given("CACHEWRIGHT_RULES", "@3: off"), []string{"RUN apk"}, nil},
			{"without the override", given("CACHEWRIGHT_RULES", ""), nil, nil},
		}},
		"recipes.md/Security updates/3": {files: install, args: clock, changes: []change{
			{"the next day", at(sunday), []string{"RUN apt-get", "COPY"}, nil},
			{"another script", written("new", ""), []string{"COPY", "RUN /app/install.sh"}, []string{"COPY", "RUN /app/install.sh"}},
		}},
		"recipes.md/A private git dependency/1": {secrets: map[string]string{"GIT_AUTH_TOKEN": token}, changes: []change{
			{"another branch", pushed("lib", "other"), nil, nil},
			{"the branch", pushed("lib", "main"), []string{"RUN --mount"}, nil},
		}},
		"recipes.md/The latest release of a tool/1": {changes: []change{
			{"the script", served("/install.sh", "echo other >/tool\n"), nil, nil},
			{"the version", served("/latest.txt", "1.1\n"), []string{"RUN wget"}, nil},
		}},
		"recipes.md/A secret was rotated/1": {files: node(), secrets: map[string]string{"npm": "one"}, changes: []change{
			{"the secret alone", secret("npm", "two"), nil, nil},
			{"its version", given("NPM_TOKEN_VERSION", "2026-05"), []string{"RUN"}, nil},
			{"the override", given("CACHEWRIGHT_RULES", "@4: key=text:2026-05"), []string{"RUN"}, nil},
		}},
		"recipes.md/A commit hash that changes with every build/1": {files: node(), args: map[string]string{"GIT_SHA": "1"}, changes: []change{
			{"a commit", given("GIT_SHA", "2"), []string{"RUN npm run build"}, []string{"RUN npm run build"}},
		}},
		"recipes.md/A commit hash that changes with every build/2": {files: node(), args: map[string]string{"GIT_SHA": "1"}, changes: []change{
			{"a commit", given("GIT_SHA", "2"), []string{"RUN npm run build"}, []string{"RUN npm", "COPY . ."}},
		}},
		"recipes.md/CI and laptops share no cache because of the umask/1": {files: install, changes: []change{
			{"another umask", chmod(0o664, 0o775), nil, []string{"COPY", "RUN"}},
		}},
		"recipes.md/Dependencies must not be installed again/1": {
			files: release("1.0.0", "^1.0.0"), changes: releases("COPY . .", "RUN npm run build"),
		},
		"recipes.md/A smoke test that must run/1": {
			files: map[string]string{
				"go.mod":              "module example.org/app\n",
				"cmd/app/main.go":     "package main\n\nfunc main() {}\n",
				"smoke/smoke_test.go": "package smoke\n\nimport \"testing\"\n\nfunc TestSmoke(t *testing.T) {}\n",
			},
			changes: []change{{"unchanged", again, []string{"RUN --mount=type=cache,target=/root/.cache/go-build go test"}, nil}},
		},
	}
}

// node returns the files of a project for node.
func node() map[string]string {
	return map[string]string{"package.json": "{}\n", "package-lock.json": "{}\n", "index.js": "\n"}
}

// release returns the files of a project for node at a version, with what it takes of
// a package.
func release(version, dependency string) map[string]string {
	manifest := fmt.Sprintf(`{"name": "app", "version": %q, "dependencies": {"lib": %q}}`, version, dependency)
	lock := fmt.Sprintf(`{"name": "app", "version": %q, "lockfileVersion": 3, "packages": {"": {"version": %[1]q, "dependencies": {"lib": %q}}}}`, version, dependency)
	return map[string]string{"package.json": manifest, "package-lock.json": lock}
}

// releases are a release, in which these steps run, and another dependency.
func releases(ran ...string) []change {
	all := []string{"COPY", "RUN"}
	return []change{
		{"a release", writtenAll(release("1.1.0", "^1.0.0")), ran, all},
		{"a dependency", writtenAll(release("1.1.0", "^2.0.0")), all, all},
	}
}

func joined(a, b map[string]string) map[string]string {
	out := maps.Clone(a)
	maps.Copy(out, b)
	return out
}
