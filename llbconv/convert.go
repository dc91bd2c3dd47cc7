package llbconv

import (
	"context"
	"time"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/util/apicaps"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

// Options says what to convert a Dockerfile for.
type Options struct {
	// Config is the build's options as dockerui reads them. The map of build
	// arguments is not modified.
	Config dockerui.Config
	// Client gives the build's contexts. Without one (nil, as in tests that need
	// no daemon) the main context is the local source named "context", there are
	// no named contexts and no .dockerignore.
	Client *dockerui.Client
	// SourceMap is the Dockerfile that vertices point at, for marking lines in
	// errors; nil leaves vertices without positions.
	SourceMap *llb.SourceMap
	// TargetPlatform is the platform to build for; nil means that none was asked
	// for, so that a base image may decide.
	TargetPlatform *ocispecs.Platform
	// MetaResolver looks up the config of base images. It is required.
	MetaResolver llb.ImageMetaResolver
	// Caps is what the daemon understands; nil means Client's, or unknown.
	Caps *apicaps.CapSet
	// Warn receives the findings of the build checks; nil drops them.
	Warn linter.LintWarnFunc
	// Advise receives hints that docker/dockerfile does not give and that no check
	// counts; nil drops them.
	Advise linter.LintWarnFunc
	// Now is the time that cache rules with a ttl count by, unless the build gives
	// another; the build's start.
	Now time.Time
	// Nonce is a text that no other build has, for steps that run in every build.
	Nonce string
	// KeyFailed takes the errors of key sources that cannot be looked up, from several
	// goroutines; what they are is then not known. Nil: such an error ends the conversion.
	KeyFailed func(error)
	// AllStages converts also the stages that the target does not need, so that
	// checks see the whole file.
	AllStages bool
}

// Result is a converted Dockerfile for one platform.
type Result struct {
	// Image is the config of the resulting image.
	Image *dockerspec.DockerOCIImage
	// BaseImage is the config of the image the target is based on; nil if it
	// starts from scratch.
	BaseImage *dockerspec.DockerOCIImage
	// Epoch is the resolved SOURCE_DATE_EPOCH; nil if there is none.
	Epoch *time.Time
	// IgnoreCache is set when the target or a scanned stage is built without cache.
	IgnoreCache bool

	*decided
	emitted  *emitted
	defaults []llb.ConstraintsOpt // of State's marshalling
	vertices int                  // about how many there are
}

// SBOMTargets are the filesystems that an SBOM scanner is given.
type SBOMTargets struct {
	// Core is the resulting image's filesystem.
	Core llb.State
	// Extras are the build context ("context") and the stages that asked for a
	// scan with BUILDKIT_SBOM_SCAN_CONTEXT or BUILDKIT_SBOM_SCAN_STAGE, by name.
	Extras map[string]llb.State
}

// Convert turns the Dockerfile dt into LLB for one platform. An error about the
// file carries its position as *parser.LocationError.
func Convert(ctx context.Context, dt []byte, opt Options) (*Result, error) {
	d, err := decide(ctx, dt, opt)
	if err != nil {
		return nil, err
	}
	em, err := d.c.emit(ctx, d.evaluation, d.decisions)
	if err != nil {
		return nil, err
	}
	return d.c.assemble(d, em), nil
}

// decided is a Dockerfile with what its steps do and what its rules say about them:
// all that is known before there is LLB.
type decided struct {
	c *conversion
	*evaluation
	decisions decisions
}

// decide runs the phases of a conversion up to the decisions about its steps.
func decide(ctx context.Context, dt []byte, opt Options) (*decided, error) {
	c, err := newConversion(opt, dt)
	if err != nil {
		return nil, err
	}
	prog, err := c.parse(dt)
	if err != nil {
		return nil, err
	}
	if err := c.setGlobals(ctx, prog); err != nil {
		return nil, err
	}
	if err := c.readRules(dt, prog); err != nil {
		return nil, err
	}
	linked, err := c.link(prog)
	if err != nil {
		return nil, err
	}
	resolved, err := c.resolve(ctx, linked)
	if err != nil {
		return nil, err
	}
	if c.ignored, err = c.ignoreMatcher(ctx); err != nil {
		return nil, err
	}
	evaluated, err := c.evaluate(resolved)
	if err != nil {
		return nil, err
	}
	decisions, err := c.decide(evaluated)
	if err != nil {
		return nil, err
	}
	if err := c.lintError(); err != nil {
		return nil, err
	}
	if err := c.resolveKeys(ctx, decisions); err != nil {
		return nil, err
	}
	if err := c.resolveFields(ctx, evaluated, decisions); err != nil {
		return nil, err
	}
	return &decided{c, evaluated, decisions}, nil
}
