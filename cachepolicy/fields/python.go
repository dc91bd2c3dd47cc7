package fields

import (
	"regexp"
	"strings"

	"github.com/cachewright/cachewright/cachepolicy/fieldspec"
)

const (
	pyprojectDoc = "https://packaging.python.org/en/latest/specifications/pyproject-toml/#"
	poetryDoc    = "https://python-poetry.org/docs/pyproject/#"
)

// python is the preset of uv, poetry and pdm.
var python = preset{
	names: []string{"uv", "poetry", "pdm"},
	kinds: []fileKind{
		{names: []string{"pyproject.toml"}, form: formTOML, drops: pyprojectDrops},
		{names: []string{"uv.lock"}, form: formTOML},
		{names: []string{"poetry.lock", "pdm.lock"}, form: formTOML},
		{names: []string{"uv.toml", "poetry.toml", "pdm.toml", ".python-version"}, form: formWhole},
	},
	reduce: reducePython,
}

var pyprojectDrops = []Drop{
	{Path: "project.version", Becomes: noVersion, Why: "of the project itself", Doc: pyprojectDoc + "version"},
	{Path: "project.description", Why: "shown by indexes", Doc: pyprojectDoc + "description"},
	{Path: "project.readme", Why: "shown by indexes", Doc: pyprojectDoc + "readme"},
	{Path: "project.license", Why: "shown by indexes", Doc: pyprojectDoc + "license"},
	{Path: "project.license-files", Why: "goes into distributions", Doc: pyprojectDoc + "license-files"},
	{Path: "project.authors", Why: "for people", Doc: pyprojectDoc + "authors-maintainers"},
	{Path: "project.maintainers", Why: "for people", Doc: pyprojectDoc + "authors-maintainers"},
	{Path: "project.keywords", Why: "for searches", Doc: pyprojectDoc + "keywords"},
	{Path: "project.classifiers", Why: "for searches", Doc: pyprojectDoc + "classifiers"},
	{Path: "project.urls", Why: "links for people", Doc: pyprojectDoc + "urls"},
	{Path: "tool.poetry.version", Becomes: noVersion, Why: "of the project itself; poetry wants one", Doc: poetryDoc + "version"},
	{Path: "tool.poetry.description", Becomes: `""`, Why: "shown by indexes; poetry wants one", Doc: poetryDoc + "description"},
	{Path: "tool.poetry.authors", Becomes: "[]", Why: "for people; poetry wants a list", Doc: poetryDoc + "authors"},
	{Path: "tool.poetry.license", Why: "shown by indexes", Doc: poetryDoc + "license"},
	{Path: "tool.poetry.maintainers", Why: "for people", Doc: poetryDoc + "maintainers"},
	{Path: "tool.poetry.readme", Why: "shown by indexes", Doc: poetryDoc + "readme"},
	{Path: "tool.poetry.homepage", Why: "a link for people", Doc: poetryDoc + "homepage"},
	{Path: "tool.poetry.repository", Why: "a link for people", Doc: poetryDoc + "repository"},
	{Path: "tool.poetry.documentation", Why: "a link for people", Doc: poetryDoc + "documentation"},
	{Path: "tool.poetry.keywords", Why: "for searches", Doc: poetryDoc + "keywords"},
	{Path: "tool.poetry.classifiers", Why: "for searches", Doc: poetryDoc + "classifiers"},
	{Path: "tool.poetry.urls", Why: "links for people", Doc: poetryDoc + "urls"},
	{Path: "tool.bandit", Why: toolSection, Doc: "https://bandit.readthedocs.io/en/latest/config.html"},
	{Path: "tool.black", Why: toolSection, Doc: "https://black.readthedocs.io/en/stable/usage_and_configuration/the_basics.html"},
	{Path: "tool.commitizen", Why: toolSection, Doc: "https://commitizen-tools.github.io/commitizen/config/"},
	{Path: "tool.coverage", Why: toolSection, Doc: "https://coverage.readthedocs.io/en/latest/config.html"},
	{Path: "tool.isort", Why: toolSection, Doc: "https://pycqa.github.io/isort/docs/configuration/config_files.html"},
	{Path: "tool.mypy", Why: toolSection, Doc: "https://mypy.readthedocs.io/en/stable/config_file.html"},
	{Path: "tool.pylint", Why: toolSection, Doc: "https://pylint.readthedocs.io/en/stable/user_guide/usage/run.html"},
	{Path: "tool.pyright", Why: toolSection, Doc: "https://microsoft.github.io/pyright/#/configuration"},
	{Path: "tool.pytest", Why: toolSection, Doc: "https://docs.pytest.org/en/stable/reference/customize.html"},
	{Path: "tool.ruff", Why: toolSection, Doc: "https://docs.astral.sh/ruff/configuration/"},
	{Path: "tool.semantic_release", Why: toolSection, Doc: "https://python-semantic-release.readthedocs.io/en/latest/configuration/configuration.html"},
	{Path: "tool.towncrier", Why: toolSection, Doc: "https://towncrier.readthedocs.io/en/stable/configuration.html"},
}

