// Package cachepolicy holds the cache rules of a build: what a step's cache key
// is made of, how the author of a Dockerfile or whoever runs the build changes
// it, and how two builds' keys are compared.
//
// It is pure: no network, no clock of its own, no BuildKit import.
package cachepolicy
