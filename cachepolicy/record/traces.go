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
// between. Files of another directory with the same names and sizes have other times.
//
// A time with a fraction of a second is a file's own. One without comes from an
// archive, which several projects may have unpacked: it is a weak trace. Nothing can
// be told from a time that is the same throughout an archive, or one of those that
// tools write to have the same archive each time.
type Traces []uint64

// TracedFile is a file that a project may be recognised by.
type TracedFile struct {
	Path    string // with the context it is in
	Size    int64  // in bytes
	Changed int64  // the time of its last change, in nanoseconds
}

const (
	second = int64(1e9)
	// strong is the bit of a trace that one file is enough for.
	strong = 1
	// untold stands in lists of files of which nothing can be told.
	untold = 0
)

// NewTraces returns traces of some of the files, the same ones each time. Without
// files there are none.
func NewTraces(files []TracedFile) Traces {
	archived := map[int64]bool{}
	for _, f := range files {
		if f.Changed%second == 0 {
			archived[f.Changed] = true
		}
	}
	var out Traces
	for _, f := range files {
		switch {
		case f.Changed%second != 0:
			out = append(out, f.trace()|strong)
		case len(archived) > 1 && !normalised(f.Changed):
			out = append(out, f.trace()&^strong)
		}
	}
	if len(out) == 0 && len(files) > 0 {
		return Traces{untold}
	}
	slices.Sort(out)
	out = slices.Compact(out)
	return out[:min(len(out), maxTraces)]
}

// normalised reports whether a time is one that tools give all files: the start of an
// epoch or a year, in any time zone, or the second after it.
func normalised(changed int64) bool {
	return changed%(3600*second) == 0 || changed == second
}

func (f TracedFile) trace() uint64 {
	sum := sha256.Sum256([]byte(f.Path + "\x00" + strconv.FormatInt(f.Size, 10) + "\x00" + strconv.FormatInt(f.Changed, 10)))
	// The path comes first, so that of many files the same ones are kept each time.
	name := sha256.Sum256([]byte(f.Path))
	return uint64(binary.BigEndian.Uint16(name[:]))<<48 | binary.BigEndian.Uint64(sum[:])>>16
}

// Meet reports whether two lists are of one project: they have a strong trace in
// common, or at least half of the shorter list, or there were no files in one of them,
// so that nothing speaks against it.
func (t Traces) Meet(other Traces) bool {
	if len(t) == 0 || len(other) == 0 {
		return true
	}
	common := 0
	for _, trace := range t {
		if _, ok := slices.BinarySearch(other, trace); !ok || trace == untold {
			continue
		}
		if trace&strong != 0 {
			return true
		}
		common++
	}
	return common > 0 && 2*common >= min(len(t), len(other))
}
