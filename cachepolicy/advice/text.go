package advice

import (
	"fmt"
	"slices"
	"strings"
)

// lines are those of a text file, each with its line break.
type lines []string

func linesOf(text string) lines {
	return slices.Collect(strings.Lines(text))
}

func (l lines) String() string { return strings.Join(l, "") }

// block returns where an instruction begins, with the comments right above it, and where
// it ends: indexes of lines.
func (l lines) block(in *Instruction) (from, to int) {
	from, to = in.Line-1, min(in.EndLine, len(l))
	for from > 0 && strings.HasPrefix(strings.TrimSpace(l[from-1]), "#") && !isDirective(l[:from]) {
		from--
	}
	return from, to
}

// isDirective reports whether the last of the first lines of a Dockerfile is a directive
// for the parser, such as # syntax=, which must stay on top.
func isDirective(top lines) bool {
	for _, line := range top {
		name, _, ok := strings.Cut(strings.ToLower(strings.Trim(line, "# \t\r\n")), "=")
		if !ok || !strings.HasPrefix(line, "#") || !slices.Contains([]string{"syntax", "escape", "check"}, strings.TrimSpace(name)) {
			return false
		}
	}
	return true
}

// ended returns lines that all end in a line break, as they must if more follow.
func ended(l lines) lines {
	l = slices.Clone(l)
	if n := len(l); n > 0 && !strings.HasSuffix(l[n-1], "\n") {
		l[n-1] += "\n"
	}
	return l
}

// above returns the text with a line right above an instruction, indented as it is.
func (l lines) above(in *Instruction, line string) lines {
	first := l[in.Line-1]
	indent := first[:len(first)-len(strings.TrimLeft(first, " \t"))]
	return slices.Insert(slices.Clone(l), in.Line-1, indent+line+"\n")
}

// list joins names as in "a, b and c", the first ones where they are many.
func list(names []string) string {
	const most = 4
	if n := len(names); n > most {
		names = append(slices.Clone(names[:most-1]), fmt.Sprintf("%d more", n-most+1))
	}
	if len(names) == 1 {
		return names[0]
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}
