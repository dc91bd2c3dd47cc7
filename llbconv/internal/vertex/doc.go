// Package vertex holds the operations that the converter makes itself, and encodes a
// graph of them, together with vertices of package llb, as a definition for the
// daemon. What it encodes is what package llb would, without the work that makes
// long chains there quadratic.
package vertex
