package advice

import (
	"slices"
	"strings"
	"testing"
)

// TestReads asks which files a command reads: none that is not known for certain.
func TestReads(t *testing.T) {
	files := []string{"package.json", "package-lock.json", ".npmrc", "requirements.txt", "requirements-dev.txt", "go.mod", "go.sum", "main.go", "src/main.js", "setup.py", "poetry.lock", "pyproject.toml", "Gemfile"}
	for command, want := range map[string]string{
		"npm ci":                                   ".npmrc package-lock.json package.json",
		"npm ci --omit=dev && npm cache clean":     ".npmrc package-lock.json package.json",
		"npm run build":                            "?",
		"npm ci && npm run build":                  "?",
		"npm install .":                            "?",
		"npm ci $FLAGS":                            "?",
		"pip install -r requirements.txt":          "requirements-dev.txt requirements.txt",
		"pip install --requirement=setup.py":       "requirements-dev.txt requirements.txt setup.py",
		"pip install -e .":                         "?",
		"pip install ./src":                        "?",
		"go mod download":                          "go.mod go.sum",
		"go build":                                 "?",
		"poetry install":                           "?",
		"poetry install --no-root":                 "poetry.lock pyproject.toml",
		"apt-get update && apt-get install -y git": "",
		"mkdir /x; echo main.go":                   "main.go",
		"cat main.go":                              "?",
		"bundle install":                           "Gemfile",
		"":                                         "",
	} {
		got, known := reads(command, files)
		if text := strings.Join(got, " "); known != (want != "?") || known && text != want {
			t.Errorf("%q reads %q, %v; want %q", command, text, known, want)
		}
	}
	if _, known := reads("npm ci", append(slices.Clone(files), "packages/a/package.json")); known {
		t.Error("a package in a directory below may be a workspace")
	}
}

// TestMatches compares patterns with paths.
func TestMatches(t *testing.T) {
	for _, c := range []struct {
		pattern, path string
		want          bool
	}{
		{"coverage", "coverage", true},
		{"coverage", "coverage/lcov.info", true},
		{"coverage", "src/coverage", false},
		{"coverage", "coverage.txt", false},
		{"**/*.log", "a.log", true},
		{"**/*.log", "a/b/c.log", true},
		{"**/*.log", "a/b/c.logs", false},
		{"**/.cache", "a/.cache/x/y", true},
		{"src/*.js", "src/a.js", true},
		{"src/*.js", "src/a/b.js", false},
		{"/src/", "src/a/b.js", true},
		{"src/a", "src", false},
	} {
		if got := matches(c.pattern, c.path); got != c.want {
			t.Errorf("%s, %s: %v", c.pattern, c.path, got)
		}
	}
}
