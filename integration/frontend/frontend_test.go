// Package frontend_test runs the frontend's image on a real daemon and looks at
// what a user gets besides the image: errors and warnings with their lines, the
// answers of --call, SBOMs and provenance. Where the daemon's own docker/dockerfile
// has to give the same, both are asked.
package frontend_test

import (
	"context"
	"sync"
	"testing"

	"github.com/cachewright/cachewright/integration/sandbox"
)

const syntax = "# syntax=" + sandbox.FrontendRef + "\n"

var push sync.Once

// start returns the shared sandbox with busybox and our frontend in its registry.
func start(t *testing.T) *sandbox.Sandbox {
	t.Helper()
	sb := sandbox.Shared(t, sandbox.Busybox)
	var err error
	push.Do(func() { err = sb.PushFrontend(context.WithoutCancel(t.Context()), sandbox.FrontendRef) })
	if err != nil {
		t.Fatal(err)
	}
	return sb
}

// frontends are ours and the daemon's own.
var frontends = []string{sandbox.FrontendRef, ""}
