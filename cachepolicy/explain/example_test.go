package explain_test

import (
	"fmt"

	"github.com/cachewright/cachewright/cachepolicy"
	"github.com/cachewright/cachewright/cachepolicy/cacheplan"
	"github.com/cachewright/cachewright/cachepolicy/explain"
)

// Compare two builds by their plans: which steps ran again, and why.
func ExampleCompare() {
	build := func(version string) *cacheplan.Plan {
		return &cacheplan.Plan{Version: cacheplan.Version, Steps: []cacheplan.Step{
			{
				ID:   cachepolicy.StepID{Stage: "app", Number: 1, Total: 2, Instruction: "RUN"},
				Name: "[app 1/2] RUN make",
				Inputs: []cachepolicy.Input{
					cachepolicy.NewInput(cachepolicy.InputArg, "VERSION", version, cachepolicy.Origin{Kind: cachepolicy.OriginBuildArg, Line: 5}),
				},
			},
			{
				ID:      cachepolicy.StepID{Stage: "app", Number: 2, Total: 2, Instruction: "RUN"},
				Name:    "[app 2/2] RUN make test",
				Follows: []cacheplan.Follow{cacheplan.FollowStep(0, cacheplan.ByDefinition, "")},
			},
		}}
	}
	from, to := build("1.0"), build("1.1")
	for _, reason := range explain.Compare(from, to) {
		fmt.Printf("%s: %s\n", to.Steps[reason.Step].Name, reason)
	}
	// Output:
	// [app 1/2] RUN make: ARG VERSION 1.0 → 1.1 (line 5)
	// [app 2/2] RUN make test: follows 1/2
}
