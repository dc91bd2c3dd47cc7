package fields

import (
	"path"
	"regexp"
	"strings"

	"github.com/cachewright/cachewright/cachepolicy/fieldspec"
)

const npmDoc = "https://docs.npmjs.com/cli/v11/configuring-npm/package-json#"

// npm is the preset of npm, pnpm and yarn.
var npm = preset{
	names: []string{"npm"},
	kinds: []fileKind{
		{names: []string{"package.json"}, form: formJSON, drops: npmDrops},
		{names: []string{"package-lock.json", "npm-shrinkwrap.json"}, form: formJSON},
		{names: []string{"pnpm-workspace.yaml"}, form: formYAML},
		{names: []string{"pnpm-lock.yaml", "yarn.lock", ".npmrc", ".yarnrc", ".yarnrc.yml", ".pnpmfile.cjs"}, form: formWhole},
	},
	reduce: reduceNPM,
}

const toolSection = "read by the tool itself, when it runs"

var npmDrops = []Drop{
	{Path: "version", Becomes: noVersion, Why: "needed to publish; an install reads it only where another package of the workspace asks for a range. yarn wants one of each workspace", Doc: npmDoc + "version"},
	{Path: "description", Why: "for searches", Doc: npmDoc + "description-1"},
	{Path: "keywords", Why: "for searches", Doc: npmDoc + "keywords"},
	{Path: "homepage", Why: "a link for people", Doc: npmDoc + "homepage"},
	{Path: "bugs", Why: "a link for people", Doc: npmDoc + "bugs"},
	{Path: "license", Why: "for people", Doc: npmDoc + "license"},
	{Path: "author", Why: "for people", Doc: npmDoc + "people-fields-author-contributors"},
	{Path: "contributors", Why: "for people", Doc: npmDoc + "people-fields-author-contributors"},
	{Path: "maintainers", Why: "for people", Doc: npmDoc + "people-fields-author-contributors"},
	{Path: "funding", Why: "npm fund shows that of dependencies", Doc: npmDoc + "funding"},
	{Path: "repository", Why: "a link for people", Doc: npmDoc + "repository"},
	{Path: "ava", Why: toolSection, Doc: "https://github.com/avajs/ava/blob/main/docs/06-configuration.md"},
	{Path: "babel", Why: toolSection, Doc: "https://babeljs.io/docs/config-files"},
	{Path: "c8", Why: toolSection, Doc: "https://github.com/bcoe/c8"},
	{Path: "commitlint", Why: toolSection, Doc: "https://commitlint.js.org/reference/configuration"},
	{Path: "eslintConfig", Why: toolSection, Doc: "https://eslint.org/docs/v8.x/use/configure/configuration-files"},
	{Path: "eslintIgnore", Why: toolSection, Doc: "https://eslint.org/docs/v8.x/use/configure/ignore"},
	{Path: "jest", Why: toolSection, Doc: "https://jestjs.io/docs/configuration"},
	{Path: "lint-staged", Why: toolSection, Doc: "https://github.com/lint-staged/lint-staged#configuration"},
	{Path: "mocha", Why: toolSection, Doc: "https://mochajs.org/running/configuring/"},
	{Path: "nodemonConfig", Why: toolSection, Doc: "https://github.com/remy/nodemon#packagejson"},
	{Path: "nyc", Why: toolSection, Doc: "https://github.com/istanbuljs/nyc#configuration-files"},
	{Path: "prettier", Why: toolSection, Doc: "https://prettier.io/docs/configuration"},
	{Path: "release", Why: toolSection, Doc: "https://semantic-release.gitbook.io/semantic-release/usage/configuration"},
	{Path: "size-limit", Why: toolSection, Doc: "https://github.com/ai/size-limit#config"},
	{Path: "stylelint", Why: toolSection, Doc: "https://stylelint.io/user-guide/configure"},
	{Path: "xo", Why: toolSection, Doc: "https://github.com/xojs/xo#config"},
}

var npmKept = []Kept{
	{"name", "it is the directory of a workspace's link", npmDoc + "name"},
	{"private", "yarn wants it for workspaces", "https://classic.yarnpkg.com/lang/en/docs/workspaces/"},
	{"scripts", "an install runs some, and they may run others; npm,noscripts leaves out those that no install runs", "https://docs.npmjs.com/cli/v11/using-npm/scripts#life-cycle-scripts"},
	{"files, main, bin, directories", "an install of a directory or a workspace links what bin names; the others go along", npmDoc + "bin"},
	{"browserslist, husky, config", "install scripts of dependencies read them", npmDoc + "config"},
	{"engines, os, cpu, packageManager, devEngines", "an install checks them", npmDoc + "engines"},
	{"version of a workspace that another asks for by a range", "without it the range does not match, and the registry is asked", "https://docs.npmjs.com/cli/v11/using-npm/workspaces"},
}

