package fields_test

import (
	"os"
	"testing"

	"github.com/cachewright/cachewright/integration/sandbox"
)

// cargoManager returns Cargo, with a workspace of a path dependency and a vendored
// crate.
func cargoManager(t *testing.T) *manager {
	t.Helper()
	if err := sandbox.RequirePrograms(t.Context(), map[string]string{"cargo": "cargo"}); err != nil {
		t.Fatal(err)
	}
	return &manager{
		name: "cargo", preset: "cargo", copied: []string{"Cargo.toml", "*/Cargo.toml", "Cargo.lock"}, lockFile: "Cargo.lock",
		project: tree{
			"Cargo.toml": "[workspace]\nmembers = ['app', 'lib']\nresolver = '2'\n[workspace.package]\nversion = '1.2.0'\ndescription = 'd'\n",
			"app/Cargo.toml": "[package]\nname = 'app'\nversion.workspace = true\ndescription.workspace = true\nedition = '2021'\nauthors = ['x']\n" +
				"[dependencies]\nlib = { path = '../lib', version = '1.2' }\nleft = '1.0'\n",
			"app/src/main.rs":                   "fn main() { println!(\"{}\", lib::f()) }\n",
			"lib/Cargo.toml":                    "[package]\nname = 'lib'\nversion = '1.2.0'\nedition = '2021'\nlicense = 'MIT'\n",
			"lib/src/lib.rs":                    "pub fn f() -> u32 { 1 }\n",
			".cargo/config.toml":                "[source.crates-io]\nreplace-with = 'vendored'\n[source.vendored]\ndirectory = 'vendor'\n",
			"vendor/left/Cargo.toml":            "[package]\nname = 'left'\nversion = '1.0.3'\nedition = '2021'\n",
			"vendor/left/src/lib.rs":            "",
			"vendor/left/.cargo-checksum.json":  `{"files":{},"package":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}`,
			"vendor/left2/Cargo.toml":           "[package]\nname = 'left'\nversion = '2.0.0'\nedition = '2021'\n",
			"vendor/left2/src/lib.rs":           "",
			"vendor/left2/.cargo-checksum.json": `{"files":{},"package":"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"}`,
		},
		env:  []string{"HOME=" + os.Getenv("HOME")}, // where rustup keeps it
		lock: command{"cargo", "generate-lockfile", "--offline"}, install: command{"cargo", "build", "--offline", "--locked"},
		installed: []string{"target/debug/deps/*left*"},
		release: []edit{
			{"Cargo.toml", "1.2.0", "1.3.0"}, {"lib/Cargo.toml", "1.2.0", "1.2.1"},
		},
		raise:  edit{"app/Cargo.toml", "left = '1.0'", "left = '2.0'"},
		reason: "app/Cargo.toml: dependencies.left 1.0 → 2.0",
	}
}
