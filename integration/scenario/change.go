package scenario

import (
	"os"
)

// Change is one change of a project, between two builds.
type Change func(*Project)

// Edited replaces text in the Dockerfile, where it must occur.
func Edited(old, text string) Change {
	return func(p *Project) { p.Edit(old, text) }
}

// Written writes a file of the context.
func Written(name, text string) Change {
	return func(p *Project) { p.Write(name, text) }
}

// Removed removes a file or a directory of the context, which must be there.
func Removed(name string) Change {
	return func(p *Project) {
		_, err := os.Lstat(p.Path(name))
		p.Must(err)
		p.Must(os.RemoveAll(p.Path(name)))
	}
}

// Moded sets a file's permission bits.
func Moded(name string, mode os.FileMode) Change {
	return func(p *Project) { p.Must(os.Chmod(p.Path(name), mode)) }
}

// Linked makes a symbolic link in the context.
func Linked(name, target string) Change {
	return func(p *Project) { p.Must(os.Symlink(target, p.Path(name))) }
}

// Given sets a build argument.
func Given(name, value string) Change {
	return func(p *Project) { p.Arg(name, value) }
}

// Asked sets another option of the frontend.
func Asked(name, value string) Change {
	return func(p *Project) { p.Attr(name, value) }
}

// All makes several changes.
func All(changes ...Change) Change {
	return func(p *Project) {
		for _, change := range changes {
			change(p)
		}
	}
}

// Between makes several changes and builds after each but the last.
func Between(changes ...Change) Change {
	return func(p *Project) {
		for i, change := range changes {
			if i > 0 {
				p.Solve()
			}
			change(p)
		}
	}
}
