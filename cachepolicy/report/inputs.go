package report

import (
	"cmp"
	"strings"

	"github.com/cachewright/cachewright/cachepolicy"
	"github.com/cachewright/cachewright/cachepolicy/internal/phrase"
)

// row is one thing that a step's key is made of, as people read it.
type row struct{ kind, text, origin string }

// rows returns the rule of a step, every input of its key, and what it follows.
func (r *Report) rows(i int) []row {
	s := &r.Plan.Steps[i]
	var out []row
	for _, o := range s.Rule {
		out = append(out, row{"rule", phrase.Join(string(o.Option), o.Value, "="), o.Origin.String()})
	}
	for _, in := range s.Inputs {
		if in.Kind == cachepolicy.InputField {
			continue // their file stands for them
		}
		if in.Kind != cachepolicy.InputCommand || !strings.HasSuffix(s.Name, in.Value) || in.Digest != "" {
			out = append(out, row{string(in.Kind), r.input(in), in.Origin.String()})
		}
	}
	for _, f := range s.Follows {
		what := f.Source
		if f.Step >= 0 {
			what = r.Plan.StepName(f.Step, s)
		}
		how := "by " + string(f.By)
		if f.Via != "" {
			how += ", " + f.Via
		}
		out = append(out, row{"follows", what, how})
	}
	return out
}

// input returns the text that stands for an input's value.
func (r *Report) input(in cachepolicy.Input) string {
	switch in.Kind.Form() {
	case cachepolicy.FormPlain:
	case cachepolicy.FormText:
		if in.Digest == "" {
			return in.Value
		}
		return phrase.Join(in.Value, inputDigest(in), " ")
	case cachepolicy.FormValue:
		return cmp.Or(in.Value, in.Name)
	case cachepolicy.FormNamed:
		return phrase.Join(in.Name, in.Value, ": ")
	case cachepolicy.FormAssigned:
		if in.Secret {
			return in.Name + " (value withheld)"
		}
		return in.Name + "=" + in.Value
	case cachepolicy.FormDigest:
		return phrase.Join(in.Name, inputDigest(in), " ")
	case cachepolicy.FormFiles:
		return phrase.Join(in.Name, r.files(in.Files), ": ")
	}
	return phrase.Join(in.Name, in.Value, " ")
}

func inputDigest(in cachepolicy.Input) string {
	switch {
	case in.Digest != "":
		algorithm, _, ok := strings.Cut(in.Digest, ":")
		if ok && !strings.HasPrefix(phrase.ShortDigest(in.Digest), algorithm) {
			return algorithm + ":" + phrase.ShortDigest(in.Digest)
		}
		return phrase.ShortDigest(in.Digest)
	case in.Unresolved:
		return "(not resolved)"
	}
	return in.Value
}

// files says how many files a set has.
func (r *Report) files(id string) string {
	s := r.Plan.FileSet(id)
	if s == nil || !s.Known {
		return "(not read)"
	}
	return phrase.Count(s.Size(), "file")
}
