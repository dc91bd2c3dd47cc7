package report

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/cachewright/cachewright/cachepolicy/cacheplan"
)

func oneLine(text string) string {
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

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func shorten(text string, columns int) string {
	if utf8.RuneCountInString(text) <= columns {
		return text
	}
	runes := []rune(text)
	return string(runes[:max(columns-1, 0)]) + "…"
}

func shortDigest(digest string) string {
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

func stepName(p *cacheplan.Plan, i int, from *cacheplan.Step) string {
	id := &p.Steps[i].ID
	if id.Number == 0 {
		return p.Steps[i].Name
	}
	n := fmt.Sprintf("%d/%d", id.Number, id.Total)
	if from != nil && id.StageIndex == from.ID.StageIndex {
		return n
	}
	return id.Stage + " " + n
}

func size(s *cacheplan.FileSet) int {
	n := s.Count
	if s.Digest == "" {
		for i := range s.Files {
			if !s.Files[i].Mode.IsDir() {
				n++
			}
		}
	}
	return n
}
