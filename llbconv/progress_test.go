package llbconv_test

import (
	"strings"
	"testing"

	"github.com/cachewright/cachewright/llbconv"
)

// TestNoted puts notes into names of all kinds. No name loses anything.
func TestNoted(t *testing.T) {
	const (
		run  = "RUN --mount=type=cache,target=/root/.cache/go-build go build ./..."
		long = "ARG VERSION 1.0 → 1.1 (line 5), src/server.js changed, 12 more files"
	)
	for _, c := range []struct{ prefix, title, note, want string }{
		{"[2/2] ", "RUN make", "", "[2/2] RUN make"},
		{"[2/2] ", "RUN make", "a changed", "[2/2] RUN make  ← a changed"},
		{"[build 2/2] ", run, "", "[build 2/2] " + run},
		{"[build 2/2] ", run, "follows 1/2", "[build 2/2] ← follows 1/2 · " + run},
		{"[build 2/2] ", "RUN make", long, "[build 2/2] ← " + long + " · RUN make"},
		{"[linux/amd64->arm64 build  2/12] ", "RUN make", "follows 1/12", "[linux/amd64->arm64 build  2/12] RUN make  ← follows 1/12"},
		{"[linux/amd64->arm64 build  2/12] ", "RUN make all", "follows 1/12", "[linux/amd64->arm64 build  2/12] ← follows 1/12 · RUN make all"},
		{"[2/2] ONBUILD ", "RUN make", "a changed", "[2/2] ONBUILD RUN make  ← a changed"},
		{"[2/2] ONBUILD ", run, "a changed", "[2/2] ← a changed · ONBUILD " + run},
		{"[2/2] LINK ", "COPY --link --from=build /app/dist /srv/www", "a changed", "[2/2] ← a changed · LINK COPY --link --from=build /app/dist /srv/www"},
		{"[1/2] ", "FROM docker.io/library/busybox:latest@sha256:…", "busybox moved 1 → 2", "[1/2] ← busybox moved 1 → 2 · FROM docker.io/library/busybox:latest@sha256:…"},
		{"", "FROM busybox", "a changed", "FROM busybox  ← a changed"},
		{"", run, "a changed", "← a changed · " + run},
		{"[2/2] ", "RUN a\nb", "a changed", "[2/2] ← a changed · RUN a\nb"},
		// buildx counts bytes: a letter of two is as long as two.
		{"[2/2] ", "RUN " + strings.Repeat("ä", 17), "a changed", "[2/2] RUN " + strings.Repeat("ä", 17) + "  ← a changed"},
		{"[2/2] ", "RUN " + strings.Repeat("ä", 18), "a changed", "[2/2] ← a changed · RUN " + strings.Repeat("ä", 18)},
	} {
		if got := llbconv.Noted(c.prefix, c.title, c.note); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}
