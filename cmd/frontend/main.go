// Command frontend is the entry point of the frontend image.
//
// Without arguments it is the frontend: BuildKit starts it and talks gRPC over its
// standard input and output. The frontend has BuildKit run the image again, as a
// step of a build, with one of these:
//
//	record   find the files that a build selects, compare the build with the record
//	         of earlier ones and add it (package recorder)
//	key      write a random key for digests of secrets
//
// Neither lets the step fail: what goes wrong costs an explanation, not a build.
// The command version, for people, prints the frontend's version.
package main

import (
	"cmp"
	"fmt"
	"os"
	"runtime/debug"
	"strings"

	"github.com/moby/buildkit/frontend/gateway/grpcclient"
	"github.com/moby/buildkit/util/appcontext"
	_ "github.com/moby/buildkit/util/grpcutil/encoding/proto" // messages without reflection: less time and memory

	"github.com/cachewright/cachewright/frontend"
	"github.com/cachewright/cachewright/frontend/recorder"
)

// gcPercent lets a usual build end before its first garbage collection, which
// takes more memory for itself than it would free. It bounds the memory of a
// large one to three times what is in use.
const gcPercent = 200

func main() {
	debug.SetGCPercent(gcPercent)
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "cachewright:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	switch command := strings.Join(args, " "); command {
	case "version":
		_, err := fmt.Println("cachewright", cmp.Or(frontend.Version(), "(unknown version)"))
		return err
	case "":
		return grpcclient.RunFromEnvironment(appcontext.Context(), frontend.Build)
	case "record":
		tell(recorder.Run(recorder.MountedDirs()))
	case "key":
		tell(recorder.WriteKey(recorder.MountedDirs()))
	default:
		return fmt.Errorf("unknown command %q: there are version, record and key, of which BuildKit runs the last two, and none at all for the frontend", command)
	}
	return nil
}

// tell prints what could not be written, for the log of the step.
func tell(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "cachewright:", err)
	}
}
