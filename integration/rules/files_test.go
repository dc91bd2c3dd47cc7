package rules_test

import (
	"os"
	"time"
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
				p.must(os.Chtimes(p.path(name), later, later))
			}
		}, true},
		{"written anew with the same content", func(p *project) {
			p.must(os.Remove(p.path("src/file")))
			p.write("src/file", "content")
		}, true},
		{"a file that is not selected", written("other", "changed"), true},
		{"an ignored file", written("src/ignored", "changed"), true},
		{"content", written("src/file", "CONTENT"), false},
		{"size", written("src/file", "content\n"), false},
		{"mode", func(p *project) { p.must(os.Chmod(p.path("src/file"), 0o600)) }, false},
		{"name", func(p *project) { p.must(os.Rename(p.path("src/file"), p.path("src/elif"))) }, false},
		{"place", func(p *project) { p.must(os.Rename(p.path("src/file"), p.path("src/dir/file"))) }, false},
		{"added", written("src/added", ""), false},
		{"added empty directory", func(p *project) { p.must(os.Mkdir(p.path("src/empty"), 0o755)) }, false},
		{"removed", func(p *project) { p.must(os.Remove(p.path("src/file"))) }, false},
		{"type", func(p *project) {
			p.must(os.Remove(p.path("src/file")))
			p.must(os.Symlink("dir/inner", p.path("src/file")))
		}, false},
		{"target of a link", func(p *project) {
			p.must(os.Remove(p.path("src/link")))
			p.must(os.Symlink("dir", p.path("src/link")))
		}, false},
	}
	var cases []rebuild
	for _, c := range changes {
		r := rebuild{
			name:       c.name,
			dockerfile: threeForms,
			files: map[string]string{
				"src/file": "content", "src/dir/inner": "inner", "src/ignored": "ignored",
				"other": "other", ".dockerignore": "src/ignored\n",
			},
			links:  map[string]string{"src/link": "dir/inner"},
			change: c.change,
		}
		if !c.hits {
			r.ran = []string{
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
			name:       "another file with the same content",
			dockerfile: "FROM $BASE\nCOPY a /dst\n",
			files:      files,
			change:     edited("COPY a", "COPY b"),
			ran:        []string{"COPY b /dst"},
		},
		{
			name:       "destination",
			dockerfile: "FROM $BASE\nCOPY a /dst\n",
			files:      files,
			change:     edited("/dst", "/other"),
			ran:        []string{"COPY a /other"},
		},
		{
			name:       "owner",
			dockerfile: "FROM $BASE\nCOPY --chown=1:1 a /dst\n",
			files:      files,
			change:     edited("1:1", "1:2"),
			ran:        []string{"COPY --chown=1:2 a /dst"},
		},
		{
			name:       "permission bits",
			dockerfile: "FROM $BASE\nCOPY --chmod=644 a /dst\n",
			files:      files,
			change:     edited("644", "640"),
			ran:        []string{"COPY --chmod=640 a /dst"},
		},
	}
}
