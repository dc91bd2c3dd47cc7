package bench

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/moby/buildkit/client"

	"github.com/cachewright/cachewright/cachepolicy"
	"github.com/cachewright/cachewright/integration/sandbox"
)

// travelling are the attributes of a build that may put things into its cache.
var travelling = map[string]string{"attest:provenance": "mode=min,inline-only=true"}

// importers are the rows of what concerns imported caches.
func importers() []contender {
	return []contender{
		{name: ours, frontend: ref(ours), attrs: travelling},
		{name: unshared, frontend: ref(ours), attrs: with(travelling, "build-arg:"+cachepolicy.ArgShare, "off")},
		{name: unexplained, frontend: ref(ours), attrs: with(travelling, "build-arg:"+cachepolicy.ArgExplain, "off")},
		{name: upstream, frontend: ref(upstream), attrs: travelling},
	}
}

// with returns a copy of attributes with one more.
func with(attrs map[string]string, name, value string) map[string]string {
	attrs = maps.Clone(attrs)
	attrs[name] = value
	return attrs
}

// repository is the name of a side or a project as a part of a repository's.
func repository(name string) string {
	return strings.NewReplacer(" ", "-", ",", "").Replace(strings.ToLower(name))
}

// Imported measures builds that find all steps in the registry cache that they import
// and export again: on the builder that exported it, and on one that is new and has
// nothing but the frontend's image and the base images.
func (l *Lab) Imported(ctx context.Context, rounds int) (*Table, error) {
	p := typicalProject()
	dir, err := l.context(p.name, p.files)
	if err != nil {
		return nil, err
	}
	all := importers()
	for _, c := range all {
		if _, err := importing(ctx, l.sandbox, dir, c); err != nil {
			return nil, err
		}
	}
	same, err := l.interleave(ctx, rounds, all, func(c contender) (float64, error) {
		return importing(ctx, l.sandbox, dir, c)
	})
	if err != nil {
		return nil, err
	}
	fresh, err := l.interleave(ctx, rounds, all, func(c contender) (float64, error) {
		return l.onNewBuilder(ctx, dir, c)
	})
	if err != nil {
		return nil, err
	}
	t := &Table{Header: []string{"Cached build with --cache-from", "median", "lower quartile", "ours less this", "bar"}}
	for _, builder := range []struct {
		name string
		samples
	}{{"same builder", same}, {"new builder", fresh}} {
		for _, c := range all {
			bar := ""
			if c.name == unshared {
				bar = "30 ms"
			}
			t.Rows = append(t.Rows, []string{builder.name + ": " + c.name,
				milliseconds(builder.median(c.name)), milliseconds(builder.lowerQuartile(c.name)), milliseconds(builder.difference(ours, c.name)), bar})
		}
	}
	return t, nil
}

// importing returns the seconds that a build takes which imports the contender's cache
// and exports it again.
func importing(ctx context.Context, s *sandbox.Sandbox, dir string, c contender) (float64, error) {
	start := time.Now()
	_, err := s.Solve(ctx, cached(s.Registry(), "imported/"+repository(c.name), sandbox.Build{
		Context: dir, Frontend: c.frontend, Attrs: c.attrs,
		Secrets: map[string][]byte{"token": []byte("t0ken")},
	}))
	return time.Since(start).Seconds(), err
}

// onNewBuilder measures importing on a builder of its own.
func (l *Lab) onNewBuilder(ctx context.Context, dir string, c contender) (_ float64, err error) {
	s, err := sandbox.Start(ctx, sandbox.Options{Registry: l.sandbox.Registry()})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	empty, err := l.context("empty", map[string]string{"Dockerfile": "FROM busybox\nRUN true\n"})
	if err != nil {
		return 0, err
	}
	if _, err := s.Solve(ctx, sandbox.Build{Context: empty, Frontend: c.frontend}); err != nil {
		return 0, fmt.Errorf("loading the frontend: %w", err)
	}
	return importing(ctx, s, dir, c)
}

// cached has a build import the cache of a repository and export it there.
func cached(registry, repository string, b sandbox.Build) sandbox.Build {
	attrs := func(more ...string) map[string]string {
		m := map[string]string{"ref": registry + "/" + repository + ":cache"}
		for i := 0; i < len(more); i += 2 {
			m[more[i]] = more[i+1]
		}
		return m
	}
	b.CacheImports = []client.CacheOptionsEntry{{Type: "registry", Attrs: attrs()}}
	b.CacheExports = []client.CacheOptionsEntry{{Type: "registry", Attrs: attrs("mode", "max")}}
	return b
}
