//go:build race

package frontend_test

// runsUpstream reports whether docker/dockerfile's frontend can run: it looks up
// images at the same time with a cache that is not made for it, and the race
// detector would report that.
const runsUpstream = false
