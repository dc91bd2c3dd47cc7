// Command frontend is the entry point of the frontend image: BuildKit starts it
// and talks gRPC over its standard input and output.
package main

import (
	"fmt"
	"os"
	"runtime/debug"

	"github.com/moby/buildkit/frontend/gateway/grpcclient"
	"github.com/moby/buildkit/util/appcontext"
	_ "github.com/moby/buildkit/util/grpcutil/encoding/proto" // messages without reflection: less time and memory

	"github.com/cachewright/cachewright/frontend"
)

// gcPercent lets a usual build end before its first garbage collection, which
// takes more memory for itself than it would free. It bounds the memory of a
// large one to three times what is in use.
const gcPercent = 200

func main() {
	debug.SetGCPercent(gcPercent)
	if err := grpcclient.RunFromEnvironment(appcontext.Context(), frontend.Build); err != nil {
		fmt.Fprintln(os.Stderr, "cachewright:", err)
		os.Exit(1)
	}
}
