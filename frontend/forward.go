package frontend

import (
	"context"
	"maps"
	"strings"

	"github.com/distribution/reference"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/gateway/client"
	gwpb "github.com/moby/buildkit/frontend/gateway/pb"
	"github.com/moby/buildkit/solver/errdefs"
	"github.com/moby/buildkit/solver/pb"
	"github.com/pkg/errors"
)

const (
	// keyCmdline and keySource are the options that a frontend is started with:
	// the text of the syntax directive, and the image named there.
	keyCmdline = "cmdline"
	keySource  = "source"

	keySyntaxArg = "build-arg:BUILDKIT_SYNTAX"

	// repository is the published frontend's repository, on any registry.
	repository = "cachewright/dockerfile"
)

// syntax is a request to build with another frontend.
type syntax struct {
	ref      string // the frontend image
	cmdline  string // the whole text that names it
	location []parser.Range
	fromArg  bool // BUILDKIT_SYNTAX instead of the file's directive
}

// syntax reports whether another frontend has to build this file; see the package
// comment for when. The build argument BUILDKIT_SYNTAX comes before the file's
// directive.
func (b *build) syntax() (syntax, bool) {
	if _, decided := b.opts()[keyCmdline]; decided {
		return syntax{}, false
	}
	var s syntax
	if arg, ok := b.opts()[keySyntaxArg]; ok {
		ref, _, _ := strings.Cut(strings.TrimSpace(arg), " ")
		s = syntax{ref: ref, cmdline: arg, fromArg: true}
	} else if ref, cmdline, loc, ok := parser.DetectSyntax(b.src.Data); ok {
		s = syntax{ref: ref, cmdline: cmdline, location: loc}
	} else {
		return s, false
	}
	return s, !isSelf(s.ref, b.opts()[keySource])
}

// isSelf reports whether ref names this frontend: the image it was started from,
// or any image of its own repository.
func isSelf(ref, source string) bool {
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return false // the daemon says what is wrong with it
	}
	if reference.Path(named) == repository {
		return true
	}
	if source == "" {
		return false
	}
	self, err := reference.ParseNormalizedNamed(source)
	return err == nil && reference.TagNameOnly(self).String() == reference.TagNameOnly(named).String()
}

// forward has the build done by the frontend that s names.
func (b *build) forward(ctx context.Context, s syntax) (*client.Result, error) {
	res, err := b.solveWith(ctx, s)
	if err == nil || len(errdefs.Sources(err)) > 0 {
		return res, err
	}
	if s.fromArg {
		return nil, errors.Wrapf(err, "failed with %s = %s", keySyntaxArg, s.cmdline)
	}
	return nil, b.markLines(err, s.location)
}

func (b *build) solveWith(ctx context.Context, s syntax) (*client.Result, error) {
	opts := maps.Clone(b.opts())
	if opts == nil {
		opts = map[string]string{}
	}
	opts[keyCmdline] = s.cmdline
	opts[keySource] = s.ref
	inputs, err := b.inputs(ctx)
	if err != nil {
		return nil, err
	}
	return b.client.Solve(ctx, client.SolveRequest{
		Frontend:       "gateway.v0",
		FrontendOpt:    opts,
		FrontendInputs: inputs,
	})
}

// inputs returns the definitions that the client gave the frontend by name; nil
// if the daemon does not know of inputs.
func (b *build) inputs(ctx context.Context) (map[string]*pb.Definition, error) {
	caps := b.ui.BuildOpts().Caps
	if caps.Supports(gwpb.CapFrontendInputs) != nil {
		return nil, nil
	}
	states, err := b.client.Inputs(ctx)
	if err != nil {
		return nil, errors.Wrap(err, "failed to get frontend inputs")
	}
	inputs := make(map[string]*pb.Definition, len(states))
	for name, st := range states {
		def, err := st.Marshal(ctx)
		if err != nil {
			return nil, err
		}
		inputs[name] = def.ToPB()
	}
	return inputs, nil
}
