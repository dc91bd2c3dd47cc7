package fields_test

import "slices"

type (
	object = map[string]any
	list   = []any
)

// fieldsOf are the fields that are changed one by one, by preset: all that the preset
// leaves out, and some that stay although they look idle.
var fieldsOf = map[string][]oneField{
	"npm": slices.Concat(
		[]oneField{
			{name: "version", from: "1.0.0", to: "1.1.0", locked: true},
			{name: "description", from: "d", to: "e"},
			{name: "keywords", from: list{"a"}, to: list{"b"}},
			{name: "homepage", from: "https://a.example.org", to: "https://b.example.org"},
			{name: "bugs", from: object{"url": "https://a.example.org"}, to: object{"url": "https://b.example.org"}},
			{name: "license", from: "MIT", to: "ISC"},
			{name: "author", from: "A <a@example.org>", to: object{"name": "B"}},
			{name: "contributors", from: list{"A <a@example.org>"}, to: list{"B"}},
			{name: "maintainers", from: list{"A <a@example.org>"}, to: list{"B"}},
			{name: "funding", from: "https://a.example.org", to: list{"https://b.example.org"}},
			{name: "repository", from: "github:a/a", to: object{"type": "git", "url": "https://b.example.org/b.git"}},
		},
		sections("", "ava", "babel", "c8", "commitlint", "eslintConfig", "eslintIgnore", "jest", "lint-staged", "mocha", "nodemonConfig", "nyc",
			"prettier", "release", "size-limit", "stylelint", "xo"),
		[]oneField{
			{name: "name", file: "packages/c/package.json", to: "d"},
			{name: "private", to: false},
			{name: "scripts.postinstall", to: "mkdir -p node_modules && echo another > node_modules/ran"},
			{name: "scripts.test", to: "false"},
			{name: "bin", file: "packages/b/package.json", to: object{"b": "cli.js"}},
			{name: "main", to: "other.js"},
			{name: "files", to: list{"lib"}},
			{name: "directories", to: object{"lib": "lib"}},
			{name: "browserslist", to: list{"defaults"}},
			{name: "husky", to: object{"hooks": object{"pre-commit": "true"}}},
			{name: "config", to: object{"port": "80"}},
			{name: "engines", to: object{"node": ">=9999"}},
			{name: "os", to: list{"plan9"}},
			{name: "cpu", to: list{"pdp11"}},
			{name: "packageManager", to: "npm@10.0.0"},
			{name: "version of a workspace that another asks for by a range", file: "packages/b/package.json", path: "version", to: "2.0.0"},
		},
	),
	"cargo": slices.Concat(
		crate("app/Cargo.toml", "package"), crate("Cargo.toml", "workspace.package"),
		[]oneField{
			{name: "package.metadata", file: "app/Cargo.toml", from: object{"deb": object{"a": 1}}, to: object{"deb": object{"a": 2}}},
			{name: "workspace.metadata", from: object{"release": object{"a": 1}}, to: object{"release": object{"a": 2}}},
			{name: "badges", file: "app/Cargo.toml", from: object{"maintenance": object{"status": "none"}}, to: object{"maintenance": object{"status": "deprecated"}}},
			{name: "package.links", file: "app/Cargo.toml", to: "z"},
			{name: "package.publish", file: "app/Cargo.toml", to: false},
			{name: "package.include", file: "app/Cargo.toml", to: list{"src"}},
			{name: "profile", to: object{"dev": object{"opt-level": 1}}},
			{name: "lints", file: "app/Cargo.toml", to: object{"rust": object{"unused": "warn"}}},
			{name: "features", file: "app/Cargo.toml", to: object{"extra": list{}}},
		},
	),
	"uv": slices.Concat(
		only("pdm", []oneField{
			{name: "project.version", from: "1.0.0", to: "1.1.0", locked: true},
			{name: "project.description", from: "d", to: "e"},
			{name: "project.readme", from: object{"text": "d", "content-type": "text/plain"}, to: object{"text": "e", "content-type": "text/plain"}},
			{name: "project.license", from: object{"text": "MIT"}, to: object{"text": "ISC"}},
			{name: "project.license-files", from: object{"globs": list{"LICEN*"}}, to: object{"globs": list{"COPY*"}}},
			{name: "project.authors", from: list{object{"name": "A"}}, to: list{object{"name": "B"}}},
			{name: "project.maintainers", from: list{object{"name": "A"}}, to: list{object{"name": "B"}}},
			{name: "project.keywords", from: list{"a"}, to: list{"b"}},
			{name: "project.classifiers", from: list{"Topic :: Utilities"}, to: list{"Topic :: Internet"}},
			{name: "project.urls", from: object{"a": "https://a.example.org"}, to: object{"a": "https://b.example.org"}},
			{name: "project.scripts", to: object{"app": "app:main"}},
			{name: "project.requires-python", to: ">=3.99"},
		}),
		only("poetry", []oneField{
			{name: "tool.poetry.version", from: "1.0.0", to: "1.1.0", locked: true},
			{name: "tool.poetry.description", from: "d", to: "e"},
			{name: "tool.poetry.authors", from: list{"A <a@example.org>"}, to: list{"B <b@example.org>"}},
			{name: "tool.poetry.license", from: "MIT", to: "ISC"},
			{name: "tool.poetry.maintainers", from: list{"A <a@example.org>"}, to: list{"B <b@example.org>"}},
			{name: "tool.poetry.readme", from: "README.md", to: "README.rst"},
			{name: "tool.poetry.homepage", from: "https://a.example.org", to: "https://b.example.org"},
			{name: "tool.poetry.repository", from: "https://a.example.org", to: "https://b.example.org"},
			{name: "tool.poetry.documentation", from: "https://a.example.org", to: "https://b.example.org"},
			{name: "tool.poetry.keywords", from: list{"a"}, to: list{"b"}},
			{name: "tool.poetry.classifiers", from: list{"Topic :: Utilities"}, to: list{"Topic :: Internet"}},
			{name: "tool.poetry.urls", from: object{"a": "https://a.example.org"}, to: object{"a": "https://b.example.org"}},
			{name: "tool.poetry.scripts", to: object{"app": "app:main"}},
		}),
		only("pdm", sections("tool.", "bandit", "black", "commitizen", "coverage", "isort", "mypy", "pylint", "pyright", "pytest", "ruff",
			"semantic_release", "towncrier")),
	),
	"composer": {
		{name: "version", from: "1.0.0", to: "1.1.0", locked: true},
		{name: "description", from: "d", to: "e"},
		{name: "keywords", from: list{"a"}, to: list{"b"}},
		{name: "homepage", from: "https://a.example.org", to: "https://b.example.org"},
		{name: "readme", from: "README.md", to: "README.rst"},
		{name: "time", from: "2026-01-01", to: "2026-02-02"},
		{name: "license", from: "MIT", to: "ISC"},
		{name: "authors", from: list{object{"name": "A"}}, to: list{object{"name": "B"}}},
		{name: "support", from: object{"docs": "https://a.example.org"}, to: object{"docs": "https://b.example.org"}},
		{name: "funding", from: list{object{"type": "a", "url": "https://a.example.org"}}, to: list{object{"type": "b", "url": "https://b.example.org"}}},
		{name: "archive", from: object{"exclude": list{"/a"}}, to: object{"exclude": list{"/b"}}},
		{name: "abandoned", from: false, to: "b/b"},
		{name: "scripts-descriptions", from: object{"a": "d"}, to: object{"a": "e"}},
		{name: "autoload", to: object{"classmap": list{"lib/src"}}},
		{name: "scripts", to: object{"post-install-cmd": "echo installed > vendor/ran"}},
		{name: "extra", to: object{"a": 1}},
		{name: "config", to: object{"secure-http": false, "autoloader-suffix": "other", "platform": object{"php": "8.2.0"}}},
	},
}

