package advice

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cachewright/cachewright/cachepolicy/internal/phrase"
	"github.com/cachewright/cachewright/cachepolicy/record"
)

// noisy are patterns of files that tools, editors and tests leave in a project, or that
// are about it and no part of it. They are no noise where an instruction names them.
var noisy = []string{
	"coverage", "htmlcov", ".nyc_output", "**/.coverage", "test-results", "test-reports", "playwright-report", "**/junit*.xml",
	"**/*.log", "logs", "tmp", ".tmp", "**/.cache", "**/*.tsbuildinfo", "**/.eslintcache", "**/.pytest_cache", "**/.mypy_cache",
	"**/.ruff_cache", "**/__pycache__", "**/*.pyc", ".tox", ".gradle", ".git", ".github", ".gitlab-ci.yml", ".idea", ".vscode",
	"**/.DS_Store", "**/*.swp", "**/*~", "CHANGELOG.md", "Dockerfile", ".dockerignore", "compose.yaml", "docker-compose.yml",
}

// noise returns a candidate for each pattern of files that changed and that no
// instruction names.
func (s *situation) noise() []candidate {
	if s.project.Ignore.Path == "" {
		return nil
	}
	var out []candidate
	for _, pattern := range noisy {
		n := s.alone(pattern)
		if n == 0 || slices.Contains(s.ignored, pattern) || s.isNamed(pattern) {
			continue
		}
		shown := strings.TrimPrefix(pattern, "**/")
		text := s.ignore
		if text != "" && !strings.HasSuffix(text, "\n") {
			text += "\n"
		}
		out = append(out, candidate{
			Suggestion: Suggestion{
				Kind:    KindNoise,
				Seen:    fmt.Sprintf("in %s only %s had changed", phrase.Count(n, "build"), shown),
				Do:      fmt.Sprintf("add %s to %s", pattern, s.project.Ignore.Path),
				If:      "no script that a command starts reads it",
				Changes: fmt.Sprintf("%s is in no image any more", shown),
			},
			dockerfile: s.dockerfile, ignore: text + pattern + "\n", ignored: []string{pattern},
		})
	}
	return out
}

// alone counts the builds before which nothing had changed but files of a pattern.
func (s *situation) alone(pattern string) int {
	n := 0
	for _, e := range s.history.entries {
		ofIt, others := 0, e.More
		for _, c := range e.Changes {
			switch {
			case c.Kind != record.ChangeFile || c.Context != "":
				others++
			case matches(pattern, c.Name):
				ofIt++
			case !isParent(c.Name, e.Changes, pattern):
				others++
			}
		}
		if ofIt > 0 && others == 0 {
			n++
		}
	}
	return n
}

// isParent reports whether a path is the directory of changed files of a pattern: it
// comes and goes with them.
func isParent(dir string, changes []record.LogChange, pattern string) bool {
	return slices.ContainsFunc(changes, func(c record.LogChange) bool {
		return c.Kind == record.ChangeFile && strings.HasPrefix(c.Name, dir+"/") && matches(pattern, c.Name)
	})
}

// isNamed reports whether an instruction names what a pattern is about, or a file that
// changed and that it matches.
func (s *situation) isNamed(pattern string) bool {
	words := []string{strings.Trim(strings.TrimPrefix(pattern, "**/"), "*~")}
	for _, f := range s.history.changing {
		if f.Context == "" && matches(pattern, f.Name) {
			words = append(words, f.Name)
		}
	}
	return slices.ContainsFunc(s.reading.Instructions, func(in Instruction) bool {
		text := strings.Join(slices.Concat(in.Flags, in.Words), " ")
		return in.Keyword != "FROM" && slices.ContainsFunc(words, func(w string) bool { return w != "" && strings.Contains(text, w) })
	})
}
