package recorder

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/cachewright/cachewright/cachepolicy/cacheplan"
)

// context for TestSelection: every kind of file that a pattern can meet.
var selectionFiles = map[string]string{
	"a.txt":                 "a",
	"b.txt":                 "b",
	"a dir/c.txt":           "c",
	"src/main.go":           "main",
	"src/sub/x.go":          "x",
	"src/sub/deep/y.txt":    "y",
	"src/empty/":            "",
	"src/inner -> main.go":  "",
	"src.txt":               "beside src",
	"link -> src/sub":       "",
	"filelink -> a.txt":     "",
	"abs -> /src/sub/x.go":  "",
	"up -> ../../../a.txt":  "",
	"chain -> link":         "",
	"loop -> loop":          "",
	"dangling -> nowhere":   "",
	"lost -> gone/../a.txt": "",
	"self -> .":             "",
}

func TestSelection(t *testing.T) {
	b := newBox(t)
	b.write(selectionFiles)
	sub := "src/sub/ src/sub/deep/ src/sub/deep/y.txt src/sub/x.go"
	src := "src/ src/empty/ src/inner@ src/main.go " + sub
	tests := []struct {
		patterns, exclude []string
		want              string
	}{
		{patterns: []string{"a.txt"}, want: "a.txt"},
		{patterns: []string{"./a.txt", "/a.txt", "src/../a.txt", "../a.txt"}, want: "a.txt"},
		{patterns: []string{"src/sub"}, want: sub},
		{patterns: []string{"src/sub/"}, want: sub},
		{patterns: []string{"src", "src/sub"}, want: src},
		{patterns: []string{"src/empty"}, want: "src/empty/"},
		{patterns: []string{"missing"}},
		{patterns: []string{"a.txt/below"}},
		{patterns: []string{"[a"}},
		{patterns: []string{"dangling"}},
		{patterns: []string{"loop"}},
		{patterns: []string{"lost"}, want: "lost"},
		// Links that a pattern leads to are followed, others are not.
		{patterns: []string{"filelink"}, want: "filelink"},
		{patterns: []string{"abs"}, want: "abs"},
		{patterns: []string{"up"}, want: "up"},
		{patterns: []string{"chain"}, want: "chain/ chain/deep/ chain/deep/y.txt chain/x.go"},
		{patterns: []string{"link/x.go"}, want: "link/x.go"},
		{patterns: []string{"chain/deep"}, want: "chain/deep/ chain/deep/y.txt"},
		{patterns: []string{"src/inner"}, want: "src/inner"},
		{patterns: []string{"src", "src/inner"}, want: src},
		{patterns: []string{"self/a.txt"}, want: "self/…"},
		// Wildcards match one component each.
		{patterns: []string{"*.txt"}, want: "a.txt b.txt src.txt"},
		{patterns: []string{"?.txt"}, want: "a.txt b.txt"},
		{patterns: []string{"[ab].txt"}, want: "a.txt b.txt"},
		{patterns: []string{"*.md"}},
		{patterns: []string{"s*/*.go"}, want: "src/main.go"},
		{patterns: []string{"s*/s*"}, want: sub},
		{patterns: []string{"link/*.go"}, want: "link/x.go"},
		{patterns: []string{"lin*/x.go"}},
		{patterns: []string{"filel*"}, want: "filelink"},
		{patterns: []string{"lin*"}, want: "link/ link/deep/ link/deep/y.txt link/x.go"},
		{patterns: []string{"dang*"}, want: "dangling@"},
		{patterns: []string{"src/in*"}, want: "src/inner"},
		{patterns: []string{"a.txt", "?.txt"}, want: "a.txt b.txt"},
		// What is excluded; links at the top are followed, and then nothing is.
		{patterns: []string{"src"}, exclude: []string{"**/*.go", "sub/deep"}, want: "src/ src/empty/ src/inner@ src/sub/"},
		{patterns: []string{"src"}, exclude: []string{"*", "!sub/x.go"}, want: "src/ src/sub/ src/sub/x.go"},
		{patterns: []string{"src"}, exclude: []string{"sub", "!sub/x.go"}, want: "src/ src/empty/ src/inner@ src/main.go src/sub/ src/sub/x.go"},
		{patterns: []string{"a.txt"}, exclude: []string{"*.txt"}, want: "a.txt"},
		{patterns: []string{"link"}, exclude: []string{"x.go"}, want: "link/ link/deep/ link/deep/y.txt link/x.go"},
		{patterns: []string{"link/deep"}, exclude: []string{"z"}, want: "link/deep/ link/deep/y.txt"},
		{patterns: []string{"s*"}, exclude: []string{"sub", "empty", "inner"}, want: "self/… src/ src.txt src/main.go"},
		{patterns: []string{"src/*"}, exclude: []string{"*.go", "deep"}, want: "src/empty/ src/inner src/main.go src/sub/"},
		// COPY --parents.
		{patterns: []string{"src/./sub/*.go"}, want: "src/ src/sub/ src/sub/x.go"},
		{patterns: []string{"./src/**/*.txt"}, want: "src/ src/sub/ src/sub/deep/ src/sub/deep/y.txt"},
		{patterns: []string{"./src/sub"}, want: "src/ " + sub},
		{patterns: []string{"./nothing"}},
		{patterns: []string{"./src/sub"}, exclude: []string{"**/*.go"}, want: "src/ src/sub/ src/sub/deep/ src/sub/deep/y.txt"},
	}
	for _, test := range tests {
		name := strings.Join(test.patterns, " ") + " - " + strings.Join(test.exclude, " ")
		tree, err := openTree(b.context())
		b.must(err)
		files, err := selectFiles(tree, &cacheplan.FileSet{Patterns: test.patterns, Exclude: test.exclude})
		b.must(err)
		if got := names(files); got != test.want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, test.want)
		}
	}
}

