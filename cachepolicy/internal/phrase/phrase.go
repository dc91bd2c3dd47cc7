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

// OneLine returns a text with everything that is not printable written as an
// escape, so that nothing in it moves a terminal's cursor or ends a line.
func OneLine(text string) string {
	if !strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) || r == utf8.RuneError }) {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		if unicode.IsPrint(r) && r != utf8.RuneError {
			b.WriteRune(r)
		} else {
			b.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
		}
	}
	return b.String()
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
