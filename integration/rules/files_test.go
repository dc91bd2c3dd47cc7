package rules_test

import (
	"os"
	"time"

	"github.com/cachewright/cachewright/integration/scenario"
)

// threeForms selects the same files in three ways. The last stage has nothing
// that depends on them.
const threeForms = `FROM $BASE AS copy
COPY src /dst
RUN echo after COPY

FROM $BASE AS add
ADD src /dst
RUN echo after ADD

FROM $BASE AS bind
RUN --mount=type=bind,source=src,target=/dst ls -lR /dst
RUN echo after bind

FROM $BASE
COPY --from=copy /etc/unique /copy
COPY --from=add /etc/unique /add
COPY --from=bind /etc/unique /bind
`

// content is R3: COPY, ADD and bind mounts are keyed by the content and the
// metadata of what they select, but not by its times. The mode of a directory is
// not here: the daemon does not notice its change when it has a copy of the
// context from before.
func content() []rebuild {
	changes := []struct {
		name   string
		change func(*project)
		hits   bool
	}{
		{"unchanged", func(*project) {}, true},
		{"times", func(p *project) {
			for _, name := range []string{"src/file", "src/dir", "src"} {
				later := time.Now().Add(time.Hour)
				p.Must(os.Chtimes(p.Path(name), later, later))
			}
		}, true},
		{"written anew with the same content", func(p *project) {
			p.Must(os.Remove(p.Path("src/file")))
			p.Write("src/file", "content")
		}, true},
		{"a file that is not selected", scenario.Written("other", "changed"), true},
		{"an ignored file", scenario.Written("src/ignored", "changed"), true},
		{"content", scenario.Written("src/file", "CONTENT"), false},
		{"size", scenario.Written("src/file", "content\n"), false},
		{"mode", func(p *project) { p.Must(os.Chmod(p.Path("src/file"), 0o600)) }, false},
		{"name", func(p *project) { p.Must(os.Rename(p.Path("src/file"), p.Path("src/elif"))) }, false},
		{"place", func(p *project) { p.Must(os.Rename(p.Path("src/file"), p.Path("src/dir/file"))) }, false},
		{"added", scenario.Written("src/added", ""), false},
		{"added empty directory", func(p *project) { p.Must(os.Mkdir(p.Path("src/empty"), 0o755)) }, false},
		{"removed", func(p *project) { p.Must(os.Remove(p.Path("src/file"))) }, false},
		{"type", func(p *project) {
			p.Must(os.Remove(p.Path("src/file")))
			p.Must(os.Symlink("dir/inner", p.Path("src/file")))
		}, false},
		{"target of a link", func(p *project) {
			p.Must(os.Remove(p.Path("src/link")))
			p.Must(os.Symlink("dir", p.Path("src/link")))
		}, false},
	}
	var cases []rebuild
	for _, c := range changes {
		r := rebuild{
			Name:       c.name,
			Dockerfile: threeForms,
			Files: map[string]string{
				"src/file": "content", "src/dir/inner": "inner", "src/ignored": "ignored",
				"other": "other", ".dockerignore": "src/ignored\n",
			},
			Links:  map[string]string{"src/link": "dir/inner"},
			Change: c.change,
		}
		if !c.hits {
			r.Want.ran = []string{
				"COPY src /dst", "RUN echo after COPY", "ADD src /dst", "RUN echo after ADD",
				"RUN --mount=type=bind,source=src,target=/dst ls -lR /dst", "RUN echo after bind",
			}
		}
		cases = append(cases, r)
	}
	return cases
}

// selection is R3 for what the instruction itself says.
func selection() []rebuild {
	files := map[string]string{"a": "same", "b": "same"}
	return []rebuild{
		{
			Name:       "another file with the same content",
			Dockerfile: "FROM $BASE\nCOPY a /dst\n",
			Files:      files,
			Change:     scenario.Edited("COPY a", "COPY b"),
			Want:       expected{ran: []string{"COPY b /dst"}},
		},
		{
			Name:       "destination",
			Dockerfile: "FROM $BASE\nCOPY a /dst\n",
			Files:      files,
			Change:     scenario.Edited("/dst", "/other"),
			Want:       expected{ran: []string{"COPY a /other"}},
		},
		{
			Name:       "owner",
			Dockerfile: "FROM $BASE\nCOPY --chown=1:1 a /dst\n",
			Files:      files,
			Change:     scenario.Edited("1:1", "1:2"),
			Want:       expected{ran: []string{"COPY --chown=1:2 a /dst"}},
		},
		{
			Name:       "permission bits",
			Dockerfile: "FROM $BASE\nCOPY --chmod=644 a /dst\n",
			Files:      files,
			Change:     scenario.Edited("644", "640"),
			Want:       expected{ran: []string{"COPY --chmod=640 a /dst"}},
		},
	}
}
