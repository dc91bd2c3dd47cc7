// Package frontend is the gateway between BuildKit and the converter: it reads
// the build's options and contexts, forwards to another frontend where the file
// asks for one, answers subrequests, converts and solves every platform, attaches
// attestations and explains what re-ran.
//
// # Which frontend builds the file
//
// The line "# syntax=IMAGE" and the build argument BUILDKIT_SYNTAX, which comes
// first, name the frontend of a file. Whoever follows them starts that frontend
// with the option "cmdline", and a frontend that has it builds the file, whatever
// the line says. That is how this frontend is started behind "# syntax=".
//
// A client can also start it without that option: as gateway.v0 with the option
// "source", or in its own process. Then the file's word counts, as with
// docker/dockerfile: a line that names another frontend hands the build over to
// it. A line that names this one does not, since that would only start it a
// second time: neither the reference in "source", nor any image of the repository
// cachewright/dockerfile, whatever its registry, tag or digest. So the version
// that the client chose builds the file, and not the one of the line.
package frontend
