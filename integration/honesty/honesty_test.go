package honesty

import (
	"context"
	"flag"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cachewright/cachewright/integration/scenario"
)

var (
	duration = flag.Duration("for", 2*time.Minute, "how long to build random projects")
	seed     = flag.Uint64("seed", 1, "the first world's seed; 0: another one in each run")
	shrink   = flag.Duration("shrink", 0, "how long to look for a smaller world of each kind of finding")
	only     = flag.String("only", "", "the beginning of the kinds of findings to look for smaller worlds of")
	worlds   = flag.Int("worlds", 0, "how many worlds; 0: until the time is over")
	builds   = flag.Int("builds", 14, "how many builds a world has")
	trace    = flag.Bool("trace", false, "print what every build does and says")
	workers  = flag.Int("workers", 2, "how many worlds are built at the same time")
)

// TestHonesty builds random projects for a limited time. Nothing that is said about the
// builds may be wrong.
func TestHonesty(t *testing.T) {
	sb := scenario.Start(t)
	web := NewWeb()
	defer web.Close()
	runner, err := NewRunner(t.Context(), sb, web, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if *trace {
		runner.Trace = func(text string) { t.Log(text) }
	}
	first := *seed
	if first == 0 {
		first = rand.Uint64N(1e9)
	}
	t.Logf("the first seed is %d", first)
	ctx, cancel := context.WithTimeout(t.Context(), *duration)
	defer cancel()
	c := &campaign{t: t, runner: runner, tally: NewTally(), found: map[string]bool{}}
	c.run(ctx, first)
	t.Log(c.tally)
	for _, kind := range sortedNames(c.tally.Wrong) {
		t.Errorf("wrong: %s", kind)
	}
}

// campaign builds worlds and keeps an example of each kind of finding.
type campaign struct {
	t      *testing.T
	runner *Runner
	tally  *Tally

	mu    sync.Mutex
	found map[string]bool
}

// run builds worlds until ctx ends.
func (c *campaign) run(ctx context.Context, first uint64) {
	next := make(chan uint64)
	go func() {
		defer close(next)
		for n := first; ctx.Err() == nil && (*worlds == 0 || n < first+uint64(*worlds)); n++ {
			select {
			case next <- n:
			case <-ctx.Done():
			}
		}
	}()
	var group sync.WaitGroup
	for range *workers {
		group.Go(func() {
			for n := range next {
				c.world(ctx, Generate(n, *builds))
			}
		})
	}
	group.Wait()
}

// world builds one world and shows what is new in its findings.
func (c *campaign) world(ctx context.Context, w *World) {
	findings, err := c.runner.Run(ctx, w, c.tally)
	if err != nil && ctx.Err() == nil {
		c.t.Error(err)
	}
	for _, f := range findings {
		if !c.first(f.Kind) {
			continue
		}
		c.t.Logf("seed %d, action %d: %s\n%s", w.Seed, f.Action, f.Kind, f.Text)
		if *shrink > 0 && strings.HasPrefix(f.Kind, *only) {
			c.shrink(w, f)
		}
	}
}

// first reports whether a kind is seen for the first time.
func (c *campaign) first(kind string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	seen := c.found[kind]
	c.found[kind] = true
	return !seen
}

// shrink prints the smallest world that shows a finding.
func (c *campaign) shrink(w *World, f Finding) {
	ctx, cancel := context.WithTimeout(c.t.Context(), *shrink)
	defer cancel()
	smaller := *w
	smaller.Actions = w.Actions[:f.Action+1]
	var findings []Finding
	small := Shrink(ctx, &smaller, func(w *World) bool {
		found, err := c.runner.Run(ctx, w, NewTally())
		same := func(g Finding) bool { return g.Kind == f.Kind && g.Action == len(w.Actions)-1 }
		if err != nil || !slices.ContainsFunc(found, same) {
			return false
		}
		findings = found
		return true
	})
	c.t.Logf("%s\n%s", f.Kind, small.Script(findings))
}
