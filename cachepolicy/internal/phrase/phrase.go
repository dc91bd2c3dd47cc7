// Package phrase has the small pieces that messages and tables are made of.
package phrase

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Join joins a name and a value, either of which may be empty.
func Join(name, value, sep string) string {
	if name == "" || value == "" {
		return name + value
	}
	return name + sep + value
}

// OneLine returns a text with everything that is not printable, and each byte that
// is not UTF-8, written as an escape, so that nothing in it moves a terminal's cursor
// or ends a line.
func OneLine(text string) string {
	if !strings.ContainsFunc(text, special) {
		return text
	}
	var b strings.Builder
	for len(text) > 0 {
		r, size := utf8.DecodeRuneInString(text)
		if special(r) {
			quoted := strconv.Quote(text[:size])
			b.WriteString(quoted[1 : len(quoted)-1])
		} else {
			b.WriteString(text[:size])
		}
		text = text[size:]
	}
	return b.String()
}

func special(r rune) bool { return !unicode.IsPrint(r) || r == utf8.RuneError }

// Name returns a name as it stands among other words: in quotes if it is empty or
// has a blank, a comma, an arrow or anything else that could end it. One that
// ValidName has quoted is returned as it is.
func Name(name string) string {
	ends := func(r rune) bool { return special(r) || strings.ContainsRune(" ,\"'`\\→←·", r) }
	if name != "" && !strings.ContainsFunc(name, ends) {
		return name
	}
	if _, err := strconv.Unquote(name); err == nil && name[0] == '"' {
		return name
	}
	return strconv.Quote(name)
}

// ValidName returns a name that JSON can hold: one that is not UTF-8 in quotes, with
// escapes, so that two that differ there stay different.
func ValidName(name string) string {
	if utf8.ValidString(name) {
		return name
	}
	return strconv.Quote(name)
}

// Count returns "1 file", "3 files".
func Count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// Shorten cuts a text to so many columns.
func Shorten(text string, columns int) string {
	if utf8.RuneCountInString(text) <= columns {
		return text
	}
	runes := []rune(text)
	return string(runes[:max(columns-1, 0)]) + "…"
}

// CutLast cuts a text around the last sep, as strings.Cut does around the first.
func CutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

// ShortDigest returns the beginning of a digest's digits, as people compare them.
func ShortDigest(digest string) string {
	const digits = 12
	algorithm, hexDigits, ok := strings.Cut(digest, ":")
	if !ok {
		algorithm, hexDigits = "", digest
	}
	if len(hexDigits) > digits {
		hexDigits = hexDigits[:digits]
	}
	if algorithm == "" || algorithm == "sha256" {
		return hexDigits
	}
	return algorithm + ":" + hexDigits
}
