package recorder_test

import (
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// The recorder and the builder must agree on what a selection's key is: the same
// selections, built after each of many changes, run again when the recorder says
// so, and only then.
//
// That the mode of a directory does not count is so because the builder updates a
// local context in place: it takes the modes of directories that are new.
func TestKeysAreTheBuilders(t *testing.T) {
	l := newLab(t, map[string]string{
		"a.txt": "a", "b.txt": "b", "src/main.go": "main", "src/sub/x.go": "x", "src/sub/deep/y.txt": "y", "other/x.go": "x",
	})
	l.link("link", "src/sub")
	l.link("filelink", "a.txt")
	l.link("src/inner", "main.go")
	l.link("dangling", "nowhere")
	selectors := []selector{
		{patterns: "."}, {patterns: "a.txt"}, {patterns: "src"}, {patterns: "src/sub/"}, {patterns: "link"}, {patterns: "filelink"},
		{patterns: "a.txt b.txt"}, {patterns: "src src/inner"}, {patterns: "src src/in*"}, {patterns: "link/deep"}, {patterns: "src/inner"},
		{patterns: "*.txt"}, {patterns: "s*/*.go"}, {patterns: "link/*.go"}, {patterns: "lin*"}, {patterns: "src/in*"}, {patterns: "src/*"},
		{patterns: "*.md"}, {patterns: "dang*"}, {patterns: "[!x]*"},
		{patterns: ".", exclude: "**/*.go dangling"}, {patterns: "src", exclude: "sub"}, {patterns: "src", exclude: "* !sub/x.go"},
		{patterns: "link", exclude: "x.go"}, {patterns: "src/*", exclude: "deep"}, {patterns: "a.txt", exclude: "*.txt"},
		{patterns: "./src/**/*.go"}, {patterns: "src/./sub/deep"}, {patterns: "./*.txt"}, {patterns: "src/./*", exclude: "sub"},
		{patterns: "src", bind: true}, {patterns: "link", bind: true}, {patterns: ".", bind: true},
	}
	changes := []struct {
		name string
		do   func()
	}{
		{"first build", func() {}},
		{"nothing", func() {}},
		{"content at the top", func() { l.write("a.txt", "A") }},
		{"content back", func() { l.write("a.txt", "a") }},
		{"content deep down", func() { l.write("src/sub/deep/y.txt", "Y") }},
		{"content of a program", func() { l.write("src/sub/x.go", "X") }},
		{"times", func() { l.must(os.Chtimes(l.file("src/main.go"), past, past)) }},
		{"mode of a file", func() { l.must(os.Chmod(l.file("src/main.go"), 0o755)) }},
		{"mode of a directory", func() { l.must(os.Chmod(l.file("src"), 0o700)) }},
		{"mode of an inner directory", func() { l.must(os.Chmod(l.file("src/sub"), 0o750)) }},
		{"mode of the root", func() { l.must(os.Chmod(l.dir, 0o700)) }},
		{"owner", func() { l.must(os.Lchown(l.file("src/main.go"), 7, 7)) }},
		{"attribute", func() { l.must(unix.Setxattr(l.file("src/sub/x.go"), "user.test", []byte("1"), 0)) }},
		{"added at the top", func() { l.write("c.txt", "c") }},
		{"added inside", func() { l.write("src/sub/new.go", "new") }},
		{"removed", func() { l.must(os.Remove(l.file("src/sub/new.go"))) }},
		{"link elsewhere with the same content", func() { l.write("same.txt", "a"); l.link("filelink", "same.txt") }},
		{"link elsewhere with other content", func() { l.link("link", "other") }},
		{"inner link elsewhere", func() { l.link("src/inner", "sub/x.go") }},
		{"dangling link elsewhere", func() { l.link("dangling", "anywhere") }},
		{"file to directory", func() { l.must(os.Remove(l.file("b.txt"))); l.must(os.Mkdir(l.file("b.txt"), 0o755)) }},
		{"another directory in its place", func() {
			l.must(os.Rename(l.file("src"), l.file("old")))
			l.must(os.Mkdir(l.file("src"), 0o711))
			l.must(os.Rename(l.file("old/sub"), l.file("src/sub")))
		}},
		{"gone", func() { l.must(os.RemoveAll(l.file("src/sub"))) }},
	}
	for _, c := range changes {
		c.do()
		for s, o := range l.build(selectors) {
			predicted, _, _ := strings.Cut(o.predicted, " ")
			want := map[string]string{"hit": "cached", "re-run": "ran"}[predicted]
			if c.name != "first build" && o.got != "failed" && o.got != want {
				t.Errorf("%s: %s: predicted %q, but it %s", c.name, s, o.predicted, o.got)
			}
			if testing.Verbose() {
				t.Logf("%s: %s: %s, %s", c.name, s, o.predicted, o.got)
			}
		}
	}
}
