package rules_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/cachewright/cachewright/integration/scenario"
)

// modesForms copies local files in the ways that COPY and ADD have, each in a stage
// of its own, but for --link, which does not depend on the stage. What the last stage copies does not depend on them.
const modesForms = `FROM $BASE AS tree
# cache=modes=ignore
COPY src /tree
RUN echo after tree

FROM $BASE AS wildcard
# cache=modes=ignore
COPY --chmod=g+w --chown=1:2 src/r* src/link /wildcard/
RUN echo after wildcard

FROM $BASE AS parents
# cache=modes=ignore
COPY --parents --exclude=**/excluded src/d* /parents/
RUN echo after parents

FROM $BASE AS add
# cache=modes=ignore
ADD src/run <<END /add/
text
END
RUN echo after add

FROM $BASE
COPY --from=tree /etc/unique /tree
COPY --from=wildcard /etc/unique /wildcard
COPY --from=parents /etc/unique /parents
COPY --from=add /etc/unique /add
`

var (
	modesFiles = map[string]string{
		"src/file": "file", "src/run": "#!/bin/sh", "src/dir/inner": "inner", "src/dir/excluded": "excluded", "other": "other",
	}
	modesLinks = map[string]string{"src/link": "dir/inner"}

	modesTree     = []string{"COPY src /tree", "RUN echo after tree"}
	modesWildcard = []string{"COPY --chmod=g+w --chown=1:2 src/r* src/link /wildcard/", "RUN echo after wildcard"}
	modesParents  = []string{"COPY --parents --exclude=**/excluded src/d* /parents/", "RUN echo after parents"}
	modesAdd      = []string{"ADD src/run <<END /add/", "RUN echo after add"}
)

// modesIgnored shows modes=ignore: the modes of files do not count but for whether
// they can be executed, and all else does.
func modesIgnored() []rebuild {
	all := slices.Concat(modesTree, modesWildcard, modesParents, modesAdd)
	return []rebuild{
		{Name: "modes", Dockerfile: modesForms, Files: modesFiles, Links: modesLinks, Want: expected{more: []change{
			{"a strict umask", func(p *project) { mask(p, 0o077) }, nil},
			{"executable by others alone", func(p *project) { p.Must(os.Chmod(p.Path("src/run"), 0o645)) }, nil},
			{"all bits", func(p *project) { p.Must(os.Chmod(p.Path("src/dir"), 0o777|fs.ModeSetgid|fs.ModeSticky)) }, nil},
			{"setuid", func(p *project) { p.Must(os.Chmod(p.Path("src/run"), 0o711|fs.ModeSetuid)) }, nil},
			{"not executable", func(p *project) { p.Must(os.Chmod(p.Path("src/run"), 0o644)) }, slices.Concat(modesTree, modesWildcard, modesAdd)},
			{"executable", func(p *project) { p.Must(os.Chmod(p.Path("src/file"), 0o700)) }, modesTree},
		}}},
		{Name: "content", Dockerfile: modesForms, Files: modesFiles, Links: modesLinks, Want: expected{more: []change{
			{"a file that is not selected", scenario.Written("other", "changed"), nil},
			{"content", scenario.Written("src/run", "#!/bin/ls"), slices.Concat(modesTree, modesWildcard, modesAdd)},
			{"content in a directory", scenario.Written("src/dir/inner", "INNER"), slices.Concat(modesTree, modesParents, modesWildcard)},
			{"excluded file", scenario.Written("src/dir/excluded", "EXCLUDED"), modesTree},
			{"added", scenario.Written("src/runs", ""), slices.Concat(modesTree, modesWildcard)},
			{"added empty directory", func(p *project) { p.Must(os.Mkdir(p.Path("src/dir/empty"), 0o755)) }, slices.Concat(modesTree, modesParents)},
			{"renamed", func(p *project) { p.Must(os.Rename(p.Path("src/file"), p.Path("src/elif"))) }, modesTree},
			{"removed", func(p *project) { p.Must(os.Remove(p.Path("src/elif"))) }, modesTree},
			{"target of a link", func(p *project) {
				p.Must(os.Remove(p.Path("src/link")))
				p.Must(os.Symlink("dir/excluded", p.Path("src/link")))
			}, slices.Concat(modesTree, modesWildcard)},
		}}},
		{Name: "without the rule", Dockerfile: modesForms, Files: modesFiles, Links: modesLinks, Want: expected{more: []change{
			{"the same files", scenario.Given("CACHEWRIGHT_RULES", "off"), nil},
			{"a strict umask", func(p *project) { mask(p, 0o077) }, all},
		}}},
	}
}

// mask takes permission bits from everything in the context.
func mask(p *project, bits fs.FileMode) {
	p.T.Helper()
	p.Must(filepath.WalkDir(p.Context, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.Type()&fs.ModeSymlink != 0 {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		return os.Chmod(path, info.Mode().Perm()&^bits)
	}))
}
