package frontend

import (
	"context"

	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/errdefs"
)

// keyRequestID is the option that asks for something about the Dockerfile
// instead of a build.
const keyRequestID = "requestid"

// subrequest answers the subrequest named id. It fails with
// errdefs.UnsupportedSubrequestError if there is none of that name.
func (b *build) subrequest(ctx context.Context, id string) (*client.Result, error) {
	return nil, errdefs.NewUnsupportedSubrequestError(id)
}
