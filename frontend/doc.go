// Package frontend is the gateway between BuildKit and the converter: it reads
// the build's options and contexts, forwards to another frontend where the file
// asks for one, answers subrequests, converts and solves every platform, attaches
// attestations and explains what re-ran.
package frontend
