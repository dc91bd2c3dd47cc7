package explain_test

import "os"

// edited, written, removed, given and asked are changes for the tables.

// edited replaces text in the Dockerfile.
func edited(old, text string) func(*project) {
	return func(p *project) { p.edit(old, text) }
}

// written writes a file of the context.
func written(name, text string) func(*project) {
	return func(p *project) { p.write(name, text) }
}

// removed removes a file of the context.
func removed(name string) func(*project) {
	return func(p *project) { p.must(os.Remove(p.path(name))) }
}

// moded sets a file's mode.
func moded(name string, mode os.FileMode) func(*project) {
	return func(p *project) { p.must(os.Chmod(p.path(name), mode)) }
}

// given sets a build argument.
func given(name, value string) func(*project) {
	return func(p *project) { p.arg(name, value) }
}

// asked sets another option of the frontend.
func asked(name, value string) func(*project) {
	return func(p *project) { p.attr(name, value) }
}

// all makes several changes.
func all(changes ...func(*project)) func(*project) {
	return func(p *project) {
		for _, change := range changes {
			change(p)
		}
	}
}

func copyFile(from, to string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, data, 0o644)
}
