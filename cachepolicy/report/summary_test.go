package report

import (
	"strings"
	"testing"
)

// TestSummary sums up builds of all kinds: one line, and nothing about a first build.
func TestSummary(t *testing.T) {
	const file = "FROM base AS build\nCOPY src src\nRUN make\nFROM base\nCOPY --from=build /out /out\nRUN ls\n"
	for _, c := range []struct {
		name string
		past map[string]string // what was different; nil without an earlier build
		want string
	}{
		{"first build", nil, ""},
		{"unchanged", map[string]string{}, "Cache, as predicted: 4 of 4 steps reused"},
		{"changed", map[string]string{"src": "old"}, "Cache, as predicted: 0 of 4 steps reused, 2 more perhaps. Cause: src changed"},
		{"base moved", map[string]string{"base": "old"}, "Cache, as predicted: 0 of 4 steps reused. Cause: base moved"},
	} {
		got := Summary([]Report{*sample(t, file, c.past)})
		if (c.want == "") != (got == "") || !strings.HasPrefix(got, c.want) || strings.Contains(got, "\n") {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	two := Summary([]Report{*sample(t, file, map[string]string{}), *sample(t, file, map[string]string{"src": "old"})})
	if lines := strings.Split(two, "\n"); len(lines) != 2 || !strings.HasPrefix(lines[1], "linux/amd64: Cache, as predicted: 0 of") {
		t.Errorf("two platforms: %q", two)
	}
	four := make([]Report, 4)
	for i := range four {
		four[i] = *sample(t, file, map[string]string{})
	}
	if got := Summary(four); got != "" {
		t.Errorf("four platforms: %q", got)
	}
}
