// Package advice says what in a Dockerfile costs its builds most, going by what really
// happened: the log of a record. Each suggestion comes with a patch and with what it
// would have saved.
//
//	history    history.go     the states that the recorded builds were in
//	simulate   simulate.go    which steps a Dockerfile runs in these states
//	suggest    order.go, arguments.go, noise.go, modes.go    candidates: a patched file each
//	           others.go                                     what cannot be simulated
//	choose     advice.go      the one that saves most, then the next on top of it
//
// A candidate counts by the simulation alone: the patched file is converted as any other,
// its steps are keyed by the same code as those of a build, and the recorded builds are
// repeated with it. What saves nothing, or makes a command run more often, is no
// suggestion.
//
// The package is pure: what it converts with is given to it.
package advice
