package llbconv

import (
	"maps"
	"path/filepath"
	"slices"
)

// sortedKeys returns a set's members in order, for output that does not depend
// on map iteration.
func sortedKeys[V any](m map[string]V) []string {
	if len(m) == 0 {
		return nil
	}
	return slices.Sorted(maps.Keys(m))
}

// cleanSlash cleans a path and gives it forward slashes.
func cleanSlash(p string) string {
	return filepath.ToSlash(filepath.Clean(p))
}
