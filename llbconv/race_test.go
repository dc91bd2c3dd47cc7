//go:build race

package llbconv_test

// runsUpstream tells whether docker/dockerfile's converter can run: its linter is
// not made for its own concurrent lookups, and the race detector would report it.
const runsUpstream = false
