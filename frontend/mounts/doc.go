// Package mounts saves the contents of cache mounts and restores them on another
// builder. Like the recorder it runs inside the builder, as steps of a build:
//
//	look     is a mount empty?                        run.go
//	restore  files out of layers into an empty mount  restore.go
//	save     what is new in a mount, as a layer       save.go, scan.go
//	content  hands a saved layer to the build         run.go
//
// What was saved of a mount is a Chain of layers. A layer (layer.go) is a tar archive,
// compressed with zstd: first the Index of everything that is in the mount, then the
// contents of files that no layer before it has, each once and named by its digest.
// So the last layer says what there is, and the others are looked into for contents.
//
// A layer comes from a cache that others may have written. Nothing of it is taken on
// trust: the index must have the digest that the chain says, contents must have the
// digest that the index says, and all is written into a directory of its own in the
// mount before it shows. What is wrong with it costs the contents, never a build.
package mounts
