package fields

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"
)

// parseJSON reads one JSON value. What objects and lists hold is read when it is asked
// for, since of a large lock file little is. Numbers stay as written; of two equal keys
// the last one counts, as it does for JSON.parse.
func parseJSON(data []byte) (*node, error) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	var b bytes.Buffer
	b.Grow(len(data))
	if err := json.Compact(&b, data); err != nil {
		return nil, syntaxError(data)
	}
	return fromJSON(b.Bytes()), nil
}

// syntaxError says what is wrong with a text that is no JSON, and where.
func syntaxError(data []byte) error {
	data = bytes.TrimRight(data, " \t\r\n")
	var any json.RawMessage
	err := json.Unmarshal(append(bytes.Clone(data), '\n'), &any)
	var syntax *json.SyntaxError
	if !errors.As(err, &syntax) {
		return &Error{Message: fmt.Sprintf("no valid JSON: %v", err)}
	}
	if syntax.Offset > int64(len(data)) {
		return &Error{Line: lineAt(data, int64(len(data))), Message: "no valid JSON: the file ends too early"}
	}
	return &Error{Line: lineAt(data, syntax.Offset-1), Message: "no valid JSON: " + syntax.Error()}
}

// lineAt returns the line of an offset, from 1.
func lineAt(data []byte, offset int64) int {
	return 1 + bytes.Count(data[:min(max(offset, 0), int64(len(data)))], []byte("\n"))
}

// fromJSON returns the value that a text without blanks is.
func fromJSON(text []byte) *node {
	switch text[0] {
	case '{':
		return &node{kind: object, text: text}
	case '[':
		return &node{kind: list, text: text}
	case '"':
		return &node{value: unquoted(text)}
	default:
		return &node{value: literal(text)}
	}
}

// open reads what an object or list holds, if that is still to be read.
func (n *node) open() {
	if n.text == nil || n.opened {
		return
	}
	size := n.size()
	n.items = make([]*node, 0, size)
	seen := keyIndex{n: n}
	if n.kind == object {
		n.keys = make([]string, 0, size)
	}
	n.opened = true
	for rest := n.inner(); len(rest) > 0; {
		at := len(n.items)
		if n.kind == object {
			end := valueEnd(rest)
			key := unquoted(rest[:end])
			rest = rest[end+1:]
			if old := seen.of(key); old >= 0 {
				at = old
			} else {
				n.keys = append(n.keys, key)
				seen.add(key, size)
			}
		}
		end := valueEnd(rest)
		if v := fromJSON(rest[:end]); at < len(n.items) {
			n.items[at] = v
		} else {
			n.items = append(n.items, v)
		}
		rest = rest[min(end+1, len(rest)):]
	}
}

// inner is the text between the brackets.
func (n *node) inner() []byte { return n.text[1 : len(n.text)-1] }

// size returns how many values an object or list holds.
func (n *node) size() int {
	if n.text == nil || n.opened {
		return len(n.items)
	}
	size := 0
	for rest := n.inner(); len(rest) > 0; size++ {
		if n.kind == object {
			rest = rest[valueEnd(rest)+1:]
		}
		rest = rest[min(valueEnd(rest)+1, len(rest)):]
	}
	return size
}

// valueEnd returns where the first value of a valid text ends: at a comma, a colon or
// the end.
func valueEnd(text []byte) int {
	depth, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			depth--
		case (c == ',' || c == ':') && depth == 0:
			return i
		}
	}
	return len(text)
}

// unquoted returns what a valid JSON string says.
func unquoted(quoted []byte) string {
	inner := quoted[1 : len(quoted)-1]
	if bytes.IndexByte(inner, '\\') < 0 && utf8.Valid(inner) {
		return string(inner)
	}
	var s string
	_ = json.Unmarshal(quoted, &s) // it is valid
	return s
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

// add notes the last key of the object, which will have about size of them.
func (x *keyIndex) add(key string, size int) {
	const few = 16
	switch {
	case x.many != nil:
		x.many[key] = len(x.n.keys) - 1
	case len(x.n.keys) > few:
		x.many = make(map[string]int, size)
		for i, k := range x.n.keys {
			x.many[k] = i
		}
	}
}

// writeJSON appends a value without blanks: what was not read as it came.
func writeJSON(b *bytes.Buffer, n *node) {
	if n.text != nil && !n.opened {
		b.Write(n.text)
		return
	}
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

// encodeJSON returns a value as a line.
func encodeJSON(n *node) []byte {
	var b bytes.Buffer
	b.Grow(len(n.text) + 1)
	writeJSON(&b, n)
	b.WriteByte('\n')
	return b.Bytes()
}
