// Package honesty compares what is said about builds with what they do. Random
// projects are built on one real daemon, edited at random and built again, through
// several clients and with several targets, arguments, platforms and Dockerfiles in
// turn. Before each build it takes the predictions of --call=cache.
//
// The truth comes from two sides, neither of which is the frontend's plan: which
// steps ran is in the build's status stream, and what there was to run them for is in
// the model of the project, which the edits change.
//
//	World        world.go      a project's beginnings and a list of actions
//	Action       action.go     one edit or one build; it is nothing where it does not fit
//	View         view.go       what one build of the model's state is made of
//	Runner       run.go        carries out the actions of a world on a daemon
//	Judge        judge.go      compares predictions and notes with what happened
//	Tally        tally.go      counts, and keeps an example of each wrong kind
//	Shrink       shrink.go     drops what a wrong statement does not need
//	Script       script.go     prints a world as a shell script
package honesty
