package sandbox_test

import (
	"testing"

	"github.com/cachewright/cachewright/integration/sandbox"
)

// TestParseName splits the names that steps have.
func TestParseName(t *testing.T) {
	for _, c := range []struct{ name, number, text, note string }{
		{"[2/3] RUN echo", "2/3", "RUN echo", ""},
		{"[linux/amd64 app 2/3] COPY a /  ← a changed", "linux/amd64 app 2/3", "COPY a /", "a changed"},
		{"[app 2/3] ← follows 1/3 · RUN --mount=type=cache,target=/c make", "app 2/3", "RUN --mount=type=cache,target=/c make", "follows 1/3"},
		{"← a changed · FROM busybox", "", "FROM busybox", "a changed"},
		{"[internal] load build context", "internal", "load build context", ""},
		{"exporting", "", "exporting", ""},
	} {
		if number, text, note := sandbox.ParseName(c.name); number != c.number || text != c.text || note != c.note {
			t.Errorf("%q: %q %q %q", c.name, number, text, note)
		}
	}
}