// npmUnordered are the sections of package.json whose order means nothing. In those
// that are not listed, such as exports and overrides, the first match counts.
var npmUnordered = []string{
	"bin", "config", "dependencies", "dependenciesMeta", "devDependencies", "directories", "engines",
	"optionalDependencies", "peerDependencies", "peerDependenciesMeta", "scripts",
}

var dependencySections = []string{"dependencies", "devDependencies", "optionalDependencies", "peerDependencies"}

func reduceNPM(s fieldspec.Spec, docs []*document) {
	asked := map[string]bool{} // packages that are asked for by a range
	for _, d := range docs {
		switch {
		case d.isKind("package.json"):
			askNPM(asked, d.root)
		case d.isKind("package-lock.json"):
			ownPackages(d.root, func(_ string, p *node) { askNPM(asked, p) })
		}
	}
	manifest := &document{kind: &fileKind{drops: npmDrops}}
	drop := func(name string, n *node) {
		manifest.drop(n, func(path string) bool { return path == "version" && asked[name] })
	}
	for _, d := range docs {
		switch {
		case d.isKind("package.json"):
			drop(d.root.str("name"), d.root)
			if s.NoScripts {
				d.root.get("scripts").keepInstallScripts()
			}
			d.root.sortKeys(false)
			for _, key := range npmUnordered {
				d.root.get(key).sortKeys(true)
			}
		case d.isKind("package-lock.json"):
			if !asked[d.root.str("name")] {
				d.root.set("version", text(noVersion))
			}
			ownPackages(d.root, drop)
		case d.isKind("pnpm-workspace.yaml"): // its order counts: patterns of packages exclude what came before
		}
	}
}

// askNPM notes the packages that a manifest asks for by a range.
func askNPM(asked map[string]bool, manifest *node) {
	for _, section := range dependencySections {
		manifest.get(section).each(func(name string, v *node) {
			spec, _ := v.value.(string)
			if wantsVersion(spec) {
				asked[name] = true
			}
		})
	}
}

// wantsVersion reports whether a dependency of a workspace on another matches only
// some versions of that.
func wantsVersion(spec string) bool {
	if rest, ok := strings.CutPrefix(spec, "workspace:"); ok {
		return rest != "*" && rest != "^" && rest != "~" && !strings.HasPrefix(rest, ".")
	}
	switch spec {
	case "", "*":
		return false
	}
	scheme, _, ok := strings.Cut(spec, ":")
	return !ok || scheme != "file" && scheme != "link" && scheme != "portal"
}

// ownPackages calls f for the project's own packages in a lock file: the root and
// the workspaces, by name.
func ownPackages(lock *node, f func(name string, p *node)) {
	lock.get("packages").each(func(dir string, p *node) {
		if strings.Contains("/"+dir, "/node_modules/") {
			return
		}
		name := p.str("name")
		if name == "" {
			name = workspaceName(lock, dir)
		}
		f(name, p)
	})
}

// workspaceName returns the name under which a directory of a lock file is linked.
func workspaceName(lock *node, dir string) string {
	name := path.Base(dir)
	if dir == "" {
		name = lock.str("name")
	}
	return name
}

// installScripts are the scripts that installs run in the project itself. Source:
// npm's documentation, "Life Cycle Operation Order"; pnpm's, ".pnpmfile" and scripts.
var installScripts = []string{
	"preinstall", "install", "postinstall", "prepublish", "preprepare", "prepare", "postprepare",
	"dependencies", "predependencies", "postdependencies", "pnpm:devPreinstall",
}

var scriptWord = regexp.MustCompile(`[^\s"'` + "`" + `;&|()=]+`)

// keepInstallScripts leaves of the scripts those that an install runs, and those
// that these name.
func (n *node) keepInstallScripts() {
	if n == nil || n.kind != object {
		return
	}
	kept := map[string]bool{}
	var keep func(name string)
	keep = func(name string) {
		if kept[name] || n.get(name) == nil {
			return
		}
		kept[name] = true
		keep("pre" + name)
		keep("post" + name)
		for _, word := range scriptWord.FindAllString(n.str(name), -1) {
			for _, other := range n.keys {
				if match, _ := path.Match(word, other); match || other == word {
					keep(other)
				}
			}
		}
	}
	for _, name := range installScripts {
		keep(name)
	}
	n.keep(func(key string, _ *node) bool { return kept[key] })
}
