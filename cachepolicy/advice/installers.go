package advice

import (
	"path"
	"slices"
	"strings"
)

// installer is a command that reads no other files of the project than those that are
// named here or in the command itself.
type installer struct {
	program string
	words   []string // one of these is its first argument; none: any
	needs   []string // one of these options must be there; none: not
	reads   []string // names or wildcards, those that are there
	// alone: it reads the same files of directories below as well, as the workspaces of a
	// package manager, so nothing is known where there are some.
	alone bool
}

var node = []string{"package.json", ".npmrc"}

// installers are what is known of package managers, by their documentation.
var installers = []installer{
	{program: "npm", words: []string{"ci", "install", "i"}, reads: append([]string{"package-lock.json", "npm-shrinkwrap.json"}, node...), alone: true},
	{program: "npm", words: []string{"cache", "config", "set"}},
	{program: "yarn", words: []string{"", "install"}, reads: append([]string{"yarn.lock", ".yarnrc", ".yarnrc.yml"}, node...), alone: true},
	{program: "pnpm", words: []string{"install", "i", "fetch"}, reads: append([]string{"pnpm-lock.yaml", "pnpm-workspace.yaml"}, node...), alone: true},
	{program: "bun", words: []string{"install", "i"}, reads: append([]string{"bun.lock", "bun.lockb", "bunfig.toml"}, node...), alone: true},
	{program: "corepack"},
	{program: "pip", words: []string{"install"}, reads: []string{"*requirements*.txt", "*constraints*.txt"}},
	{program: "pip3", words: []string{"install"}, reads: []string{"*requirements*.txt", "*constraints*.txt"}},
	{program: "uv", words: []string{"sync"}, needs: []string{"--no-install-project"}, reads: []string{"pyproject.toml", "uv.lock", ".python-version"}, alone: true},
	{program: "poetry", words: []string{"install"}, needs: []string{"--no-root"}, reads: []string{"pyproject.toml", "poetry.lock"}},
	{program: "pipenv", words: []string{"install", "sync"}, reads: []string{"Pipfile", "Pipfile.lock"}},
	{program: "bundle", words: []string{"install", "config"}, reads: []string{"Gemfile", "Gemfile.lock", ".ruby-version"}},
	{program: "composer", words: []string{"install"}, needs: []string{"--no-autoloader"}, reads: []string{"composer.json", "composer.lock"}},
	{program: "go", words: []string{"mod"}, reads: []string{"go.mod", "go.sum", "go.work", "go.work.sum"}, alone: true},
	{program: "apt-get"}, {program: "apt"}, {program: "apk"}, {program: "dnf"}, {program: "microdnf"}, {program: "yum"}, {program: "zypper"},
	{program: "adduser"}, {program: "addgroup"}, {program: "useradd"}, {program: "groupadd"},
	{program: "mkdir"}, {program: "echo"}, {program: "set"}, {program: "true"},
}

// program returns what is known of a command of some words, or nil.
func program(words []string) *installer {
	first := ""
	for _, w := range words[1:] {
		if !strings.HasPrefix(w, "-") {
			first = w
			break
		}
	}
	for i, in := range installers {
		named := len(in.words) == 0 || slices.Contains(in.words, first)
		given := len(in.needs) == 0 || slices.ContainsFunc(in.needs, func(o string) bool { return slices.Contains(words, o) })
		if path.Base(words[0]) == in.program && named && given {
			return &installers[i]
		}
	}
	return nil
}

// reads returns which of the files in the directory where a command runs it reads. It
// reports false where that is not known.
func reads(command string, files []string) (names []string, known bool) {
	if strings.ContainsAny(command, "`$<>*?[(){}'\"\\") {
		return nil, false // a shell would have to be asked
	}
	take := func(name string) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	separators := strings.NewReplacer("&&", "\n", "||", "\n", ";", "\n", "|", "\n", "&", "\n")
	for part := range strings.SplitSeq(separators.Replace(command), "\n") {
		words := strings.Fields(part)
		if len(words) == 0 {
			continue
		}
		in := program(words)
		if in == nil || in.alone && hasNested(in, files) {
			return nil, false
		}
		for _, f := range files {
			if slices.ContainsFunc(in.reads, func(p string) bool { ok, err := path.Match(p, f); return err == nil && ok }) {
				take(f)
			}
		}
		for _, w := range words[1:] {
			_, value, _ := strings.Cut(w, "=")
			for _, word := range []string{w, value} {
				word = strings.TrimPrefix(word, "./")
				switch {
				case word == "." || word == "..":
					return nil, false // the project itself
				case slices.Contains(files, word):
					take(word)
				case word != "" && slices.ContainsFunc(files, func(f string) bool { return strings.HasPrefix(f, word+"/") }):
					return nil, false // a directory of it
				}
			}
		}
	}
	slices.Sort(names)
	return names, true
}

// hasNested reports whether directories below have files of those that it reads.
func hasNested(in *installer, files []string) bool {
	return slices.ContainsFunc(files, func(f string) bool {
		return strings.Contains(f, "/") && slices.Contains(in.reads, path.Base(f))
	})
}

// installed are directories that package managers fill.
var installed = []string{"node_modules", "vendor", ".venv", "venv", ".yarn", ".bundle"}
