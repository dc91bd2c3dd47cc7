package frontend

import (
	"context"
	"errors"

	"github.com/moby/buildkit/frontend/gateway/client"
)

// Build is the frontend's gateway function (client.BuildFunc): it takes the
// gateway connection of one build and returns the build's result, or the first
// error with the Dockerfile position it belongs to.
func Build(ctx context.Context, c client.Client) (*client.Result, error) {
	return nil, errors.New("not implemented")
}
