package record

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strconv"
)

// maxTraces is how many files a project is recognised by.
const maxTraces = 64

// Traces are sums of files with the time of their last change, sorted. A builder
// keeps that time when it copies a client's directory, so two builds of one
// directory have traces in common, as long as not all of its files were edited in
// between. Files of another directory with the same names and contents have other
// times. It says nothing if a time has no fraction of a second: such times come from
// archives, which many projects unpack.
type Traces []uint64

// Trace returns the trace of a file: its path, a digest of its content and the time
// of its last change in nanoseconds; none if the time tells nothing.
func Trace(path string, digest []byte, mtime int64) (uint64, bool) {
	if mtime%1e9 == 0 {
		return 0, false
	}
	sum := sha256.Sum256([]byte(path + "\x00" + string(digest) + "\x00" + strconv.FormatInt(mtime, 10)))
	// The path comes first, so that of many files the same ones are kept each time.
	name := sha256.Sum256([]byte(path))
	return uint64(binary.BigEndian.Uint16(name[:]))<<48 | binary.BigEndian.Uint64(sum[:])>>16, true
}

// NewTraces returns traces of some of the files, the same ones each time.
func NewTraces(all []uint64) Traces {
	slices.Sort(all)
	all = slices.Compact(all)
	return all[:min(len(all), maxTraces)]
}

// Meet reports whether two lists have a trace in common, or one has none, so that
// nothing speaks against it.
func (t Traces) Meet(other Traces) bool {
	if len(t) == 0 || len(other) == 0 {
		return true
	}
	return slices.ContainsFunc(t, func(trace uint64) bool {
		_, ok := slices.BinarySearch(other, trace)
		return ok
	})
}
