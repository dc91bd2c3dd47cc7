package rules_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/cachewright/cachewright/integration/sandbox"
	"github.com/cachewright/cachewright/integration/scenario"
)

// TestOffKeepsCacheMounts counts in a cache mount how often a step ran.
func TestOffKeepsCacheMounts(t *testing.T) {
	t.Parallel()
	const run = "RUN --mount=type=cache,target=/c,id=off-counter echo x >> /c/n; echo n=$(wc -l < /c/n)"
	p := newProject(t, scenario.Start(t), rebuild{Dockerfile: "FROM $BASE\n# cache=off\n" + run + "\n"})
	for n := 1; n <= 3; n++ {
		if log := logOf(t, p.Solve(), "echo x"); !strings.Contains(log, fmt.Sprintf("n=%d\n", n)) {
			t.Errorf("build %d: the step says %q", n, log)
		}
	}
}

// TestOffConcurrently runs builds that differ in nothing at the same time. Each
// runs its step itself, and sees its own result.
func TestOffConcurrently(t *testing.T) {
	t.Parallel()
	p := newProject(t, scenario.Start(t), rebuild{
		Dockerfile: "FROM $BASE\nRUN echo before\n# cache=off\nRUN cat /proc/sys/kernel/random/uuid > /id; echo made $(cat /id)\nRUN echo seen $(cat /id)\n",
	})
	build(p)
	results := make([]*sandbox.Result, 3)
	var group errgroup.Group
	for i := range results {
		group.Go(func() (err error) {
			results[i], err = p.Sandbox.Solve(t.Context(), p.Build)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	ids := map[string]bool{}
	for _, r := range results {
		_, made, _ := strings.Cut(logOf(t, r, "echo made"), "made ")
		_, seen, _ := strings.Cut(logOf(t, r, "echo seen"), "seen ")
		if made == "" || made != seen {
			t.Errorf("one step made %q, the next saw %q", made, seen)
		}
		ids[made] = true
		expect(p, "concurrent build", statesOf(p, r), []string{
			"RUN cat /proc/sys/kernel/random/uuid > /id; echo made $(cat /id)", "RUN echo seen $(cat /id)",
		})
	}
	if len(ids) != len(results) {
		t.Errorf("%d builds made %d results: %v", len(results), len(ids), ids)
	}
}

// TestPlatformsAgree builds for two platforms at once: a step with a rule that both
// share runs once, and again once in the next build or window.
func TestPlatformsAgree(t *testing.T) {
	t.Parallel()
	w := scenario.NewWeb(t)
	w.SetText("/platforms", "1")
	for _, c := range []struct {
		rule   string
		change func(*project)
	}{
		{"off", func(*project) {}},
		{"ttl=daily", scenario.Given("CACHEWRIGHT_NOW", "2026-03-02T00:00:00Z")},
		{"key=" + w.URL + "/platforms", w.Paged("/platforms", "2")},
	} {
		t.Run(c.rule, func(t *testing.T) {
			p := newProject(t, scenario.Start(t), rebuild{
				Dockerfile: "FROM --platform=$BUILDPLATFORM $BASE AS build\n# cache=" + c.rule +
					"\nRUN cat /proc/sys/kernel/random/uuid > /id\nFROM scratch\nARG TARGETARCH\nCOPY --from=build /id /id-$TARGETARCH\n",
				Options: sandbox.Build{
					Attrs: map[string]string{"platform": "linux/amd64,linux/arm64"},
					Args:  map[string]string{"CACHEWRIGHT_NOW": "2026-03-01T00:00:00Z"},
				},
			})
			for build := range 2 {
				if build > 0 {
					c.change(p)
				}
				out := t.TempDir()
				p.Exports = append(p.Exports[:0], sandbox.ExportDir(out))
				r := p.Solve()
				ran := 0
				for _, s := range r.Steps {
					if strings.Contains(s.Name, "] RUN ") && s.Ran() {
						ran++
					}
				}
				if ran != 1 {
					t.Errorf("build %d ran the step %d times:\n%s", build, ran, r)
				}
				amd, arm := read(t, out+"/linux_amd64/id-amd64"), read(t, out+"/linux_arm64/id-arm64")
				if amd != arm {
					t.Errorf("build %d: the platforms have different results: %s, %s", build, amd, arm)
				}
			}
		})
	}
}

// TestSameWindowElsewhere builds on two daemons that share nothing, in the same
// window and in another. The step has the same digest, and so the same key.
func TestSameWindowElsewhere(t *testing.T) {
	t.Parallel()
	one := scenario.Start(t)
	two := sandbox.New(t, sandbox.Options{Registry: one.Registry()})
	p := newProject(t, one, rebuild{
		Dockerfile: "FROM $BASE\n# cache=ttl=36h\nRUN echo long\n# cache=ttl=weekly\nRUN echo week\n",
	})
	digests := func(sb *sandbox.Sandbox, now string) string {
		p.Sandbox = sb
		p.Arg("CACHEWRIGHT_NOW", now)
		var all []string
		for _, s := range p.Solve().Steps {
			if strings.Contains(s.Name, "] RUN ") {
				all = append(all, s.Digest.String())
			}
		}
		slices.Sort(all) // the daemon names them in any order
		return strings.Join(all, " ")
	}
	const now = "2026-03-04T12:00:00Z"
	first := digests(one, now)
	if again := digests(two, now); again != first {
		t.Errorf("another daemon has other digests in the same window: %s, %s", first, again)
	}
	if later := digests(two, "2026-03-12T12:00:00Z"); later == first {
		t.Errorf("the digests are those of another window: %s", later)
	}
}
