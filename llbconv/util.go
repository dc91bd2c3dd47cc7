package llbconv

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"
)

// sortedKeys returns a set's members in order, for output that does not depend
// on map iteration.
func sortedKeys[V any](m map[string]V) []string {
	if len(m) == 0 {
		return nil
	}
	return slices.Sorted(maps.Keys(m))
}

// varName is the name in NAME=VALUE.
func varName(kv string) string {
	name, _, _ := strings.Cut(kv, "=")
	return name
}

// cleanSlash cleans a path and gives it forward slashes.
func cleanSlash(p string) string {
	return filepath.ToSlash(filepath.Clean(p))
}
