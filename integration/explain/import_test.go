package explain_test

import (
	"testing"

	"github.com/moby/buildkit/client"

	"github.com/cachewright/cachewright/integration/sandbox"
	"github.com/cachewright/cachewright/integration/scenario"
)

// TestImported builds with a remote cache: what changed here may be in there, and is
// said to run only if it is not.
func TestImported(t *testing.T) {
	t.Parallel()
	sb := scenario.Start(t)
	p := scenario.New(t, sb, rebuild{Dockerfile: "FROM $BASE\nCOPY file /\nRUN cat /file\n# cache=off\nRUN echo off\n", Files: map[string]string{"file": "1"}})
	quiet(p, "first build", solve(p))
	imports, exports := sb.RegistryCache(scenario.NewRepository()+":cache", "max")
	p.Write("file", "2")
	p.Sandbox = sandbox.New(t, sandbox.Options{Registry: sb.Registry()})
	p.CacheExports = []client.CacheOptionsEntry{exports}
	solve(p)
	p.Sandbox, p.CacheExports, p.CacheImports = sb, nil, []client.CacheOptionsEntry{imports}
	r := solve(p)
	for text, want := range map[string]string{
		"COPY file /": "cached: file changed, unless imported", "RUN cat /file": "cached: follows 2/4, unless imported", "RUN echo off": "ran: runs in every build",
	} {
		got := ""
		for _, s := range scenario.Steps(r) {
			if s.Text == text {
				got = s.State() + ": " + s.Note
			}
		}
		if got != want {
			t.Errorf("%s is %q, want %q\n%s", text, got, want, r)
		}
	}
}
