// Package advice tries advice on histories: it builds projects of common shapes again and
// again with edits in between, asks for advice, applies its patches with git, and makes
// the same edits again on a builder that knows nothing. What was promised has to be what
// happens.
package advice
