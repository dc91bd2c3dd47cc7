//go:build race

package llbconv_test

const (
	// runsUpstream reports whether docker/dockerfile's converter can run: its linter
	// is not made for its own concurrent lookups, and the race detector would
	// report it.
	runsUpstream = false
	// measuresMemory reports whether what is allocated is what a release allocates:
	// under the race detector sync.Pool forgets on purpose, and escape analysis
	// differs.
	measuresMemory = false
)
