package llbconv_test

import (
	"context"
	"fmt"
	"time"

	"github.com/moby/buildkit/client/llb/sourceresolver"
	digest "github.com/opencontainers/go-digest"

	"github.com/cachewright/cachewright/llbconv"
)

// oneImage is a registry in which every name is the same image.
type oneImage struct{}

func (oneImage) ResolveImageConfig(_ context.Context, ref string, _ sourceresolver.Opt) (string, digest.Digest, []byte, error) {
	return ref, digest.FromString("manifest"), []byte(`{"os": "linux", "architecture": "amd64", "config": {"Env": ["PATH=/bin"]}}`), nil
}

// Convert a Dockerfile, and see what the steps are keyed by.
func ExampleConvert() {
	ctx := context.Background()
	dockerfile := []byte("FROM alpine\nCOPY src /src\n# cache=ttl=24h\nRUN make -C /src\n")
	res, err := llbconv.Convert(ctx, dockerfile, llbconv.Options{MetaResolver: oneImage{}, Now: time.Unix(0, 0), Nonce: "of this build"})
	if err != nil {
		fmt.Println(err)
		return
	}
	def, err := res.Definition(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	plan, err := def.Plan(ctx, func() ([]byte, error) { return []byte("a secret of the builder"), nil })
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, step := range plan.Steps {
		fmt.Println(step.Name)
		for _, in := range step.Inputs {
			fmt.Printf("  %s %s (%s)\n", in.Kind, in.Name, in.Origin)
		}
	}
	// Output:
	// [1/3] COPY src /src
	//   command COPY (line 2)
	//   files src (build context)
	// [2/3] RUN make -C /src
	//   command RUN (line 4)
	//   workdir workdir (base image)
	//   env PATH (base image)
	//   ttl 1d (rule, line 3)
}
