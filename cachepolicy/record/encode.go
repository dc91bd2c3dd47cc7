package record

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"strings"

	"github.com/cachewright/cachewright/cachepolicy/cacheplan"
)

// The body of a record has four tables. Builds differ little from each other, so
// what they have in common is there once:
//
//	files   sorted: how many bytes of the path are those of the one before, the
//	        rest of it, digest, mode
//	sets    header as JSON, sum, and the numbers of its files, each as the
//	        difference to the one before
//	steps   each as JSON
//	builds  ID, time, traces, header as JSON, numbers of its sets and steps
//
// Numbers are unsigned varints, texts are preceded by their length.

// recordWriter collects the tables.
type recordWriter struct {
	files []cacheplan.File
	sets  pool
	steps pool
}

// pool is a table of texts, each there once.
type pool struct {
	items  [][]byte
	number map[string]uint64
}

func (p *pool) add(item []byte) uint64 {
	if n, ok := p.number[string(item)]; ok {
		return n
	}
	if p.number == nil {
		p.number = map[string]uint64{}
	}
	n := uint64(len(p.items))
	p.number[string(item)] = n
	p.items = append(p.items, item)
	return n
}

func encodeBuilds(builds []Build) []byte {
	w := recordWriter{}
	w.collectFiles(builds)
	var tail []byte
	tail = binary.AppendUvarint(tail, uint64(len(builds)))
	for _, b := range builds {
		tail = w.build(tail, b)
	}
	out := w.fileTable()
	for _, p := range []pool{w.sets, w.steps} {
		out = binary.AppendUvarint(out, uint64(len(p.items)))
		for _, item := range p.items {
			out = appendText(out, item)
		}
	}
	return append(out, tail...)
}

// collectFiles makes the table of all files of all sets.
func (w *recordWriter) collectFiles(builds []Build) {
	seen := map[*cacheplan.File]bool{} // builds share lists
	for _, b := range builds {
		for _, s := range b.Plan.Files {
			if len(s.Files) > 0 && !seen[&s.Files[0]] {
				seen[&s.Files[0]] = true
				w.files = mergeFiles(w.files, s.Files)
			}
		}
	}
}

// mergeFiles joins two sorted lists; what is in both is there once.
func mergeFiles(a, b []cacheplan.File) []cacheplan.File {
	out := make([]cacheplan.File, 0, max(len(a), len(b))+len(b)/8) // most are in both
	for len(a) > 0 && len(b) > 0 {
		c := compareFiles(&a[0], &b[0])
		if c <= 0 {
			out, a = append(out, a[0]), a[1:]
		} else {
			out = append(out, b[0])
		}
		if c >= 0 {
			b = b[1:]
		}
	}
	return append(append(out, a...), b...)
}

func compareFiles(a, b *cacheplan.File) int {
	if c := strings.Compare(a.Path, b.Path); c != 0 {
		return c
	}
	if c := bytes.Compare(a.Digest[:], b.Digest[:]); c != 0 {
		return c
	}
	return int(int64(a.Mode) - int64(b.Mode))
}

func (w *recordWriter) fileTable() []byte {
	out := binary.AppendUvarint(nil, uint64(len(w.files)))
	previous := ""
	for _, f := range w.files {
		n := commonPrefix(previous, f.Path)
		out = binary.AppendUvarint(out, uint64(n))
		out = appendText(out, []byte(f.Path[n:]))
		out = append(out, f.Digest[:]...)
		out = binary.AppendUvarint(out, uint64(f.Mode))
		previous = f.Path
	}
	return out
}

func commonPrefix(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

func (w *recordWriter) set(s cacheplan.FileSet) []byte {
	header := s
	header.Files = nil
	total := ""
	if s.Known {
		total = s.Sum()
	}
	out := appendText(nil, mustJSON(header))
	out = appendText(out, []byte(total))
	out = binary.AppendUvarint(out, uint64(len(s.Files)))
	number, previous := 0, 0
	for i := range s.Files {
		for compareFiles(&w.files[number], &s.Files[i]) < 0 {
			number++
		}
		out = binary.AppendUvarint(out, uint64(number-previous))
		previous = number
	}
	return out
}

func (w *recordWriter) build(out []byte, b Build) []byte {
	header := *b.Plan
	header.Steps, header.Files = nil, nil
	out = appendText(out, []byte(b.ID))
	out = binary.AppendVarint(out, b.Time.UnixNano())
	out = binary.AppendUvarint(out, uint64(len(b.Traces)))
	for _, trace := range b.Traces {
		out = binary.BigEndian.AppendUint64(out, trace)
	}
	out = appendText(out, mustJSON(header))
	out = binary.AppendUvarint(out, uint64(len(b.Plan.Files)))
	for _, s := range b.Plan.Files {
		out = binary.AppendUvarint(out, w.sets.add(w.set(s)))
	}
	out = binary.AppendUvarint(out, uint64(len(b.Plan.Steps)))
	for _, s := range b.Plan.Steps {
		out = binary.AppendUvarint(out, w.steps.add(mustJSON(s)))
	}
	return out
}

func appendText(out, text []byte) []byte {
	return append(binary.AppendUvarint(out, uint64(len(text))), text...)
}

// mustJSON encodes a value of this package, which always can be encoded.
func mustJSON(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return data
}
