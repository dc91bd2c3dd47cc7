package report

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/cachewright/cachewright/cachepolicy/cacheplan"
)

// ResultKey is the key of a build's result metadata under which its plan is.
const ResultKey = "frontend.cachewright"

// Past is an earlier build, by its metadata file.
type Past struct {
	Name string // of the file
	Plan *cacheplan.Plan
}

// ReadPast reads a file that `buildx build --metadata-file` wrote. Of a build for
// several platforms it takes the one asked for, or else the first. It fails on a file
// that holds no plan, and on one whose plan has lost its inputs.
func ReadPast(name string, data []byte, platform string) (Past, error) {
	fail := func(format string, args ...any) (Past, error) {
		return Past{}, fmt.Errorf("metadata file %s: %s", name, fmt.Sprintf(format, args...))
	}
	var metadata map[string]json.RawMessage
	if err := json.Unmarshal(data, &metadata); err != nil {
		return fail("%v", err)
	}
	value, ok := metadata[ResultKey]
	if !ok {
		return fail("it has no %s; the file that `docker buildx build --metadata-file` writes has, after a build with explanations", ResultKey)
	}
	var text string
	if err := json.Unmarshal(value, &text); err == nil {
		value = json.RawMessage(text) // buildx has it as a string
	}
	var built struct {
		Version int `json:"version"`
		Builds  []struct {
			Plan json.RawMessage `json:"plan"`
		} `json:"builds"`
	}
	if err := json.Unmarshal(value, &built); err != nil {
		return fail("%v", err)
	}
	if built.Version != DocumentVersion || len(built.Builds) == 0 {
		return fail("version %d with %d builds; this frontend reads version %d", built.Version, len(built.Builds), DocumentVersion)
	}
	var plans []*cacheplan.Plan
	for _, b := range built.Builds {
		p, err := cacheplan.Decode(b.Plan)
		if err != nil {
			return fail("%v", err)
		}
		plans = append(plans, p)
	}
	i := max(slices.IndexFunc(plans, func(p *cacheplan.Plan) bool { return p.Platform == platform }), 0)
	if len(plans[i].Steps) > 0 && !slices.ContainsFunc(plans[i].Steps, func(s cacheplan.Step) bool { return len(s.Inputs) > 0 }) {
		return fail("the plan was so large that its inputs were left out: nothing can be compared with it")
	}
	return Past{Name: name, Plan: plans[i]}, nil
}

// withoutWithheld returns copies of two plans in which withheld values are equal,
// and the names of those that both have. The digests that stand for them are keyed,
// each builder with a key of its own, and so are the keys of steps that have them.
func withoutWithheld(a, b *cacheplan.Plan) (x, y *cacheplan.Plan, names []string) {
	x, xNames := blankWithheld(a)
	y, yNames := blankWithheld(b)
	for _, n := range xNames {
		if slices.Contains(yNames, n) {
			names = append(names, n)
		}
	}
	return x, y, names
}

func blankWithheld(p *cacheplan.Plan) (*cacheplan.Plan, []string) {
	out := *p
	out.Steps = slices.Clone(p.Steps)
	var names []string
	for i := range out.Steps {
		s := &out.Steps[i]
		s.Key = "" // the inputs stand for it
		s.Inputs = slices.Clone(s.Inputs)
		for j := range s.Inputs {
			if in := &s.Inputs[j]; in.Secret {
				in.Digest = ""
				names = append(names, in.Name)
			}
		}
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Compare(strings.ToLower(a), strings.ToLower(b)) })
	return &out, slices.Compact(names)
}
