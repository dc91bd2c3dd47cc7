package advice

import (
	"path"
	"slices"
	"strings"

	"github.com/cachewright/cachewright/cachepolicy/cacheplan"
)

// selects reports whether a file set selects a path of its context.
func selects(set *cacheplan.FileSet, file string) bool {
	if matchesAny(set.Exclude, file) {
		return false
	}
	return slices.ContainsFunc(set.Patterns, func(p string) bool {
		p = path.Clean(strings.ReplaceAll(p, "/./", "/"))
		return p == "." || matches(p, file)
	})
}

// ignoredBy returns the patterns of a .dockerignore. Of one that takes something back
// with an exclamation mark, only those below the last such line are sure to hold.
func ignoredBy(text string) []string {
	var out []string
	for line := range strings.Lines(text) {
		switch line = strings.TrimSpace(line); {
		case line == "" || line[0] == '#':
		case line[0] == '!':
			out = nil
		default:
			out = append(out, path.Clean(strings.TrimPrefix(line, "/")))
		}
	}
	return out
}

func matchesAny(patterns []string, file string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return matches(p, file) })
}

// matches reports whether a pattern, in which ** stands for any directories, is that of
// a path or of a directory above it.
func matches(pattern, file string) bool {
	return matchParts(strings.Split(strings.Trim(pattern, "/"), "/"), strings.Split(file, "/"))
}

func matchParts(pattern, file []string) bool {
	if len(pattern) == 0 {
		return true
	}
	if pattern[0] == "**" {
		for i := range file {
			if matchParts(pattern[1:], file[i:]) {
				return true
			}
		}
		return false
	}
	if len(file) == 0 {
		return false
	}
	ok, err := path.Match(pattern[0], file[0])
	return err == nil && ok && matchParts(pattern[1:], file[1:])
}
