package frontend

import (
	"strings"

	"github.com/moby/buildkit/solver/errdefs"
	"github.com/moby/buildkit/util/grpcerrors"
	"github.com/moby/buildkit/util/stack"
	"google.golang.org/grpc/codes"
)

// hasCap reports whether this frontend has a frontend capability. The same list is
// in the label moby.buildkit.frontend.caps of the image.
func hasCap(name string) bool {
	switch name {
	case "moby.buildkit.frontend.inputs",
		"moby.buildkit.frontend.subrequests",
		"moby.buildkit.frontend.contexts",
		"moby.buildkit.frontend.gitquerystring",
		"moby.buildkit.frontend.contexts.zstd":
		return true
	}
	return false
}

// capRequest is what the option frontend.caps asks for.
type capRequest struct {
	// missing is the error for a capability that this frontend lacks but that the
	// client allows another frontend to have: it counts only if the build is not
	// forwarded there.
	missing error
}

// parseCaps reads the comma-separated option frontend.caps. It fails with
// errdefs.UnsupportedFrontendCapError when a capability is missing, unless its
// name ends in "+forward".
func parseCaps(list string) (capRequest, error) {
	var req capRequest
	if list == "" {
		return req, nil
	}
	for item := range strings.SplitSeq(list, ",") {
		name, suffix, _ := strings.Cut(item, "+")
		if hasCap(name) {
			continue
		}
		err := stack.Enable(grpcerrors.WrapCode(errdefs.NewUnsupportedFrontendCapError(name), codes.Unimplemented))
		if !strings.HasPrefix(suffix, "forward") {
			return req, err
		}
		req.missing = err
	}
	return req, nil
}
