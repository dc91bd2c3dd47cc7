package fields_test

import (
	"testing"

	"github.com/cachewright/cachewright/integration/sandbox"
)

// composerManager returns Composer.
func composerManager(t *testing.T) *manager {
	t.Helper()
	if err := sandbox.RequirePrograms(t.Context(), map[string]string{"composer": "composer", "unzip": "unzip"}); err != nil {
		t.Fatal(err)
	}
	url := composerRepository(t)
	return &manager{
		name: "composer", preset: "composer", copied: []string{"composer.json", "lib/composer.json", "composer.lock"}, lockFile: "composer.lock",
		project: tree{
			"composer.json": `{
  "name": "acme/app",
  "description": "an app: für alle",
  "version": "1.0.0",
  "repositories": [{"type": "path", "url": "lib"}, {"type": "composer", "url": "` + url + `"}, {"packagist.org": false}],
  "require": {"served/left": "1.0.0", "acme/lib": "*"},
  "require-dev": {"served/right": "^1.0.0"},
  "autoload": {"classmap": ["src"]},
  "config": {"autoloader-suffix": "app", "secure-http": false, "platform": {"php": "8.2.0"}},
  "license": "MIT"
}
`,
			"src/app.php":       "<?php class App {}\n",
			"lib/composer.json": `{"name": "acme/lib", "version": "2.0.0", "autoload": {"classmap": ["src"]}}`,
			"lib/src/lib.php":   "<?php class Lib {}\n",
		},
		env:  []string{"COMPOSER_ALLOW_SUPERUSER=1", "COMPOSER_NO_INTERACTION=1"},
		lock: command{"composer", "update", "--no-install"}, install: command{"composer", "install"},
		alsoAccepts: []command{{"composer", "validate", "--no-check-publish", "--no-check-all"}},
		installed:   []string{"vendor"},
		notes:       []string{"vendor/composer/installed.php"},
		warns:       "The lock file is not up to date",
		release: []edit{
			{"composer.json", `"version": "1.0.0"`, `"version": "1.1.0"`}, {"composer.json", "an app", "the app"},
		},
		raise:  edit{"composer.json", `"served/left": "1.0.0"`, `"served/left": "1.1.0"`},
		reason: "composer.json: require.served/left 1.0.0 → 1.1.0",
	}
}
