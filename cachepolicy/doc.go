// Package cachepolicy holds the language of cache rules: how the author of a
// Dockerfile, or whoever runs the build, says what a step's cache key is made of,
// and what that means for one step.
//
// The parts follow a build from left to right:
//
//	AttachDirectives, ParseOverrides   text to Rule, with the line it stands on
//	Rule.Inherit, Overrides.Apply      the rule in effect for one step
//	Decide                             rule and facts of a step to key inputs
//
// What a decided build becomes is in the packages below, each of which may import
// those above it:
//
//	cacheplan   every input of every step's key
//	record      what a builder remembers of earlier builds, and its bytes
//	explain     what differs from earlier builds, and what a build will do
//	report      all of that in forms for people, CI and browsers
//
// All of them are pure: no network, no clock of their own, no BuildKit import. The
// caller passes in the time, the build arguments and the bytes.
package cachepolicy
