package fields_test

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/cachewright/cachewright/integration/sandbox"
)

// workspace is a project of three workspaces, two of which ask for another: one by a
// range and one by any version.
var workspace = tree{
	"package.json": `{"name":"root","version":"1.0.0","description":"d","private":true,"license":"MIT","workspaces":["packages/*"],
		"scripts":{"test":"true","postinstall":"mkdir -p node_modules && echo installed > node_modules/ran"},"dependencies":{"left":"1.0.0"},"jest":{"a":1}}`,
	"packages/a/package.json": `{"name":"a","version":"1.0.0","license":"MIT","dependencies":{"b":"^1.0.0","right":"^1.0.0"}}`,
	"packages/b/package.json": `{"name":"b","version":"1.0.0","author":"x"}`,
	"packages/c/package.json": `{"name":"c","version":"3.0.0","dependencies":{"a":"*"}}`,
}

// nodeManagers returns npm, pnpm, yarn and the yarn of today.
func nodeManagers(t *testing.T) []*manager {
	t.Helper()
	modules, err := sandbox.PackageManagers(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	program := func(name string) string { return filepath.Join(modules, name) }
	url := npmRegistry(t)
	node := func(name, lockFile string, lock, install command) *manager {
		return &manager{
			name: name, preset: "npm", copied: []string{"package.json", "packages/*/package.json", lockFile}, project: workspace, lockFile: lockFile,
			lock: lock, install: install, installed: []string{"node_modules", "packages/*/node_modules"},
			env: []string{"npm_config_registry=" + url, "npm_config_update_notifier=false", "npm_config_audit=false", "npm_config_fund=false"},
			release: []edit{
				{"package.json", `"version":"1.0.0","description":"d"`, `"version":"1.1.0","description":"e"`},
				{"package.json", `"a":1`, `"a":2`},
				{"packages/c/package.json", "3.0.0", "4.0.0"},
			},
			raise:  edit{"package.json", `"left":"1.0.0"`, `"left":"1.1.0"`},
			reason: "package.json: dependencies.left 1.0.0 → 1.1.0",
		}
	}
	npmProgram := program("npm/bin/npm-cli.js")
	npm := node("npm", "package-lock.json",
		command{"node", npmProgram, "install", "--package-lock-only", "--lockfile-version=3"}, command{"node", npmProgram, "ci"})
	npm.notes = []string{"node_modules/.package-lock.json"}

	pnpmProgram := program("pnpm/bin/pnpm.cjs")
	pnpm := node("pnpm", "pnpm-lock.yaml",
		command{"node", pnpmProgram, "install", "--lockfile-only"}, command{"node", pnpmProgram, "install", "--frozen-lockfile"})
	pnpm.copied = append(pnpm.copied, "pnpm-workspace.yaml")
	pnpm.project = workspace.with(tree{"pnpm-workspace.yaml": "packages:\n  - packages/* # all of them\nlinkWorkspacePackages: true\n"})
	pnpm.notes = []string{"node_modules/.pnpm-workspace-state-v1.json"}
	pnpm.volatile = regexp.MustCompile(`(?m)("?prunedAt"?|"lastValidatedTimestamp"): .*$`)

	classicProgram := program("yarn/bin/yarn.js")
	classic := node("yarn 1", "yarn.lock",
		command{"node", classicProgram, "install", "--ignore-scripts", "--non-interactive"}, command{"node", classicProgram, "install", "--frozen-lockfile", "--non-interactive"})
	classic.notes = []string{"node_modules/.yarn-integrity"}
	classic.env = append(classic.env, "YARN_REGISTRY="+url)

	berryProgram := program("@yarnpkg/cli-dist/bin/yarn.js")
	berry := node("yarn 4", "yarn.lock",
		command{"node", berryProgram, "install", "--mode=update-lockfile"}, command{"node", berryProgram, "install", "--immutable"})
	berry.copied = append(berry.copied, ".yarnrc.yml")
	berry.project = workspace.with(tree{".yarnrc.yml": strings.Join([]string{
		"nodeLinker: node-modules", "npmRegistryServer: " + url, "unsafeHttpWhitelist: [127.0.0.1]", "enableTelemetry: false", "npmMinimalAgeGate: 0", "",
	}, "\n")})
	return []*manager{npm, pnpm, classic, berry}
}
