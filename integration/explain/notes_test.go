package explain_test

import "github.com/cachewright/cachewright/integration/sandbox"

// closingNotes are what a build says about itself at its end.
func closingNotes(r *sandbox.Result) []string {
	var out []string
	for _, w := range r.Warnings {
		if w.URL == "" { // not one of a check
			out = append(out, string(w.Short))
		}
	}
	return out
}
