// Command empty is the frontend that does least: it asks for a definition that
// it was given and looks at nothing of the build. No frontend can be faster.
package main

import (
	"context"
	"encoding/base64"
	"fmt"
	"os"

	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/frontend/gateway/grpcclient"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/appcontext"
)

func main() {
	if err := grpcclient.RunFromEnvironment(appcontext.Context(), build); err != nil {
		fmt.Fprintln(os.Stderr, "empty:", err)
		os.Exit(1)
	}
}

// build solves the option "definition", a pb.Definition in base64.
func build(ctx context.Context, c client.Client) (*client.Result, error) {
	data, err := base64.StdEncoding.DecodeString(c.BuildOpts().Opts["definition"])
	if err != nil {
		return nil, err
	}
	var def pb.Definition
	if err := def.UnmarshalVT(data); err != nil {
		return nil, err
	}
	return c.Solve(ctx, client.SolveRequest{Definition: &def})
}
