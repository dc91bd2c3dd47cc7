package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/moby/buildkit/client"

	"github.com/cachewright/cachewright/cachepolicy"
	"github.com/cachewright/cachewright/integration/sandbox"
)

// runner builds one project on one new builder after the other.
type runner struct {
	lab        *Lab
	meter      *meter
	project    runnerProject
	side, name string
	saved      string // directory of the contents that were taken out; empty before the first build
}

// next makes the project's first n changes and builds on a new builder.
func (r *runner) next(ctx context.Context, n int) (run runnerRun, err error) {
	dir, err := r.lab.context(r.name, r.project.files(n))
	if err != nil {
		return run, err
	}
	s, err := sandbox.Start(ctx, sandbox.Options{Registry: r.meter.addr})
	if err != nil {
		return run, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	r.meter.down.Store(0)
	r.meter.up.Store(0)
	start := time.Now()
	if r.side == workaround && n > 0 {
		if err := r.inject(ctx, s, &run); err != nil {
			return run, err
		}
	}
	result, err := r.build(ctx, s, dir, n)
	if err != nil {
		return run, err
	}
	if r.side == workaround {
		if err := r.extract(ctx, s, n, &run); err != nil {
			return run, err
		}
	} else {
		run.restore = spent(result, "look up saved cache mounts", "restore cache mounts")
		run.save = spent(result, "save cache mounts", "note saved cache mounts")
	}
	run.whole = time.Since(start).Seconds()
	run.down += float64(r.meter.down.Load())
	run.up += float64(r.meter.up.Load())
	return run, nil
}

// build is the real build. It fails if the step did not find the contents of an earlier
// build's cache mounts where it should, and if it did where it should not.
func (r *runner) build(ctx context.Context, s *sandbox.Sandbox, dir string, n int) (*sandbox.Result, error) {
	attrs := travelling
	if r.side != ours {
		attrs = with(travelling, "build-arg:"+cachepolicy.ArgRules, "off")
	}
	result, err := s.Solve(ctx, cached(r.meter.addr, metered+r.name, sandbox.Build{Context: dir, Frontend: ref(ours), Attrs: attrs}))
	if err != nil {
		return nil, fmt.Errorf("%w\n%s", err, result)
	}
	found, err := r.project.found(result)
	if err != nil {
		return nil, err
	}
	if want := r.side != noMounts && n > 0; found != want {
		return nil, fmt.Errorf("the step found contents in its cache mounts: %t, want %t\n%s", found, want, result)
	}
	return result, nil
}

// packed is the archive that the workaround keeps between builds.
const packed = "contents.tar.gz"

// inject puts the contents that were taken out into the cache mounts of a builder.
func (r *runner) inject(ctx context.Context, s *sandbox.Sandbox, run *runnerRun) error {
	err := os.WriteFile(filepath.Join(r.saved, "Dockerfile"), []byte("FROM busybox\n"+
		"RUN --mount=target=/in"+r.project.mountsBelow("/c")+" tar -xzf /in/"+packed+" -C /c\n"), 0o644)
	if err != nil {
		return err
	}
	start := time.Now()
	if _, err := s.Solve(ctx, sandbox.Build{Context: r.saved}); err != nil {
		return err
	}
	run.restore = time.Since(start).Seconds()
	run.down += fileSize(filepath.Join(r.saved, packed))
	return nil
}

// extract takes the contents of the cache mounts out, after the project's n-th change.
func (r *runner) extract(ctx context.Context, s *sandbox.Sandbox, n int, run *runnerRun) error {
	dir, err := r.lab.context(r.name+"-extract", map[string]string{"Dockerfile": "FROM busybox AS take\n" +
		"RUN" + r.project.mountsBelow("/c") + " tar -czf /" + packed + " -C /c .\n" +
		"FROM scratch\nCOPY --from=take /" + packed + " /\n"})
	if err != nil {
		return err
	}
	r.saved = r.lab.path(r.name+"-saved", fmt.Sprint(n))
	start := time.Now()
	if _, err := s.Solve(ctx, sandbox.Build{Context: dir, Exports: []client.ExportEntry{sandbox.ExportDir(r.saved)}}); err != nil {
		return err
	}
	run.save = time.Since(start).Seconds()
	run.up += fileSize(filepath.Join(r.saved, packed))
	return nil
}

// fileSize is the size of a file in bytes, 0 if there is none.
func fileSize(path string) float64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return float64(info.Size())
}

// spent returns the seconds that the frontend's own steps of these names ran.
func spent(r *sandbox.Result, titles ...string) float64 {
	var sum time.Duration
	for _, s := range r.Steps {
		if slices.Contains(titles, strings.TrimPrefix(s.Name, "[internal] ")) && s.Ran() && s.Completed != nil {
			sum += s.Completed.Sub(*s.Started)
		}
	}
	return sum.Seconds()
}
