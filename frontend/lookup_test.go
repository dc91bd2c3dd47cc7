package frontend_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/moby/buildkit/client/llb/sourceresolver"
	"go.uber.org/goleak"

	"github.com/cachewright/cachewright/frontend"
)

const manyBases = `FROM one AS a
RUN a
FROM two AS b
COPY --from=three / /
COPY --from=one / /
RUN --mount=from=four,target=/m b
FROM one
COPY --from=a / /
COPY --from=b / /
`

// TestLookupsTogether lets no lookup end before the last one has begun, and
// counts them: one for each image and platform.
func TestLookupsTogether(t *testing.T) {
	ctx, cancel := context.WithTimeoutCause(t.Context(), 30*time.Second, errors.New("a lookup waits for another one's end"))
	defer cancel()
	const want = 4 * 2
	var mu sync.Mutex
	begun := 0
	all := make(chan struct{})
	g := gateway(manyBases, map[string]string{"platform": "linux/amd64,linux/arm64"})
	g.onLookup = func(ctx context.Context, _ string) error {
		mu.Lock()
		if begun++; begun == want {
			close(all)
		}
		mu.Unlock()
		select {
		case <-all:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	if _, err := frontend.Build(ctx, g); err != nil {
		t.Fatal(err)
	}
	if len(g.lookups) != want {
		t.Errorf("%d lookups, want %d: %q", len(g.lookups), want, g.lookups)
	}
}

// TestLookupOnce asks for one image under several names in the progress output.
func TestLookupOnce(t *testing.T) {
	g := gateway("FROM busybox AS a\nFROM busybox:latest\nCOPY --from=a / /\nCOPY --from=ctx / /\n",
		map[string]string{"context:ctx": "docker-image://docker.io/library/busybox", "platform": "linux/amd64"})
	if _, err := frontend.Build(t.Context(), g); err != nil {
		t.Fatal(err)
	}
	if len(g.lookups) != 1 {
		t.Errorf("lookups: %q", g.lookups)
	}
}

// TestLookupModes does not take one way of looking an image up for another.
func TestLookupModes(t *testing.T) {
	g := gateway("FROM busybox\nCOPY --from=ctx / /\n", map[string]string{
		"context:ctx": "docker-image://busybox", "platform": "linux/amd64,linux/arm64", "image-resolve-mode": "pull"})
	var mu sync.Mutex
	var modes []string
	g.onResolve = func(opt sourceresolver.Opt) {
		mu.Lock()
		defer mu.Unlock()
		modes = append(modes, opt.ImageOpt.Platform.Architecture+" "+opt.ImageOpt.ResolveMode)
	}
	if _, err := frontend.Build(t.Context(), g); err != nil {
		t.Fatal(err)
	}
	slices.Sort(modes)
	if want := []string{"amd64 pull", "arm64 pull"}; !slices.Equal(modes, want) {
		t.Errorf("lookups %q, want %q", modes, want)
	}
}

// TestCancel cancels a build while it looks up images: it ends with the
// cancellation, and nothing of it stays.
func TestCancel(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	g := gateway(manyBases, map[string]string{"platform": "linux/amd64,linux/arm64"})
	g.onLookup = func(ctx context.Context, _ string) error {
		cancel()
		<-ctx.Done()
		return context.Cause(ctx)
	}
	if _, err := frontend.Build(ctx, g); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want a cancellation", err)
	}
}

// TestFirstErrorEndsTheBuild fails one lookup while others wait.
func TestFirstErrorEndsTheBuild(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	broken := errors.New("registry on fire")
	g := gateway(manyBases, map[string]string{"platform": "linux/amd64,linux/arm64"})
	g.onLookup = func(ctx context.Context, ref string) error {
		if ref == "docker.io/library/two:latest" {
			return broken
		}
		<-ctx.Done()
		return context.Cause(ctx)
	}
	if _, err := frontend.Build(t.Context(), g); !errors.Is(err, broken) {
		t.Errorf("error %v, want %v", err, broken)
	}
}
