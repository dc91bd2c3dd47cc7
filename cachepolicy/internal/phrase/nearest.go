package phrase

import (
	"strings"

	"github.com/agext/levenshtein"
)

// Nearest returns the candidate that is spelt most like word, or "" when none is
// within two edits.
func Nearest(word string, candidates []string) string {
	const maxDistance = 2
	best, bestDistance := "", maxDistance+1
	lower := strings.ToLower(word)
	for _, c := range candidates {
		d := levenshtein.Distance(lower, strings.ToLower(c), nil)
		if d < bestDistance && d < len(c) {
			best, bestDistance = c, d
		}
	}
	return best
}
