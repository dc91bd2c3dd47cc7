package scenario

import (
	"slices"
	"strings"

	"github.com/cachewright/cachewright/integration/sandbox"
)

// Step is an instruction's step of a build.
type Step struct {
	*sandbox.Step
	Number string // as in "2/3", "app 2/3" or "linux/amd64 app 2/3"
	Text   string // the instruction
	Note   string // what is said about it, empty if nothing
}

// Steps returns the steps of a build's instructions, FROM among them, in the order
// in which the daemon named them. A source that ADD loads has a step of its own
// with the name of the instruction; it is left out.
func Steps(r *sandbox.Result) []Step {
	var out []Step
	for _, s := range r.Steps {
		number, text, note := sandbox.ParseName(s.Name)
		if number == "" || strings.Contains(number, "internal") || strings.HasPrefix(number, "context ") {
			continue
		}
		step := Step{Step: s, Number: number, Text: text, Note: note}
		same := func(o Step) bool { return o.Number == number && o.Text == text }
		switch at := slices.IndexFunc(out, same); {
		case at < 0:
			out = append(out, step)
		case slices.Contains(s.Inputs, out[at].Digest):
			out[at] = step
		case slices.Contains(out[at].Inputs, s.Digest):
		default:
			out = append(out, step)
		}
	}
	return out
}