// names lists files by path: directories end in a slash, links in an @. What is
// below self/ is a copy of everything and cut short.
func names(files []selected) string {
	var out []string
	kinds := map[string]string{}
	for _, f := range files {
		switch {
		case f.node.isDir():
			kinds[f.path] = "/"
		case f.node.isLink():
			kinds[f.path] = "@"
		default:
			kinds[f.path] = ""
		}
	}
	for _, f := range listFiles(files) {
		name := f.Path + kinds[f.Path]
		if strings.HasPrefix(name, "self/") {
			name = "self/…"
		}
		if len(out) == 0 || out[len(out)-1] != name {
			out = append(out, name)
		}
	}
	return strings.Join(out, " ")
}

// A link that one pattern follows and another does not counts both ways.
func TestSelectLinkTwice(t *testing.T) {
	changes := map[string]func(dir string) error{
		"target's content": func(dir string) error { return os.WriteFile(dir+"/src/main.go", []byte("MAIN"), 0o644) },
		"target": func(dir string) error {
			return errors.Join(os.WriteFile(dir+"/src/same", []byte("main"), 0o644), os.Remove(dir+"/src/inner"), os.Symlink("same", dir+"/src/inner"))
		},
	}
	for name, change := range changes {
		b := newBox(t)
		b.write(selectionFiles)
		inner := func() cacheplan.File {
			tree, err := openTree(b.context())
			b.must(err)
			files, err := selectFiles(tree, &cacheplan.FileSet{Patterns: []string{"src", "src/in*"}})
			b.must(err)
			b.must(tree.digestFiles(files, decodeIndex(nil, time.Now())))
			list := listFiles(files)
			if list[2].Path != "src/inner" || list[3].Path == "src/inner" {
				t.Fatalf("files %v", list)
			}
			return list[2]
		}
		before := inner()
		b.must(change(b.context()))
		if inner() == before {
			t.Errorf("%s: the change is not seen", name)
		}
	}
}

// Everything is everything but the root itself.
func TestSelectRoot(t *testing.T) {
	b := newBox(t)
	b.write(selectionFiles)
	for _, p := range []string{".", "/", "", "src/.."} {
		tree, err := openTree(b.context())
		b.must(err)
		files, err := selectFiles(tree, &cacheplan.FileSet{Patterns: []string{p}})
		b.must(err)
		want := 0
		b.must(filepath.WalkDir(b.context(), func(string, os.DirEntry, error) error { want++; return nil }))
		if len(files) != want-1 {
			t.Errorf("%q: %d files, want %d", p, len(files), want-1)
		}
	}
}

func TestBadFilter(t *testing.T) {
	b := newBox(t)
	tree, err := openTree(b.context())
	b.must(err)
	for _, set := range []cacheplan.FileSet{
		{Patterns: []string{"."}, Exclude: []string{"[a"}},
		{Patterns: []string{"./[a"}},
	} {
		if _, err := selectFiles(tree, &set); err == nil {
			t.Errorf("%q - %q is taken for a filter", set.Patterns, set.Exclude)
		}
	}
}

