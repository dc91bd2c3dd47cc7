package cacheplan_test

import (
	"fmt"

	"github.com/cachewright/cachewright/cachepolicy"
	"github.com/cachewright/cachewright/cachepolicy/cacheplan"
)

// Read a plan, such as the part "plan" of docker buildx build --call=cache,format=json.
func ExampleDecode() {
	plan, err := cacheplan.Decode([]byte(`{"version": 1, "steps": [
		{"id": {"stage": "app", "stageIndex": 0, "number": 1, "total": 2, "line": 1, "instruction": "FROM"}, "name": "[app 1/2] FROM alpine",
		 "inputs": [{"kind": "base", "name": "alpine", "digest": "sha256:5df4", "origin": {"kind": "line", "line": 1}}]},
		{"id": {"stage": "app", "stageIndex": 0, "number": 2, "total": 2, "line": 3, "instruction": "RUN"}, "name": "[app 2/2] RUN make",
		 "inputs": [{"kind": "arg", "name": "VERSION", "value": "1.0", "origin": {"kind": "build-arg", "line": 2}}],
		 "follows": [{"step": 0, "by": "definition"}]}]}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, step := range plan.Steps {
		fmt.Println(step.Name)
		for _, in := range step.Inputs {
			if in.Kind == cachepolicy.InputArg {
				fmt.Printf("  needs %s=%s (%s)\n", in.Name, in.Value, in.Origin)
			}
		}
	}
	// Output:
	// [app 1/2] FROM alpine
	// [app 2/2] RUN make
	//   needs VERSION=1.0 (build argument, line 2)
}
