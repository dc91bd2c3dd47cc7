package bench

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"

	"github.com/cachewright/cachewright/integration/sandbox"
)

const (
	coldBases = 20
	coldDelay = 50 * time.Millisecond
)

// Cold measures first builds of a file with many base images that the daemon has
// never seen, from a registry that takes its time: how long it is until the first
// RUN starts, and how many lookups are under way at once. The frontend's image is
// there already.
func (l *Lab) Cold(ctx context.Context, rounds int) (_ *Table, err error) {
	slow, err := startSlowRegistry(l.sandbox.Registry(), coldDelay)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, slow.close()) }()
	far, err := sandbox.Start(ctx, sandbox.Options{Registry: slow.addr})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, far.Close()) }()
	base, err := sandbox.Busybox.Native(ctx)
	if err != nil {
		return nil, err
	}
	all := frontends(ref)
	lookups := samples{}
	builds := 0
	s, err := l.interleave(ctx, rounds, all, func(c contender) (float64, error) {
		builds++
		dir, err := l.coldProject(ctx, fmt.Sprintf("cold%d", builds), base)
		if err != nil {
			return 0, err
		}
		slow.mostInFlight()
		took, err := firstRun(ctx, far, sandbox.Build{Context: dir, Frontend: c.frontend, Attrs: c.attrs})
		lookups[c.name] = append(lookups[c.name], float64(slow.mostInFlight()))
		return took, err
	})
	if err != nil {
		return nil, err
	}
	t := &Table{Header: []string{
		fmt.Sprintf("First build, %d bases, registry of %s", coldBases, coldDelay), "until the first RUN", "ours / this", "bar", "lookups at once",
	}}
	for _, c := range all {
		bar := ""
		if c.name == upstream {
			bar = "1.00"
		}
		t.Rows = append(t.Rows, []string{c.name, milliseconds(s.median(c.name)), ratio(s.ratio(ours, c.name)), bar, fmt.Sprint(lookups.median(c.name))})
	}
	return t, nil
}

// coldProject pushes base images that nobody has seen, under names that begin
// with name, and returns a build context with a file that uses all of them.
func (l *Lab) coldProject(ctx context.Context, name string, base v1.Image) (string, error) {
	var first, stages, last strings.Builder
	fmt.Fprintf(&first, "FROM %s/base0 AS s0\nRUN echo first >/file\n", name)
	last.WriteString("FROM scratch\nCOPY --from=s0 /file /s0\n")
	for i := range coldBases {
		config, err := base.ConfigFile()
		if err != nil {
			return "", err
		}
		own := *config.Config.DeepCopy()
		own.Env = append(own.Env, fmt.Sprintf("BASE=%s/%d", name, i))
		image, err := mutate.Config(base, own)
		if err != nil {
			return "", err
		}
		if err := l.sandbox.PushImage(ctx, fmt.Sprintf("%s/base%d:latest", name, i), image); err != nil {
			return "", err
		}
		if i > 0 {
			fmt.Fprintf(&stages, "FROM %s/base%d AS s%d\n", name, i, i)
			fmt.Fprintf(&last, "COPY --from=s%d /etc/passwd /s%d\n", i, i)
		}
	}
	return l.context(name, map[string]string{"Dockerfile": first.String() + stages.String() + last.String()})
}

// firstRun builds and returns the seconds from the request to the start of the
// first RUN.
func firstRun(ctx context.Context, s *sandbox.Sandbox, b sandbox.Build) (float64, error) {
	start := time.Now()
	r, err := s.Solve(ctx, b)
	if err != nil {
		return 0, err
	}
	for _, step := range r.Steps {
		if strings.Contains(step.Name, "] RUN ") && step.Ran() {
			return step.Started.Sub(start).Seconds(), nil
		}
	}
	return 0, fmt.Errorf("no RUN has run:\n%s", r)
}
