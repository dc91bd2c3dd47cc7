package llbconv

import (
	"context"
	"strconv"
	"time"

	"github.com/pkg/errors"
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
	return nil, errors.Errorf("invalid SOURCE_DATE_EPOCH: %s", value)
}
