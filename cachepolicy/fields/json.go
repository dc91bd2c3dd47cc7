package fields

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
)

// maxDepth is how deep a file's values may be nested.
const maxDepth = 1000

// parseJSON reads one JSON value. Numbers stay as written; of two equal keys the
// last one counts, as it does for JSON.parse.
func parseJSON(data []byte) (*node, error) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	n, err := readJSON(dec, 0)
	if err == nil {
		if _, more := dec.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("something follows the value")
		}
	}
	if err == nil {
		return n, nil
	}
	offset := dec.InputOffset() // where the last good token ends
	for offset < int64(len(data)) && bytes.IndexByte([]byte(" \t\r\n,:"), data[offset]) >= 0 {
		offset++
	}
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		offset, err = int64(len(bytes.TrimRight(data, " \t\r\n"))), errors.New("the file ends too early")
	}
	return nil, &Error{Line: lineAt(data, offset), Message: fmt.Sprintf("no valid JSON: %v", err)}
}

// lineAt returns the line of an offset, from 1.
func lineAt(data []byte, offset int64) int {
	return 1 + bytes.Count(data[:min(max(offset, 0), int64(len(data)))], []byte("\n"))
}

func readJSON(dec *json.Decoder, depth int) (*node, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("more than %d levels", maxDepth)
	}
	t, err := dec.Token()
	if err != nil {
		return nil, err
	}
	switch v := t.(type) {
	case json.Delim:
		n := &node{kind: list}
		if v == '{' {
			n.kind = object
		}
		err := readItems(dec, n, depth)
		return n, err
	case string:
		return text(v), nil
	case json.Number:
		return &node{value: literal(v)}, nil
	case bool:
		return &node{value: literal(fmt.Sprint(v))}, nil
	default:
		return &node{value: literal("null")}, nil
	}
}

// readItems reads what an object or list holds, and its end.
func readItems(dec *json.Decoder, n *node, depth int) error {
	seen := keyIndex{n: n}
	for dec.More() {
		at := len(n.items)
		if n.kind == object {
			t, err := dec.Token()
			if err != nil {
				return err
			}
			key, ok := t.(string)
			if !ok {
				return fmt.Errorf("a key is no string")
			}
			if old := seen.of(key); old >= 0 {
				at = old
			} else {
				n.keys = append(n.keys, key)
				seen.add(key)
			}
		}
		v, err := readJSON(dec, depth+1)
		if err != nil {
			return err
		}
		if at < len(n.items) {
			n.items[at] = v
		} else {
			n.items = append(n.items, v)
		}
	}
	n.keys, n.items = slices.Clip(n.keys), slices.Clip(n.items)
	_, err := dec.Token()
	return err
}

// keyIndex finds keys of an object that grows: with a map if it has many.
type keyIndex struct {
	n    *node
	many map[string]int
}

func (x *keyIndex) of(key string) int {
	if x.many == nil {
		return slices.Index(x.n.keys, key)
	}
	if i, ok := x.many[key]; ok {
		return i
	}
	return -1
}

// add notes the last key of the object.
func (x *keyIndex) add(key string) {
	const few = 16
	switch {
	case x.many != nil:
		x.many[key] = len(x.n.keys) - 1
	case len(x.n.keys) > few:
		x.many = map[string]int{}
		for i, k := range x.n.keys {
			x.many[k] = i
		}
	}
}

// writeJSON appends a value without blanks.
func writeJSON(b *bytes.Buffer, n *node) {
	switch n.kind {
	case scalar:
		writeScalar(b, n.value)
	case list:
		b.WriteByte('[')
		for i, v := range n.items {
			if i > 0 {
				b.WriteByte(',')
			}
			writeJSON(b, v)
		}
		b.WriteByte(']')
	case object:
		b.WriteByte('{')
		for i, v := range n.items {
			if i > 0 {
				b.WriteByte(',')
			}
			if n.plain[n.keys[i]] {
				b.WriteString(n.keys[i])
			} else {
				writeScalar(b, n.keys[i])
			}
			b.WriteByte(':')
			if n.plain != nil { // YAML needs the blank
				b.WriteByte(' ')
			}
			writeJSON(b, v)
		}
		b.WriteByte('}')
	}
}

func writeScalar(b *bytes.Buffer, value any) {
	switch v := value.(type) {
	case literal:
		b.WriteString(string(v))
	case string:
		if isPlain(v) {
			b.WriteByte('"')
			b.WriteString(v)
			b.WriteByte('"')
			return
		}
		enc := json.NewEncoder(b)
		enc.SetEscapeHTML(false)
		_ = enc.Encode(v) // strings do not fail
		b.Truncate(b.Len() - 1)
	default:
		fmt.Fprint(b, v)
	}
}

// isPlain reports whether a string is the same in JSON.
func isPlain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

func encodeJSON(n *node) []byte {
	var b bytes.Buffer
	writeJSON(&b, n)
	b.WriteByte('\n')
	return b.Bytes()
}
