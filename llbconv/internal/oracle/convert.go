package oracle

import (
	"context"
	"fmt"
	"maps"
	"runtime/debug"
	"strconv"
	"sync"
	"time"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerfile/dockerfile2llb"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/util/apicaps"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/cachewright/cachewright/llbconv"
)

// Converter converts a case for one platform, nil if none was asked for.
type Converter func(ctx context.Context, c *Case, platform *ocispecs.Platform) *Outcome

// Platforms lists what to convert a case for, as the frontend does: every
// platform that was asked for, or nil. It fails if the options are not valid.
func Platforms(c *Case) ([]*ocispecs.Platform, error) {
	ui, err := dockerui.NewClient(NewGateway(c))
	if err != nil {
		return nil, err
	}
	if len(ui.TargetPlatforms) == 0 {
		return []*ocispecs.Platform{nil}, nil
	}
	var out []*ocispecs.Platform
	for i := range ui.TargetPlatforms {
		out = append(out, &ui.TargetPlatforms[i])
	}
	return out, nil
}

// request is what both converters are given.
type request struct {
	config    dockerui.Config
	client    *dockerui.Client
	caps      *apicaps.CapSet
	sourceMap *llb.SourceMap
	images    Images
	warnings  warnings
	advice    warnings
}

func newRequest(c *Case) (*request, error) {
	gw := NewGateway(c)
	ui, err := dockerui.NewClient(gw)
	if err != nil {
		return nil, err
	}
	r := &request{
		images:    gw.Images,
		config:    ui.Config,
		client:    ui,
		sourceMap: llb.NewSourceMap(nil, "Dockerfile", "Dockerfile", c.Dockerfile),
	}
	r.config.BuildArgs = maps.Clone(r.config.BuildArgs)
	if c.NoClient {
		r.client = nil
		if !c.UnknownCaps {
			caps := c.Caps()
			r.caps = &caps
		}
	}
	return r, nil
}

// warnings collects findings, also concurrent ones.
type warnings struct {
	mu   sync.Mutex
	list []Warning
}

func (w *warnings) add(rule, description, url, message string, at []parser.Range) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.list = append(w.list, Warning{rule, description, url, message, at})
}

// Upstream converts with docker/dockerfile's converter.
func Upstream(ctx context.Context, c *Case, platform *ocispecs.Platform) *Outcome {
	return capture(c, platform, func(r *request) (*result, error) {
		res, err := dockerfile2llb.Dockerfile2LLB(ctx, c.Dockerfile, dockerfile2llb.ConvertOpt{
			Config:         r.config,
			Client:         r.client,
			SourceMap:      r.sourceMap,
			TargetPlatform: platform,
			MetaResolver:   r.images,
			LLBCaps:        r.caps,
			Warn:           r.warnings.add,
			AllStages:      c.AllStages,
		})
		if err != nil {
			return nil, err
		}
		return &result{res.State, nil, res.Image, res.BaseImage, res.SBOM.Core, res.SBOM.Extras, res.Epoch, res.IsIgnoreCache}, nil
	})
}

// buildTime is when every build of this project's converter starts.
var buildTime = time.Date(2026, time.March, 4, 5, 6, 7, 0, time.UTC)

// Ours converts with this project's converter.
func Ours(ctx context.Context, c *Case, platform *ocispecs.Platform) *Outcome {
	return capture(c, platform, func(r *request) (*result, error) {
		res, err := llbconv.Convert(ctx, c.Dockerfile, r.options(c, platform))
		if err != nil {
			return nil, err
		}
		return &result{res.State(), define(res), res.Image, res.BaseImage, res.SBOM().Core, res.SBOM().Extras, res.Epoch, res.IgnoreCache}, nil
	})
}

// options are what this project's converter is given.
func (r *request) options(c *Case, platform *ocispecs.Platform) llbconv.Options {
	return llbconv.Options{
		Config:         r.config,
		Client:         r.client,
		SourceMap:      r.sourceMap,
		TargetPlatform: platform,
		MetaResolver:   r.images,
		Caps:           r.caps,
		Warn:           r.warnings.add,
		Advise:         r.advice.add,
		AllStages:      c.AllStages,
		Now:            buildTime,
		Nonce:          "nonce",
	}
}

// Converted returns what this project's converter makes of a case.
func Converted(ctx context.Context, c *Case, platform *ocispecs.Platform) (*llbconv.Result, error) {
	r, err := newRequest(c)
	if err != nil {
		return nil, err
	}
	return llbconv.Convert(ctx, c.Dockerfile, r.options(c, platform))
}

// Phases calls a function with what Converted gives the converter.
func Phases[T any](ctx context.Context, c *Case, f func(context.Context, []byte, llbconv.Options) (T, error)) (T, error) {
	r, err := newRequest(c)
	if err != nil {
		return *new(T), err
	}
	return f(ctx, c.Dockerfile, r.options(c, nil))
}

// result is what both converters return.
type result struct {
	state            llb.State
	definition       definer // the same as state; nil for upstream's
	image, baseImage *dockerspec.DockerOCIImage
	sbomCore         llb.State
	sbomExtras       map[string]llb.State
	epoch            *time.Time
	ignoreCache      bool
}

// capture runs a conversion and describes what came of it. A panic is an error
// whose text starts with "panic: ".
func capture(c *Case, platform *ocispecs.Platform, convert func(*request) (*result, error)) (o *Outcome) {
	o = &Outcome{}
	r, err := newRequest(c)
	if err != nil {
		o.Err = newFailure(err, false)
		return o
	}
	defer func() {
		o.Warnings, o.Advice = r.warnings.list, r.advice.list
		if p := recover(); p != nil {
			o.Err = &Failure{Text: fmt.Sprintf("panic: %v\n%s", p, debug.Stack())}
		}
	}()
	res, err := convert(r)
	if err != nil {
		o.Err = newFailure(err, false)
		return o
	}
	o.Image, o.BaseImage = jsonText(res.image), jsonText(res.baseImage)
	o.IgnoreCache = res.ignoreCache
	if res.epoch != nil {
		o.Epoch = strconv.FormatInt(res.epoch.Unix(), 10)
	}
	states := map[string]llb.State{"": res.state, sbomCore: res.sbomCore}
	for name, st := range res.sbomExtras {
		states[sbomExtra+name] = st
	}
	for _, name := range sortedKeys(states) {
		st := states[name]
		if name != "" { // becomes part of the scanner's definition, under its constraints
			defaults := []llb.ConstraintsOpt{llb.LinuxAmd64}
			if platform != nil {
				defaults = []llb.ConstraintsOpt{llb.Platform(*platform)}
			}
			if !c.UnknownCaps {
				defaults = append(defaults, llb.WithCaps(c.Caps()))
			}
			st = llb.NewState(st.Output()).SetMarshalDefaults(defaults...)
		}
		if err := o.addGraph(context.Background(), name, st); err != nil {
			o.Err = newFailure(err, true)
			return o
		}
	}
	if res.definition != nil {
		if err := checkDefinition(context.Background(), res.definition, res.state); err != nil {
			o.Err = newFailure(err, true)
		}
	}
	return o
}
