// Package llbconv turns a Dockerfile into LLB, the build graph that BuildKit executes.
//
// The work happens in phases, each with a typed result that the next one takes:
// parse (bytes to Program), resolve (Program to build graph: target, reachable
// stages, base images, ONBUILD triggers), decide (the cache rule of every step,
// see package cachepolicy) and emit (LLB operations, image config, progress names).
//
// A Dockerfile without cache rules gives the same vertices as docker/dockerfile
// of the pinned BuildKit version; docs/differences.md lists the exceptions.
package llbconv
