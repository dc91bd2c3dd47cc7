// Command frontend is the entry point of the frontend image: BuildKit starts it
// and talks gRPC over its standard input and output.
package main

import (
	"fmt"
	"os"

	"github.com/moby/buildkit/frontend/gateway/grpcclient"
	"github.com/moby/buildkit/util/appcontext"

	"github.com/cachewright/cachewright/frontend"
)

func main() {
	if err := grpcclient.RunFromEnvironment(appcontext.Context(), frontend.Build); err != nil {
		fmt.Fprintln(os.Stderr, "cachewright:", err)
		os.Exit(1)
	}
}
