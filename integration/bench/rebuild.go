package bench

import (
	"context"
	"encoding/base64"
	"fmt"
	"runtime"
	"time"

	"github.com/moby/buildkit/client/llb"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/cachewright/cachewright/cachepolicy"
	"github.com/cachewright/cachewright/integration/sandbox"
)

// contender is what builds a project in one row of a table.
type contender struct {
	name     string
	frontend string            // image; empty for the daemon's own frontend
	attrs    map[string]string // more frontend options, such as build-arg:NAME
}

// unexplained is ours when the client does not want to know why steps re-run.
const unexplained = "ours, no explanation"

// unshared is ours when nothing travels with the cache.
const unshared = "ours, nothing shared"

// contenders are the rows of the unchanged rebuild.
func contenders() ([]contender, error) {
	floor, err := fixedDefinition()
	if err != nil {
		return nil, err
	}
	return append([]contender{
		{name: builtIn},
		{name: empty, frontend: ref(empty), attrs: map[string]string{"definition": floor}},
	}, frontends(ref)...), nil
}

// frontends are the rows of what concerns frontends in images alone; image tells
// the image of a side.
func frontends(image func(side string) string) []contender {
	return []contender{
		{name: ours, frontend: image(ours)},
		{name: unexplained, frontend: image(ours), attrs: map[string]string{"build-arg:" + cachepolicy.ArgExplain: "off"}},
		{name: upstream, frontend: image(upstream)},
	}
}

// fixedDefinition is one cached step on an image, for the empty frontend.
func fixedDefinition() (string, error) {
	own := llb.Platform(ocispecs.Platform{OS: "linux", Architecture: runtime.GOARCH})
	st := llb.Image("docker.io/library/busybox:latest", own).Run(llb.Shlex("echo fixed")).Root()
	def, err := st.Marshal(context.Background(), own)
	if err != nil {
		return "", err
	}
	data, err := def.ToPB().MarshalVT()
	return base64.StdEncoding.EncodeToString(data), err
}

// Rebuild measures the wall time of builds in which nothing has changed, from
// the client's request to the daemon's answer.
func (l *Lab) Rebuild(ctx context.Context, rounds int) (*Table, error) {
	all, err := contenders()
	if err != nil {
		return nil, err
	}
	t := &Table{Header: []string{"Unchanged rebuild, wall time", "median", "lower quartile", "ours / this", "bar"}}
	for _, p := range []project{typicalProject(), smallProject()} {
		dir, err := l.context(p.name, p.files)
		if err != nil {
			return nil, err
		}
		s, err := l.interleave(ctx, rounds, all, func(c contender) (float64, error) {
			return l.wall(ctx, dir, c)
		})
		if err != nil {
			return nil, err
		}
		for _, c := range all {
			bar := ""
			if c.name == upstream {
				bar = "0.90"
			}
			t.Rows = append(t.Rows, []string{p.name + ": " + c.name,
				milliseconds(s.median(c.name)), milliseconds(s.lowerQuartile(c.name)), ratio(s.ratio(ours, c.name)), bar})
		}
	}
	return t, nil
}

// interleave measures every contender once per round, after a round that does
// not count.
func (l *Lab) interleave(ctx context.Context, rounds int, all []contender, measure func(contender) (float64, error)) (samples, error) {
	s := samples{}
	for i := range rounds + 1 {
		for _, c := range rotate(all, i) {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			v, err := measure(c)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", c.name, err)
			}
			if i > 0 {
				s[c.name] = append(s[c.name], v)
			}
		}
	}
	return s, nil
}

// wall returns the seconds that a build takes.
func (l *Lab) wall(ctx context.Context, dir string, c contender) (float64, error) {
	start := time.Now()
	_, err := l.sandbox.Solve(ctx, sandbox.Build{
		Context: dir, Frontend: c.frontend, Attrs: c.attrs,
		Secrets: map[string][]byte{"token": []byte("t0ken")},
	})
	return time.Since(start).Seconds(), err
}
