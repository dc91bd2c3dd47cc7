// Package fields reduces the manifests and lock files of package managers to the
// fields that count for an install, in a canonical form: two files that differ in a
// version, a description or their layout alone become the same bytes.
//
// Package fieldspec says which fields count: all but those that a preset (npm, cargo, uv,
// composer) knows to be irrelevant, or those that are named. Reduce applies it to
// the files of one step together, since what one file says can decide what counts in
// another. The package reads no file and knows no build; it is linear in the size of
// the files, in time and memory.
package fields
