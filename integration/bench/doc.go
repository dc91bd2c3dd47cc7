// Package bench measures this project's frontend beside docker/dockerfile's, each
// from its image on a real daemon: how long builds take, how much memory the
// frontend takes, how large its image is and what it has the client transfer.
//
// Every measurement of a run takes the sides in turn, again and again, so that a
// busy moment of the machine hits all of them; ratios are taken within a round.
// The command integration/cmd/bench prints what the functions here return.
package bench
