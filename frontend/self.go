package frontend

import (
	"os"

	"github.com/distribution/reference"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/gateway/client"
)

// self returns the filesystem that this frontend's process runs in, as a source
// for steps of its own; nil if it does not run in a container of the builder.
func self(c client.Client) *llb.State {
	if current, ok := c.(interface{ CurrentFrontend() (*llb.State, error) }); ok {
		if st, err := current.CurrentFrontend(); err == nil && st != nil {
			return st
		}
		// A builder that does not tell, but started the process from an image.
		if ref, err := reference.ParseNormalizedNamed(c.BuildOpts().Opts["source"]); err == nil {
			st := llb.Image(reference.TagNameOnly(ref).String())
			return &st
		}
	}
	return nil
}

// executable is the path of this process's binary in its image.
func executable() string {
	path, err := os.Executable()
	if err != nil {
		return os.Args[0]
	}
	return path
}
