package cachepolicy

import (
	"bytes"

	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/moby/buildkit/frontend/dockerfile/parser"

	"github.com/cachewright/cachewright/cachepolicy/internal/golden"
)

func TestAttachDirectives(t *testing.T) {
	golden.Run(t, "directives", func(t *testing.T, files map[string]string) string {
		return attach(t, files["Dockerfile"])
	})
}

// attach returns the rules of a Dockerfile as text, one line each, or the error.
func attach(t *testing.T, dockerfile string) string {
	t.Helper()
	instructions, err := instructionsOf([]byte(dockerfile))
	if err != nil {
		t.Fatal(err)
	}
	d, err := AttachDirectives([]byte(dockerfile), instructions)
	if err != nil {
		return "error: " + err.Error() + "\n"
	}
	var b strings.Builder
	for _, line := range slices.Sorted(maps.Keys(d.Rules)) {
		fmt.Fprintf(&b, "line %d: %s", line, d.Rules[line])
		for _, s := range d.Rules[line].Settings() {
			fmt.Fprintf(&b, " [%s: %s]", s.Option, s.Origin)
		}
		b.WriteString("\n")
	}
	for _, n := range d.NearMisses {
		fmt.Fprintf(&b, "near miss on line %d: %s -> %s\n", n.Line, n.Text, n.Suggestion)
	}
	return b.String()
}

func TestAttachDirectivesBytes(t *testing.T) {
	const want = "line 3: ttl=24h [ttl: rule, line 2]\n"
	for name, dockerfile := range map[string]string{
		"crlf":                    "FROM a\r\n# cache=ttl=24h\r\nRUN b\r\n",
		"no final newline":        "FROM a\n# cache=ttl=24h\nRUN b",
		"blanks":                  "FROM a\n#  \t cache=ttl=24h \t \nRUN b\n",
		"no blank":                "FROM a\n#cache=ttl=24h\nRUN b\n",
		"indented":                "FROM a\n\t # cache=ttl=24h\n  RUN b\n",
		"crlf continued":          "FROM a\r\n# cache=ttl=24h\r\nRUN b \\\r\n  c\r\n",
		"comment ends in escape":  "FROM a\n# cache=ttl=24h\nRUN b\n# c \\\nRUN d\n",
		"percent-encoded options": "FROM a\n# cache=ttl=%324h\nRUN b\n",
	} {
		t.Run(name, func(t *testing.T) {
			if got := attach(t, dockerfile); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
	bom := "\xef\xbb\xbf# cache=export=no\nFROM a\n"
	if got, want := attach(t, bom), "line 2: export=no [export: rule, line 1]\n"; got != want {
		t.Errorf("byte order mark: got %q, want %q", got, want)
	}
	backtick := "# escape=`\nFROM a\n# cache=off\nRUN b `\n c\\\n# cache=off\nRUN d\n"
	if got, want := attach(t, backtick), "line 4: off [off: rule, line 3]\nline 7: off [off: rule, line 6]\n"; got != want {
		t.Errorf("escape: got %q, want %q", got, want)
	}
}

func TestNearDirective(t *testing.T) {
	for comment, want := range map[string]string{
		"# cache: ttl=24h":           "# cache=ttl=24h",
		"# cache = ttl=24h":          "# cache=ttl=24h",
		"#cache ttl=24h;export=no":   "# cache=ttl=24h;export=no",
		"# Cache=off":                "# cache=off",
		"# CACHE: off":               "# cache=off",
		"# cach=off":                 "# cache=off",
		"# caches=args=none":         "# cache=args=none",
		"# cache off":                "",
		"# cache: the apt lists":     "",
		"# each: off":                "",
		"# cached: nothing here":     "",
		"# check=skip=JSONArgs":      "",
		"# cache":                    "",
		"#":                          "",
		"# the cache=off rule of X":  "",
		"# cache mounts are off":     "",
		"# cash: ttl=1 for the cash": "",
	} {
		if got := nearDirective(comment); got != want {
			t.Errorf("nearDirective(%q) = %q, want %q", comment, got, want)
		}
	}
}

func FuzzAttachDirectives(f *testing.F) {
	f.Add([]byte("FROM a\n# cache=ttl=24h\nRUN b\n"))
	f.Add([]byte("FROM a\n# cache=off\nRUN b \\\n# cache=off\n c\n"))
	f.Add([]byte("FROM a\nRUN <<E\n# cache=off\nE\n# cache=key=text:a%2Cb,arg:X;args=A,B\nRUN b\n"))
	f.Add([]byte("\xef\xbb\xbf# escape=`\r\n# cache=export=no\r\nFROM a\r\n"))
	f.Fuzz(func(t *testing.T, dockerfile []byte) {
		instructions, err := instructionsOf(dockerfile)
		if err != nil {
			return
		}
		d, err := AttachDirectives(dockerfile, instructions)
		if err != nil {
			if e, ok := err.(*Error); !ok || e.Line < 1 || e.Line > strings.Count(string(dockerfile), "\n")+1 {
				t.Fatalf("error without its line: %v", err)
			}
			return
		}
		if got, want := countSettings(d), countOptions(dockerfile, instructions); got != want {
			t.Fatalf("%d options were written and %d counted", want, got)
		}
	})
}

func countSettings(d Directives) int {
	n := 0
	for _, r := range d.Rules {
		n += len(r.settings)
	}
	return n
}

// countOptions counts the options of all directives outside heredocs, by a way
// of its own: no rule may get lost.
func countOptions(dockerfile []byte, instructions []Instruction) int {
	heredoc := map[int]bool{}
	for _, in := range instructions {
		for l := in.EndLine - in.HeredocLines + 1; l <= in.EndLine; l++ {
			heredoc[l] = true
		}
		heredoc[in.Line] = true // not a comment, whatever it looks like
	}
	n := 0
	for i, line := range strings.Split(strings.TrimPrefix(string(dockerfile), "\xef\xbb\xbf"), "\n") {
		if text, ok := directiveText(strings.TrimSpace(line)); ok && !heredoc[i+1] {
			n += strings.Count(text, ";") + 1
		}
	}
	return n
}

func BenchmarkAttachDirectives(b *testing.B) {
	text := "FROM a\n" + strings.Repeat("# cache=ttl=24h;key=text:a\nRUN b\n", 10_000)
	instructions, err := instructionsOf([]byte(text))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := AttachDirectives([]byte(text), instructions); err != nil {
			b.Fatal(err)
		}
	}
}

// instructionsOf parses a Dockerfile the way the converter does.
func instructionsOf(dockerfile []byte) ([]Instruction, error) {
	parsed, err := parser.Parse(bytes.NewReader(dockerfile))
	if err != nil {
		return nil, err
	}
	var out []Instruction
	for _, n := range parsed.AST.Children {
		var bodies []string
		for _, h := range n.Heredocs {
			bodies = append(bodies, h.Content)
		}
		out = append(out, Instruction{
			Keyword: strings.ToUpper(n.Value), Line: n.StartLine, EndLine: n.EndLine, HeredocLines: HeredocLines(bodies...),
		})
	}
	return out, nil
}
