package main

import (
	"bytes"
	"fmt"
	"html"
	"strings"
	"unicode/utf8"

	"github.com/cachewright/cachewright/integration/sandbox"
)

// The picture's measures, in pixels.
const (
	charWidth   = 7.8
	lineHeight  = 19
	margin      = 18
	titleHeight = 34
)

// span is text of one colour.
type span struct{ class, text string }

// line is one line of the picture.
type line []span

func commandLine(command string) line { return line{{"prompt", "$ "}, {"", command}} }

// steps returns the lines of buildx's output, coloured by what they say: a step
// from the cache is dimmed, a reason is bright.
func steps(shown []byte) []line {
	const cached, part, mark = " => CACHED ", " => => ", "←"
	var out []line
	for _, text := range sandbox.LastScreen(shown) {
		if strings.HasPrefix(text, part) {
			continue
		}
		class := "step"
		switch {
		case !strings.HasPrefix(text, " => "):
			class = ""
		case strings.HasPrefix(text, cached), strings.HasPrefix(text, " => [internal] "), strings.HasPrefix(text, " => resolve "):
			class = "dim"
		}
		before, reason, ok := strings.Cut(text, mark)
		if !ok {
			out = append(out, line{{class, text}})
			continue
		}
		end := strings.Index(reason, " · ") // in front of the instruction
		if end < 0 {
			i := strings.LastIndex(reason, "  ") + 2 // in front of the time
			end = len(strings.TrimRight(reason[:i], " "))
		}
		out = append(out, line{{class, before}, {"reason", mark + reason[:end]}, {class, reason[end:]}})
	}
	return out
}

const style = `
    text { font: 13px ui-monospace, SFMono-Regular, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: #c9d1d9; white-space: pre; }
    .prompt { fill: #7ee787; }
    .dim { fill: #8b949e; }
    .step { fill: #79c0ff; }
    .reason { fill: #f2cc60; font-weight: bold; }
  `

// draw returns lines as an SVG of a dark window, which can be read on a light page
// and on a dark one. Every line has the width that its characters have in the
// window's font, whatever font there is.
func draw(lines []line, columns int) []byte {
	width := 2*margin + int(charWidth*float64(columns)+0.5)
	height := titleHeight + lineHeight*len(lines) + margin
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %[1]d %[2]d" role="img">
  <title>A build that says why its steps run again</title>
  <style>%s</style>
  <rect x="0.5" y="0.5" width="%d" height="%d" rx="9" fill="#0d1117" stroke="#484f58"/>
`, width, height, style, width-1, height-1)
	for i, colour := range []string{"#ff5f57", "#febc2e", "#28c840"} {
		fmt.Fprintf(&b, "  <circle cx=\"%d\" cy=\"17\" r=\"5.5\" fill=\"%s\"/>\n", margin+6+i*19, colour)
	}
	for i, l := range lines {
		l.draw(&b, titleHeight+lineHeight*(i+1)-5)
	}
	b.WriteString("</svg>\n")
	return b.Bytes()
}

func (l line) draw(b *bytes.Buffer, y int) {
	count := 0
	for _, s := range l {
		count += utf8.RuneCountInString(s.text)
	}
	fmt.Fprintf(b, `  <text x="%d" y="%d" xml:space="preserve" textLength="%.1f">`, margin, y, charWidth*float64(count))
	for _, s := range l {
		text := html.EscapeString(s.text)
		if s.class != "" {
			text = fmt.Sprintf(`<tspan class="%s">%s</tspan>`, s.class, text)
		}
		b.WriteString(text)
	}
	b.WriteString("</text>\n")
}
