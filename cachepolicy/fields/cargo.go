package fields

import (
	"strings"

	"github.com/cachewright/cachewright/cachepolicy/fieldspec"
)

const (
	cargoDoc     = "https://doc.rust-lang.org/cargo/reference/manifest.html#"
	cargoPathDoc = "https://doc.rust-lang.org/cargo/reference/specifying-dependencies.html#multiple-locations"
)

// cargo is the preset of Cargo.
var cargo = preset{
	names: []string{"cargo"},
	kinds: []fileKind{
		{names: []string{"Cargo.toml"}, form: formTOML, drops: cargoDrops},
		{names: []string{"Cargo.lock"}, form: formTOML},
		{names: []string{"rust-toolchain.toml", "rust-toolchain", "config.toml"}, form: formWhole},
	},
	reduce: reduceCargo,
}

var cargoDrops = append(packageDrops("package"), append(packageDrops("workspace.package"),
	Drop{Path: "package.metadata", Why: "Cargo ignores the table: it is for other tools", Doc: cargoDoc + "the-metadata-table"},
	Drop{Path: "workspace.metadata", Why: "Cargo ignores the table: it is for other tools", Doc: "https://doc.rust-lang.org/cargo/reference/workspaces.html#the-metadata-table"},
	Drop{Path: "badges", Why: "shown on crates.io, once", Doc: cargoDoc + "the-badges-section"},
)...)

func packageDrops(table string) []Drop {
	drop := func(key, why string) Drop {
		return Drop{Path: table + "." + key, Why: why, Doc: cargoDoc + "the-" + key + "-field"}
	}
	version := drop("version", "of the workspace's own packages, which path dependencies find by their directory")
	version.Becomes = noVersion
	license := drop("license", "shown by registries")
	file := license
	license.Doc = cargoDoc + "the-license-and-license-file-fields"
	file.Path, file.Doc = table+".license-file", license.Doc
	return []Drop{
		version,
		drop("authors", "for people"),
		drop("description", "shown by registries"),
		drop("documentation", "a link for people"),
		drop("readme", "shown by registries"),
		drop("homepage", "a link for people"),
		drop("repository", "a link for people"),
		license, file,
		drop("keywords", "for searches"),
		drop("categories", "for searches"),
	}
}

var cargoKept = []Kept{
	{"package.include, exclude, publish, links, build, autobins, …", "some decide what a build looks at, the others go along", cargoDoc + "the-exclude-and-include-fields"},
	{"package.version of a package that [patch] puts in the place of another", "only a version that matches replaces it", "https://doc.rust-lang.org/cargo/reference/overriding-dependencies.html"},
	{"lints, profile, features", "they are flags of the compiler", "https://doc.rust-lang.org/cargo/reference/profiles.html"},
}

func reduceCargo(_ fieldspec.Spec, docs []*document) {
	patched := patchedPackages(docs)
	for _, d := range docs {
		switch {
		case d.isKind("Cargo.toml"):
			reduceCargoManifest(d, patched)
		case d.isKind("Cargo.lock"):
			reduceCargoLock(d.root, patched)
		}
	}
}

// patchedPackages are those of the workspace that take the place of others, which
// they do only with the right version.
func patchedPackages(docs []*document) map[string]bool {
	patched := map[string]bool{}
	for _, d := range docs {
		if !d.isKind("Cargo.toml") {
			continue
		}
		d.root.get("patch").each(func(_ string, registry *node) {
			registry.each(func(name string, dep *node) {
				if dep.get("path") == nil {
					return
				}
				if renamed := dep.str("package"); renamed != "" {
					name = renamed
				}
				patched[name] = true
			})
		})
	}
	return patched
}

func reduceCargoManifest(d *document, patched map[string]bool) {
	name := d.root.str("package", "name")
	d.drop(d.root, func(path string) bool {
		return path == "package.version" && patched[name] || path == "workspace.package.version" && len(patched) > 0
	})
	d.root.dropPathVersions(patched)
	d.root.get("workspace").dropPathVersions(patched)
	d.root.get("target").each(func(_ string, target *node) { target.dropPathVersions(patched) })
}

// dropPathVersions removes the versions of dependencies with a path: they count only
// for who publishes the package.
func (n *node) dropPathVersions(patched map[string]bool) {
	for _, section := range []string{"dependencies", "dev-dependencies", "build-dependencies", "dev_dependencies", "build_dependencies"} {
		n.get(section).each(func(name string, dep *node) {
			if renamed := dep.str("package"); renamed != "" {
				name = renamed
			}
			if dep.get("path") != nil && !patched[name] {
				dep.drop("version")
			}
		})
	}
}

// reduceCargoLock gives the workspace's own packages, which have no source, the
// version that they have in their manifests.
func reduceCargoLock(lock *node, patched map[string]bool) {
	own := map[string]string{} // by name and version
	lock.get("package").each(func(_ string, p *node) {
		name := p.str("name")
		if p.get("source") == nil && !patched[name] {
			own[name+" "+p.str("version")] = name + " " + noVersion
			p.set("version", text(noVersion))
		}
	})
	lock.get("package").each(func(_ string, p *node) {
		p.get("dependencies").each(func(_ string, dep *node) {
			if s, ok := dep.value.(string); ok && own[s] != "" && strings.Contains(s, " ") {
				dep.value = own[s]
			}
		})
	})
}