// What changes a selection's key, and what does not.
func TestWhatCounts(t *testing.T) {
	tests := []struct {
		name   string
		change func(dir string) error
		want   string
	}{
		{"content", func(dir string) error { return os.WriteFile(dir+"/src/main.go", []byte("MAIN"), 0o644) }, "src/main.go changed"},
		{"mode", func(dir string) error { return os.Chmod(dir+"/src/main.go", 0o755) }, "src/main.go mode 644 → 755"},
		{"mode of a directory", func(dir string) error { return os.Chmod(dir+"/src/sub", 0o700) }, ""},
		{"mode of the selected directory", func(dir string) error { return os.Chmod(dir+"/src", 0o700) }, ""},
		{"mode of the root", func(dir string) error { return os.Chmod(dir, 0o700) }, ""},
		{"owner", func(dir string) error { return os.Lchown(dir+"/src/main.go", 1, 0) }, "src/main.go changed"},
		{"group of a directory", func(dir string) error { return os.Lchown(dir+"/src/sub", 0, 1) }, ""},
		{"another directory", func(dir string) error { return replaceDir(dir+"/src/empty", 0o700) }, "src/empty/ mode 755 → 700"},
		{"link target", func(dir string) error { os.Remove(dir + "/src/inner"); return os.Symlink("sub/x.go", dir+"/src/inner") }, "src/inner changed"},
		{"link target's content", func(dir string) error { return os.WriteFile(dir+"/a.txt", []byte("A"), 0o644) }, "up changed"},
		{"link to the same", func(dir string) error { os.Remove(dir + "/up"); return os.Symlink("a.txt", dir+"/up") }, ""},
		{"attribute", func(dir string) error { return unix.Setxattr(dir+"/src/main.go", "user.a", []byte("1"), 0) }, "src/main.go changed"},
		{"attribute of a directory", func(dir string) error { return unix.Setxattr(dir+"/src/sub", "user.a", []byte("1"), 0) }, ""},
		{"label", func(dir string) error { return unix.Setxattr(dir+"/src/main.go", "security.label", []byte("1"), 0) }, ""},
		{"capabilities", func(dir string) error { return unix.Setxattr(dir+"/src/main.go", "security.capability", capability, 0) }, "src/main.go changed"},
		{"times", func(dir string) error { return os.Chtimes(dir+"/src/main.go", past, past) }, ""},
		{"rewritten", func(dir string) error { return os.WriteFile(dir+"/src/main.go", []byte("main"), 0o644) }, ""},
		{"added", func(dir string) error { return os.WriteFile(dir+"/src/new", nil, 0o644) }, "src/new added"},
		{"removed", func(dir string) error { return os.Remove(dir + "/src/main.go") }, "src/main.go removed"},
		{"kind", func(dir string) error { os.Remove(dir + "/src/main.go"); return os.Mkdir(dir+"/src/main.go", 0o644) }, "src/main.go/ changed"},
		{"fifo", func(dir string) error { return unix.Mkfifo(dir+"/src/pipe", 0o644) }, "src/pipe added"},
		{"device", func(dir string) error { return unix.Mknod(dir+"/src/device", unix.S_IFCHR|0o644, 0x103) }, "src/device added"},
		{"not selected", func(dir string) error { return os.WriteFile(dir+"/b.txt", []byte("B"), 0o644) }, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			b := newBox(t)
			b.write(selectionFiles)
			b.good(b.run(ModeRecord, copyPlan("src", "up")))
			b.must(test.change(b.context()))
			want := "hit"
			if test.want != "" {
				want = "re-run " + test.want
			}
			if got := state(b.good(b.run(ModePredict, copyPlan("src", "up")))); got != want {
				t.Errorf("%s, want %s", got, want)
			}
		})
	}
}

// replaceDir puts a new directory in the place of an empty one.
func replaceDir(dir string, mode os.FileMode) error {
	return errors.Join(os.Mkdir(dir+"-new", mode), unix.Renameat2(unix.AT_FDCWD, dir+"-new", unix.AT_FDCWD, dir, unix.RENAME_EXCHANGE), os.Remove(dir+"-new"))
}
