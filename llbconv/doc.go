// Package llbconv turns a Dockerfile into LLB, the build graph that BuildKit executes.
//
// Convert works in phases. Each takes what the one before returns, a value of its own
// type:
//
//	parse       the file's instructions                            program
//	link        stages, their bases, the target                    graph
//	resolve     what the stages start from; ONBUILD                resolution
//	evaluate    words expanded: steps, environment, image config   evaluation
//	decide      what cache rules mean for the steps                decisions
//	resolveKeys what the sources that rules name are now           (in decisions)
//	resolveFields what files hold of which rules let fields count (in decisions)
//	emit        vertices, and which step each is                   emitted
//
// Without cache rules decide does nothing, and the vertices are those of
// docker/dockerfile of the pinned BuildKit version; docs/differences.md lists the
// exceptions. Result.Definition encodes the vertices for the daemon; what it returns
// gives the plan and takes the notes behind the steps' names.
//
// Below it, internal/vertex has the operations and encodes them, internal/source what
// a build takes from outside the file, internal/position places in the file, and
// internal/oracle the comparison with docker/dockerfile, for tests.
//
// Errors are made and wrapped with github.com/pkg/errors here and in package frontend,
// as in BuildKit, which prints their stacks with --debug. Packages that know nothing of
// BuildKit, as those below cachepolicy, use the standard library's.
package llbconv
