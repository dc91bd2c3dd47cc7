package record

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"math"
	"time"

	"github.com/cachewright/cachewright/cachepolicy/cacheplan"
)

// recordReader reads the tables. The first fault sticks, and everything read
// after it is zero.
type recordReader struct {
	data []byte
	err  error

	files []cacheplan.File
	sets  []cacheplan.FileSet
	steps []cacheplan.Step
}

var errRecord = errors.New("not a record of this version")

func decodeBuilds(body []byte) ([]Build, error) {
	r := recordReader{data: body}
	r.fileTable()
	entries := 0
	for range r.count() {
		item := recordReader{data: r.text(), files: r.files}
		s := item.set()
		r.fail(item.err)
		if entries += len(s.Files); entries > MaxEntries {
			r.fail(errRecord)
		}
		r.sets = append(r.sets, s)
	}
	for range r.count() {
		var s cacheplan.Step
		r.json(r.text(), &s)
		r.steps = append(r.steps, s)
	}
	var builds []Build
	for range r.count() {
		builds = append(builds, r.build())
	}
	if len(r.data) > 0 || len(builds) > MaxBuilds {
		r.fail(errRecord)
	}
	for _, b := range builds {
		if r.err == nil {
			r.fail(b.Plan.Check())
		}
	}
	return builds, r.err
}

func (r *recordReader) fail(err error) {
	if r.err == nil && err != nil {
		r.err = err
		r.data = nil
	}
}

func (r *recordReader) uvarint() uint64 {
	n, size := binary.Uvarint(r.data)
	if size <= 0 {
		r.fail(errRecord)
		return 0
	}
	r.data = r.data[size:]
	return n
}

// count reads a number of items, each of which takes at least one byte.
func (r *recordReader) count() int {
	n := r.uvarint()
	if n > uint64(len(r.data)) {
		r.fail(errRecord)
		return 0
	}
	return int(n)
}

func (r *recordReader) take(n int) []byte {
	if n > len(r.data) {
		r.fail(errRecord)
		return make([]byte, n)
	}
	out := r.data[:n]
	r.data = r.data[n:]
	return out
}

func (r *recordReader) text() []byte { return r.take(r.count()) }

func (r *recordReader) json(data []byte, v any) {
	if r.err == nil {
		r.fail(json.Unmarshal(data, v))
	}
}

// minFileBytes is how much one entry of the table of files takes at least.
const minFileBytes = 1 + 1 + len(cacheplan.FileDigest{}) + 1

func (r *recordReader) fileTable() {
	n := r.count()
	if n > len(r.data)/minFileBytes {
		r.fail(errRecord)
		return
	}
	r.files = make([]cacheplan.File, 0, n)
	previous := ""
	for range n {
		var f cacheplan.File
		same := r.uvarint()
		if same > uint64(len(previous)) {
			r.fail(errRecord)
			return
		}
		f.Path = previous[:same] + string(r.text())
		copy(f.Digest[:], r.take(len(f.Digest)))
		mode := r.uvarint()
		if mode > math.MaxUint32 {
			r.fail(errRecord)
		}
		f.Mode = cacheplan.FileMode(mode)
		r.files = append(r.files, f)
		previous = f.Path
	}
}

func (r *recordReader) set() cacheplan.FileSet {
	var s cacheplan.FileSet
	r.json(r.text(), &s)
	s.Files = nil
	total := string(r.text())
	n := r.count()
	if n > len(r.files) {
		r.fail(errRecord)
		return s
	}
	if n > 0 {
		s.Files = make([]cacheplan.File, 0, n)
	}
	number := uint64(0)
	for range n {
		number += r.uvarint()
		if number >= uint64(len(r.files)) {
			r.fail(errRecord)
			return s
		}
		s.Files = append(s.Files, r.files[number])
	}
	s.SetSummed(s.Files, total)
	return s
}

func (r *recordReader) build() Build {
	var b Build
	b.ID = string(r.text())
	b.Time = time.Unix(0, r.varint()).UTC()
	for range r.count() {
		b.Traces = append(b.Traces, binary.BigEndian.Uint64(r.take(8)))
	}
	b.Plan = &cacheplan.Plan{}
	r.json(r.text(), b.Plan)
	b.Plan.Files, b.Plan.Steps = nil, nil
	if b.Plan.Version != cacheplan.Version {
		r.fail(errRecord)
	}
	for range r.count() {
		if n := r.uvarint(); n < uint64(len(r.sets)) {
			b.Plan.Files = append(b.Plan.Files, r.sets[n])
		} else {
			r.fail(errRecord)
		}
	}
	for range r.count() {
		if n := r.uvarint(); n < uint64(len(r.steps)) {
			b.Plan.Steps = append(b.Plan.Steps, r.steps[n])
		} else {
			r.fail(errRecord)
		}
	}
	return b
}

func (r *recordReader) varint() int64 {
	n, size := binary.Varint(r.data)
	if size <= 0 {
		r.fail(errRecord)
		return 0
	}
	r.data = r.data[size:]
	return n
}