var pyprojectKept = []Kept{
	{"project.dynamic, build-system, tool.setuptools, tool.hatch, …", "an install builds the project with them", pyprojectDoc + "dynamic"},
	{"project.scripts, entry-points", "an install makes the commands", pyprojectDoc + "entry-points"},
	{"version of a workspace's package that another asks for by a range", "without it the range does not match", "https://docs.astral.sh/uv/concepts/projects/workspaces/"},
	{"poetry.lock, pdm.lock", "all: their hash is of the dependencies alone, which stay", "https://python-poetry.org/docs/cli/#lock"},
}

func reducePython(_ fieldspec.Spec, docs []*document) {
	asked := map[string]bool{}
	for _, d := range docs {
		switch {
		case d.isKind("pyproject.toml"):
			d.root.get("project", "dependencies").askPython(asked)
			d.root.get("project", "optional-dependencies").askPython(asked)
			d.root.get("dependency-groups").askPython(asked)
		case d.isKind("uv.lock"):
			d.root.get("package").each(func(_ string, p *node) {
				p.get("metadata").askLocked(asked)
			})
		}
	}
	for _, d := range docs {
		switch {
		case d.isKind("pyproject.toml"):
			name := d.root.str("project", "name")
			d.drop(d.root, func(path string) bool { return path == "project.version" && asked[normalName(name)] })
			if tool := d.root.get("tool"); tool != nil && len(tool.items) == 0 {
				d.root.drop("tool") // nothing else is in it
			}
		case d.isKind("uv.lock"):
			reduceUVLock(d.root, asked)
		}
	}
}

// requirement is a dependency with a version specifier.
var requirement = regexp.MustCompile(`^\s*([A-Za-z0-9._-]+)\s*(?:\[[^\]]*\])?\s*\(?\s*[<>=~!]`)

// askPython notes the packages that requirements ask for by a version.
func (n *node) askPython(asked map[string]bool) {
	n.each(func(_ string, v *node) {
		if s, ok := v.value.(string); ok {
			if m := requirement.FindStringSubmatch(s); m != nil {
				asked[normalName(m[1])] = true
			}
			return
		}
		v.askPython(asked)
	})
}

// askLocked notes the packages that a lock file says are asked for by a version.
func (n *node) askLocked(asked map[string]bool) {
	n.each(func(_ string, v *node) {
		if v.get("specifier") != nil {
			asked[normalName(v.str("name"))] = true
			return
		}
		v.askLocked(asked)
	})
}

var nameSeparators = regexp.MustCompile(`[-_.]+`)

// normalName returns a package's name in the form in which names are compared.
func normalName(name string) string {
	return strings.ToLower(nameSeparators.ReplaceAllString(name, "-"))
}

// reduceUVLock gives the project's own packages the version that they have in their
// manifests.
func reduceUVLock(lock *node, asked map[string]bool) {
	own := map[string]string{} // versions by name
	lock.get("package").each(func(_ string, p *node) {
		source := p.get("source")
		local := source.get("virtual") != nil || source.get("editable") != nil || source.get("directory") != nil
		if name := p.str("name"); local && p.get("version") != nil && !asked[normalName(name)] {
			own[name] = p.str("version")
			p.set("version", text(noVersion))
		}
	})
	var replace func(n *node)
	replace = func(n *node) {
		if v, ok := own[n.str("name")]; ok && n.str("version") == v {
			n.set("version", text(noVersion))
		}
		n.each(func(_ string, v *node) { replace(v) })
	}
	lock.get("package").each(func(_ string, p *node) {
		for _, section := range []string{"dependencies", "optional-dependencies", "dev-dependencies"} {
			if n := p.get(section); n != nil {
				replace(n)
			}
		}
	})
}
