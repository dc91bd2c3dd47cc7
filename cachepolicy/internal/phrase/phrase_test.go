package phrase_test

import (
	"testing"

	"github.com/cachewright/cachewright/cachepolicy/internal/phrase"
)

// names are names of all kinds, as one word and as part of a line.
var names = []struct{ name, word, line string }{
	{"src/server.js", "src/server.js", "src/server.js"},
	{"src/dir/", "src/dir/", "src/dir/"},
	{"größe-日本.txt", "größe-日本.txt", "größe-日本.txt"},
	{"https://example.org/a?b=c&d#e", "https://example.org/a?b=c&d#e", "https://example.org/a?b=c&d#e"},
	{"", `""`, ""},
	{"my file", `"my file"`, "my file"},
	{"x, removed, base moved", `"x, removed, base moved"`, "x, removed, base moved"},
	{"a,b", `"a,b"`, "a,b"},
	{`say "x"`, `"say \"x\""`, `say "x"`},
	{"it's", `"it's"`, "it's"},
	{"a→b", `"a→b"`, "a→b"},
	{"a·b", `"a·b"`, "a·b"},
	{"line\nbreak", `"line\nbreak"`, `line\nbreak`},
	{"\x1b[31mred", `"\x1b[31mred"`, `\x1b[31mred`},
	{"right\u202eleft", `"right\u202eleft"`, `right\u202eleft`},
	{"bad\xff", `"bad\xff"`, `bad\xff`},
	{"bad\xfe", `"bad\xfe"`, `bad\xfe`},
}

// TestNames writes names of all kinds: no two look the same, and JSON changes none.
func TestNames(t *testing.T) {
	words, lines := map[string]string{}, map[string]string{}
	for _, c := range names {
		if got := phrase.Name(c.name); got != c.word {
			t.Errorf("Name(%q): %s, want %s", c.name, got, c.word)
		}
		if got := phrase.Name(phrase.ValidName(c.name)); got != c.word {
			t.Errorf("Name(ValidName(%q)): %s, want %s", c.name, got, c.word)
		}
		if got := phrase.OneLine(c.name); got != c.line {
			t.Errorf("OneLine(%q): %s, want %s", c.name, got, c.line)
		}
		if other, ok := words[c.word]; ok {
			t.Errorf("%q and %q look the same: %s", other, c.name, c.word)
		}
		if other, ok := lines[c.line]; ok {
			t.Errorf("%q and %q look the same: %s", other, c.name, c.line)
		}
		words[c.word], lines[c.line] = c.name, c.name
	}
}
