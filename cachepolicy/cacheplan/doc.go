// Package cacheplan holds what every step of a build is keyed by: one value, from
// which the table, the JSON form, predictions and explanations are made.
//
// A Plan lists steps, each with the inputs of its key, and the selections of files
// that the inputs refer to. Plan.Keys sums them up: steps of two plans with equal
// sums have equal cache keys, as far as a plan can tell.
package cacheplan
