package rules_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/cachewright/cachewright/integration/sandbox"
	"github.com/cachewright/cachewright/integration/scenario"
)

// TestEngine20 builds with rules on Docker Engine 20.10, whose BuildKit can look up
// no URL or repository for a frontend.
func TestEngine20(t *testing.T) {
	t.Parallel()
	sb, w := scenario.Start(t), scenario.NewWeb(t)
	if err := sb.Seed(t.Context(), sandbox.Busybox); err != nil {
		t.Fatal(err)
	}
	e, err := sandbox.StartEngine(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	w.SetText("/page", "1")
	image := sb.Registry() + "/library/busybox"
	for _, c := range []struct {
		name, rule string
		change     func(*project) // nil for none
		state      string         // of the step in the second build
	}{
		{"off", "off", nil, "DONE"},
		{"export", "export=no", nil, "CACHED"},
		{"ttl, same window", "ttl=daily", scenario.Given("CACHEWRIGHT_NOW", "2026-03-01T23:00:00Z"), "CACHED"},
		{"ttl, next window", "ttl=daily", scenario.Given("CACHEWRIGHT_NOW", "2026-03-02T00:00:00Z"), "DONE"},
		{"text", "key=text:1,image://" + image, nil, "CACHED"},
		{"text changed", "key=text:1", scenario.Edited("text:1", "text:2"), "DONE"},
		{"http", "key=" + w.URL + "/page", nil, "CACHED"},
		{"http changed", "key=" + w.URL + "/page", w.Paged("/page", "2"), "DONE"},
		{"git", "key=" + w.URL + "/git/git.git#main", nil, "CACHED"},
		{"git changed", "key=" + w.URL + "/git/changed.git#main", func(p *project) {
			// Such a daemon keys a repository by its files.
			w.Git(p, "changed.git", "mv dir/file dir/other")
			w.Git(p, "changed.git", "commit -m more")
		}, "DONE"},
		{"file", "key=file:file", scenario.Written("other", "2"), "CACHED"},
		{"file changed", "key=file:file", scenario.Written("file", "2"), "DONE"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := &project{T: t, Sandbox: sb, Build: sandbox.Build{Context: t.TempDir(), Args: map[string]string{
				"CACHEWRIGHT_NOW": "2026-03-01T00:00:00Z",
			}}}
			for _, name := range []string{"git.git", "changed.git"} {
				w.Repository(p, name)
			}
			p.Write("file", "1")
			p.Write("Dockerfile", "# syntax="+sb.Registry()+"/"+sandbox.FrontendRef+"\nFROM "+image+"\nRUN --network=none echo "+
				strings.ReplaceAll(t.Name(), " ", "")+"\n# cache="+c.rule+"\nRUN --network=none echo keyed\n")
			for build, want := range []string{"DONE", c.state} {
				if build > 0 && c.change != nil {
					c.change(p)
				}
				args := []string{"build", "--progress=plain", "--network=host"}
				for name, value := range p.Args {
					args = append(args, "--build-arg", name+"="+value)
				}
				log, err := e.Command(t.Context(), append(args, p.Context)...).CombinedOutput()
				if err != nil {
					t.Fatalf("%v\n%s", err, log)
				}
				if got := engineState(string(log), "RUN --network=none echo keyed"); got != want {
					t.Errorf("the step is %s, want %s\n%s", got, want, log)
				}
			}
		})
	}
}

// engineState returns how a step ended, from the plain progress output of a build.
func engineState(log, step string) string {
	number := regexp.MustCompile(`(?m)^(#\d+) \[[^\]]*\] (?:← .* · )?` + regexp.QuoteMeta(step)).FindStringSubmatch(log)
	if number == nil {
		return "missing"
	}
	end := regexp.MustCompile(`(?m)^` + number[1] + ` (CACHED|DONE|ERROR)`).FindStringSubmatch(log)
	if end == nil {
		return "cut"
	}
	return end[1]
}
