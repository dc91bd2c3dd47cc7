// Package cachepolicy holds the cache rules of a build: what a step's cache key
// is made of, how the author of a Dockerfile or whoever runs the build changes
// it, and how two builds' keys are compared.
//
// The parts follow a build from left to right:
//
//	AttachDirectives, ParseOverrides   text to Rule, with the line it stands on
//	Rule.Inherit, Overrides.Apply      the rule in effect for one step
//	Decide                             rule and facts of a step to key inputs
//	Plan                               every input of every step's key
//	Compare, Predict                   what differs from earlier builds' plans
//	Record                             the earlier builds' plans, as bytes
//
// It is pure: no network, no clock of its own, no BuildKit import. The caller
// passes in the time, the build arguments and the bytes.
package cachepolicy
