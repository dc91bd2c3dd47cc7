package llbconv

import (
	"context"
	"strconv"
	"time"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerui"
)

// resolveEpoch turns a SOURCE_DATE_EPOCH value into a time: a number of seconds,
// or the name of a source that has one. It returns nil if the source has none.
func (c *conversion) resolveEpoch(ctx context.Context, value string, prog *program) (*time.Time, error) {
	if value == "" {
		return nil, nil
	}
	if sec, err := strconv.ParseInt(value, 10, 64); err == nil {
		t := time.Unix(sec, 0).UTC()
		return &t, nil
	}
	src, err := c.epochSource(ctx, value, prog)
	if err != nil || src == nil {
		return nil, err
	}
	return c.lookup.Time(ctx, src.state, src.logName)
}

// epochSource is where a SOURCE_DATE_EPOCH comes from.
type epochSource struct {
	state   llb.State
	logName string // of the lookup, in progress output
}

// epochSource finds the source that a SOURCE_DATE_EPOCH value names: the main
// context ("context"), a named context, or a stage, in this order.
func (c *conversion) epochSource(ctx context.Context, value string, prog *program) (*epochSource, error) {
	if value == "context" {
		if c.opt.Client == nil {
			return nil, nil
		}
		st, err := c.opt.Client.MainContext(ctx)
		if err != nil {
			return nil, err
		}
		return &epochSource{*st, "[internal] resolve main build context metadata"}, nil
	}
	nc, err := c.namedContext(value, dockerui.ContextOpt{})
	if err != nil {
		return nil, err
	}
	if nc != nil {
		st, _, err := nc.Load(ctx)
		if err != nil || st == nil {
			return nil, err
		}
		return &epochSource{*st, "[internal] resolve SOURCE_DATE_EPOCH named context " + value}, nil
	}
	return c.epochStage(value, prog)
}
