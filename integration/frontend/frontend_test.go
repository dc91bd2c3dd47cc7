// Package frontend_test runs the frontend's image on a real daemon and looks at
// what a user gets besides the image: errors and warnings with their lines, the
// answers of --call, SBOMs and provenance. Where the daemon's own docker/dockerfile
// has to give the same, both are asked.
package frontend_test

import (
	"testing"

	"github.com/cachewright/cachewright/integration/sandbox"
	"github.com/cachewright/cachewright/integration/scenario"
)

const syntax = "# syntax=" + sandbox.FrontendRef + "\n"

// start returns the shared sandbox with busybox and our frontend in its registry.
func start(t *testing.T) *sandbox.Sandbox {
	t.Helper()
	return scenario.Start(t, sandbox.Busybox)
}

// frontends are ours and the daemon's own.
var frontends = []string{sandbox.FrontendRef, ""}
