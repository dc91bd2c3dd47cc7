package llbconv

import (
	"bytes"
	"maps"
	"time"
	"unicode/utf8"

	"github.com/containerd/platforms"
	"github.com/distribution/reference"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/patternmatcher"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/pkg/errors"

	"github.com/cachewright/cachewright/llbconv/internal/source"
)

// conversion is what all phases of one Convert call share: its options with
// defaults filled in, and the values that hold for the whole file.
type conversion struct {
	opt       Options
	lint      *linter.Linter
	buildArgs map[string]string // own copy of the build's arguments

	targetPlatform   ocispecs.Platform
	buildPlatforms   []ocispecs.Platform
	implicitPlatform bool // no platform was asked for

	notText   bool     // the file is not UTF-8 throughout
	words     lexer    // of instructions
	titles    lexer    // for the progress names of RUN
	documents lexer    // for inline documents
	globals   *environ // arguments declared before the first FROM, and the predefined ones
	metaArgs  map[string]argument
	epoch     *time.Time
	epochFrom envSource
	proxy     *llb.ProxyEnv
	ignored   *patternmatcher.PatternMatcher // .dockerignore; nil if it excludes nothing
	rules     rules
	lookup    *source.Lookup

	references map[string]reference.Named // names of images that were read
}

func newConversion(opt Options, dt []byte) (*conversion, error) {
	if len(dt) == 0 {
		return nil, errors.New("the Dockerfile cannot be empty")
	}
	lint, err := newLinter(opt, dt)
	if err != nil {
		return nil, err
	}
	if opt.Client != nil && opt.Caps == nil {
		caps := opt.Client.BuildOpts().LLBCaps
		opt.Caps = &caps
	}
	if opt.MetaResolver == nil {
		return nil, errors.New("the conversion has no MetaResolver to look up images with")
	}
	c := &conversion{
		opt:              opt,
		lint:             lint,
		notText:          !utf8.Valid(dt),
		buildArgs:        maps.Clone(opt.Config.BuildArgs),
		buildPlatforms:   opt.Config.BuildPlatforms,
		implicitPlatform: opt.TargetPlatform == nil,
		proxy:            proxyFromArgs(opt.Config.BuildArgs),
		references:       map[string]reference.Named{},
	}
	c.lookup = &source.Lookup{Images: opt.MetaResolver, ResolveMode: opt.Config.ImageResolveMode, Caps: opt.Caps}
	if opt.Client != nil {
		c.lookup.Gateway = opt.Client.GatewayClient()
	}
	if c.buildPlatforms == nil && opt.TargetPlatform != nil {
		c.buildPlatforms = []ocispecs.Platform{*opt.TargetPlatform}
	}
	if len(c.buildPlatforms) == 0 {
		c.buildPlatforms = []ocispecs.Platform{platforms.DefaultSpec()}
	}
	c.takeSettings()
	c.targetPlatform = c.buildPlatforms[0]
	if opt.TargetPlatform != nil {
		c.targetPlatform = *opt.TargetPlatform
	}
	return c, nil
}

// newLinter configures the build checks from the build argument
// BUILDKIT_DOCKERFILE_CHECK or else from the file's "# check=" directive.
func newLinter(opt Options, dt []byte) (*linter.Linter, error) {
	if opt.Client != nil && opt.Client.LinterConfig != nil {
		cfg := *opt.Client.LinterConfig
		cfg.Warn = opt.Warn
		return linter.New(&cfg), nil
	}
	directive := ""
	if mayHaveDirectives(dt) {
		directive, _, _, _ = parser.ParseDirective("check", dt)
	}
	cfg, err := linter.ParseLintOptions(directive)
	if err != nil {
		return nil, errors.Wrap(err, "failed to parse check options")
	}
	cfg.Warn = opt.Warn
	return linter.New(cfg), nil
}

// mayHaveDirectives reports whether a file begins with a comment, as its directives
// are, without the buffer that the parser needs to look for them.
func mayHaveDirectives(dt []byte) bool {
	return bytes.HasPrefix(bytes.TrimPrefix(dt, []byte("\ufeff")), []byte("#"))
}