// crate are the descriptive fields of a table of Cargo.toml.
func crate(file, table string) []oneField {
	out := []oneField{
		{name: "version", from: "1.2.0", to: "1.3.0", locked: true},
		{name: "authors", from: list{"A"}, to: list{"B"}},
		{name: "description", from: "d", to: "e"},
		{name: "documentation", from: "https://a.example.org", to: "https://b.example.org"},
		{name: "readme", from: "README.md", to: "README.txt"},
		{name: "homepage", from: "https://a.example.org", to: "https://b.example.org"},
		{name: "repository", from: "https://a.example.org", to: "https://b.example.org"},
		{name: "license", from: "MIT", to: "ISC"},
		{name: "license-file", from: "LICENSE", to: "COPYING"},
		{name: "keywords", from: list{"a"}, to: list{"b"}},
		{name: "categories", from: list{"os"}, to: list{"wasm"}},
	}
	for i := range out {
		out[i].name, out[i].file = table+"."+out[i].name, file
	}
	return out
}

// sections are sections that tools read themselves.
func sections(prefix string, names ...string) []oneField {
	var out []oneField
	for _, name := range names {
		out = append(out, oneField{name: prefix + name, from: object{"a": "1"}, to: object{"a": "2"}})
	}
	return out
}

// only gives fields the tool that reads them.
func only(tool string, rows []oneField) []oneField {
	for i := range rows {
		rows[i].tool = tool
	}
	return rows
}
