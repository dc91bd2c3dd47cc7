package honesty

import (
	"fmt"
	"path"
	"strings"
)

// Script returns a shell script that does what a world does, with findings as comments
// behind their builds. It needs the variables IMAGE, a repository's name to push base
// images below, and WEB, the address of a server of the directory web.
func (w *World) Script(findings []Finding) string {
	s := &scriptWriter{state: w.Begin.Clone(), moved: &State{}, dirs: map[string]bool{}}
	fmt.Fprintf(&s.out, "# Seed %d. IMAGE is a repository to push to, WEB serves the directory web.\n", w.Seed)
	s.out.WriteString(imageFunction)
	for n, a := range w.Actions {
		a.Edit(s.state)
		switch a := a.(type) {
		case Build:
			s.edits()
			s.build(a)
		case Prune:
			s.prune(a)
		}
		for _, f := range findings {
			if f.Action == n {
				fmt.Fprintf(&s.out, "# => %s\n#    %s\n", f.Kind, strings.ReplaceAll(f.Text, "\n", " "))
			}
		}
	}
	return s.out.String()
}

const imageFunction = `image() { # NAME VERSION
	mkdir -p images && echo "$1 $2" >images/unique
	printf 'FROM busybox\nCOPY unique /etc/unique\n' | docker buildx build -q --push -t "$IMAGE/$1" -f - images
}
`

// scriptWriter prints what changed since the last build.
type scriptWriter struct {
	out    strings.Builder
	state  *State
	onDisk map[string]File
	dirs   map[string]bool // that are there
	moved  *State          // what images and pages have
}

// edits prints the changes of files, images and pages.
func (s *scriptWriter) edits() {
	want := s.state.disk("$IMAGE", "$WEB")
	for _, e := range diffFiles(s.onDisk, want) {
		if dir := path.Dir(e.Path); !s.dirs[dir] {
			fmt.Fprintf(&s.out, "mkdir -p %s\n", dir)
			s.dirs[dir] = true
		}
		switch {
		case e.Mode == 0:
			fmt.Fprintf(&s.out, "rm %s\n", e.Path)
			continue
		case !e.ModeOnly && strings.Contains(e.Content, "\n"):
			fmt.Fprintf(&s.out, "cat >%s <<END\n%sEND\n", e.Path, shellText.Replace(e.Content))
		case !e.ModeOnly:
			fmt.Fprintf(&s.out, "printf %s >%s\n", e.Content, e.Path)
		}
		if e.ModeOnly || e.Mode != 0o644 {
			fmt.Fprintf(&s.out, "chmod %o %s\n", e.Mode, e.Path)
		}
	}
	s.onDisk = want
	text := fmt.Sprint(want)
	for _, name := range sortedNames(s.state.Images) {
		if v := s.state.Images[name]; s.moved.Images[name] != v && strings.Contains(text, name) {
			fmt.Fprintf(&s.out, "image %s %d\n", name, v)
		}
	}
	for _, name := range sortedNames(s.state.Pages) {
		if v := s.state.Pages[name]; s.moved.Pages[name] != v && strings.Contains(text, "$WEB/"+name) {
			fmt.Fprintf(&s.out, "printf 'page %s version %d' >web/%s\n", name, v, name)
		}
	}
	s.moved = s.state.Clone()
}

func (s *scriptWriter) build(b Build) {
	p := s.state.Projects[b.Project]
	lib := libDir(p)
	if b.LibImage {
		lib = "docker-image://$IMAGE/base0"
	}
	for n, o := range []*Options{&b.Options, b.Also} {
		if o == nil {
			continue
		}
		flags := strings.Join(Build{Options: *o}.flags(s.state.Projects[o.Project].Dir), " ")
		fmt.Fprintf(&s.out, "docker buildx build %s --build-context=lib=%s %s", flags, lib, s.state.Projects[o.Project].Dir)
		switch {
		case n == 0 && b.Also != nil:
			s.out.WriteString(" & # at the same time:")
		case b.Cancel:
			s.out.WriteString(" # cancelled when it asks for the gate")
		case b.Client != ClientBuildx:
			fmt.Fprintf(&s.out, " # through %s", b.Client)
		}
		s.out.WriteByte('\n')
	}
}

func (s *scriptWriter) prune(p Prune) {
	kind := "regular"
	if p.Records {
		kind = "exec.cachemount"
	}
	fmt.Fprintf(&s.out, "docker buildx prune -af --filter type=%s # one of %d\n", kind, p.Every)
}

// shellText keeps the shell from expanding what stands in a Dockerfile.
var shellText = strings.NewReplacer("$A0", `\$A0`, "$E0", `\$E0`)
