package frontend

import (
	"cmp"
	"runtime/debug"
)

// modulePath is this module's path.
const modulePath = "github.com/cachewright/cachewright"

// version is the release's git tag, such as v1.2.3. The release recipe has the linker
// set it, since its build context has no repository.
var version string

// Version returns which version this is: the git tag that it was built of, such as
// v1.2.3, or the version that the Go command made of the commit. It is empty where
// neither is known, as without a repository.
func Version() string {
	if version != "" {
		return version
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, m := range append(info.Deps, &info.Main) {
		if m.Path == modulePath && m.Version != "(devel)" {
			return m.Version
		}
	}
	return ""
}

// versionName is Version for people.
func versionName() string { return cmp.Or(Version(), "of an unknown version") }
