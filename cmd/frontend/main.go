// Command frontend is the entry point of the frontend image.
//
// Without arguments it is the frontend: BuildKit starts it and talks gRPC over its
// standard input and output. The frontend has BuildKit run the image again, as a
// step of a build, with one of these:
//
//	record   find the files that a build selects, compare the build with the record
//	         of earlier ones and add it (package recorder)
//	key      write a random key for digests of secrets
//	mounts   look at cache mounts, restore or save them (package mounts)
//	keep     hold a little data that travels with the cache (package travel)
//
// None of them lets the step fail: what goes wrong costs an explanation, not a build.
// The command version, for people, prints the frontend's version.
package main

import (
	"cmp"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/gateway/grpcclient"
	"github.com/moby/buildkit/util/appcontext"
	_ "github.com/moby/buildkit/util/grpcutil/encoding/proto" // messages without reflection: less time and memory

	"github.com/cachewright/cachewright/frontend"
	"github.com/cachewright/cachewright/frontend/mounts"
	"github.com/cachewright/cachewright/frontend/recorder"
	"github.com/cachewright/cachewright/frontend/travel"
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
	switch {
	case slices.Equal(args, []string{"version"}):
		_, err := fmt.Println("cachewright", cmp.Or(frontend.Version(), "(unknown version)"))
		return err
	case len(args) == 0:
		return grpcclient.RunFromEnvironment(appcontext.Context(), frontend.Build)
	case slices.Equal(args, []string{"record"}):
		tell(recorder.Run(recorder.MountedDirs()))
	case slices.Equal(args, []string{"key"}):
		tell(recorder.WriteKey(recorder.MountedDirs()))
	case len(args) == 3 && args[0] == "mounts":
		tell(runMounts(args[1], args[2]))
	case len(args) == 2 && args[0] == "keep":
		tell(travel.Keep(travel.OutDir, os.Getenv))
	default:
		return fmt.Errorf("unknown command %q: there are version, and record, key, mounts and keep, which BuildKit runs, and none at all for the frontend", strings.Join(args, " "))
	}
	return nil
}

// runMounts runs a command of package mounts, which takes a request or an ID.
func runMounts(command, arg string) error {
	dirs := mounts.MountedDirs()
	switch command {
	case "look":
		return mounts.Look(dirs, []byte(arg))
	case "restore":
		return mounts.Restore(dirs, []byte(arg))
	case "save":
		return mounts.Save(dirs, []byte(arg))
	case "content":
		return mounts.Content(dirs, arg)
	default:
		return fmt.Errorf("mounts: unknown command %q", command)
	}
}

// tell prints what could not be written, for the log of the step.
func tell(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "cachewright:", err)
	}
}
