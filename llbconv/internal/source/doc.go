// Package source holds what a build takes from outside the Dockerfile: git
// repositories, URLs, images and local directories. It makes their vertices, reads
// the vertices that others made of them, and asks the daemon what is there now: the
// time of a source for SOURCE_DATE_EPOCH, the digest of one for a cache rule.
package source
