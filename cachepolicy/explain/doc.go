// Package explain compares a plan with those of earlier builds and says what
// follows: which steps will run again and why.
//
//	Predict, Compare          the state of each step, with reasons
//	Text, Table               the same for people
//	ParseExpectations, Assert what somebody expects, compared with that
package explain
