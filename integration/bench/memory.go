package bench

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/cachewright/cachewright/integration/bench/usage"
)

// usageTimeout bounds the wait for the probe's line, which the daemon writes
// about when a build ends.
const usageTimeout = 10 * time.Second

// Memory measures the frontend's process in unchanged rebuilds: the kernel's own
// count for that process, in its container.
func (l *Lab) Memory(ctx context.Context, rounds int) (*Table, error) {
	all := frontends(probedRef)
	p := typicalProject()
	dir, err := l.context(p.name, p.files)
	if err != nil {
		return nil, err
	}
	cpu, wall := samples{}, samples{}
	peak, err := l.interleave(ctx, rounds, all, func(c contender) (float64, error) {
		u, err := l.usage(ctx, dir, c)
		cpu[c.name] = append(cpu[c.name], u.CPU.Seconds())
		wall[c.name] = append(wall[c.name], u.Wall.Seconds())
		return float64(u.Peak), err
	})
	if err != nil {
		return nil, err
	}
	t := &Table{Header: []string{"Frontend process, " + p.name, ours, unexplained, upstream, "ours / upstream", "bar"}}
	for _, row := range []struct {
		name string
		s    samples
		unit func(float64) string
		bar  string
	}{
		{"peak resident set", peak, megabytes, "0.90"},
		{"CPU time", cpu, milliseconds, ""},
		{"start to end", wall, milliseconds, ""},
	} {
		t.Rows = append(t.Rows, []string{row.name, row.unit(row.s.median(ours)), row.unit(row.s.median(unexplained)), row.unit(row.s.median(upstream)),
			ratio(row.s.ratio(ours, upstream)), row.bar})
	}
	return t, nil
}

// usage builds with a probed frontend and returns what the probe says.
func (l *Lab) usage(ctx context.Context, dir string, c contender) (usage.Usage, error) {
	log, err := os.Open(filepath.Join(l.sandbox.Dir(), "buildkitd.log"))
	if err != nil {
		return usage.Usage{}, err
	}
	defer log.Close()
	if _, err := log.Seek(0, io.SeekEnd); err != nil {
		return usage.Usage{}, err
	}
	if _, err := l.wall(ctx, dir, c); err != nil {
		return usage.Usage{}, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, usageTimeout, fmt.Errorf("the probe of %s has said nothing", c.name))
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	var text []byte
	for {
		more, err := io.ReadAll(log)
		if err != nil {
			return usage.Usage{}, err
		}
		text = append(text, more...)
		if u, ok, err := usage.Find(text); ok || err != nil {
			return u, err
		}
		select {
		case <-ctx.Done():
			return usage.Usage{}, context.Cause(ctx)
		case <-tick.C:
		}
	}
}
