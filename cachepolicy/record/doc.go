// Package record holds what a builder remembers of earlier builds, and the form in
// which it is kept. Nothing depends on a record but explanations: what cannot be
// read is empty.
package record
