package predict_test

import (
	"archive/tar"
	"bytes"
	"fmt"
	"strings"

	"github.com/cachewright/cachewright/integration/sandbox"
)

// rules are directives and overrides.
func rules() []combination {
	const file = "FROM $BASE\nRUN echo before\n# cache=%s\nRUN echo ruled\nRUN echo after\n"
	ruled := func(rule string) string { return fmt.Sprintf(file, rule) }
	at := func(time string) sandbox.Build {
		return sandbox.Build{Args: map[string]string{"CACHEWRIGHT_NOW": time}}
	}
	const args = "FROM $BASE\nARG V=1\nARG W=1\n# cache=args=%s\nRUN echo ruled\nRUN echo after\n"
	const base = "FROM $BASE\nRUN echo 1 > /file\nRUN cat /file\n# cache=base=content\nRUN echo ruled\nRUN echo after\n"
	const modes = "FROM $BASE\n# cache=modes=ignore\nCOPY dir /dir\nRUN ls /dir\n"
	files := map[string]string{"dir/a": "a $ID"}
	const stage = "# cache=ttl=daily\nFROM $BASE\nRUN echo one\n# cache=default\nRUN echo two\nRUN echo three\n"
	return []combination{
		{name: "off", dockerfile: ruled("off")},
		{name: "off added", dockerfile: "FROM $BASE\nRUN echo before\nRUN echo ruled\nRUN echo after\n", change: edited("RUN echo ruled", "# cache=off\nRUN echo ruled")},
		{name: "off taken back", dockerfile: ruled("off"), change: edited("# cache=off\n", "")},
		{name: "ttl same window", dockerfile: ruled("ttl=daily"), options: at("2026-03-01T01:00:00Z"), change: given("CACHEWRIGHT_NOW", "2026-03-01T23:00:00Z")},
		{name: "ttl next window", dockerfile: ruled("ttl=daily"), options: at("2026-03-01T01:00:00Z"), change: given("CACHEWRIGHT_NOW", "2026-03-02T01:00:00Z")},
		{name: "ttl duration", dockerfile: ruled("ttl=1h"), options: at("2026-03-01T01:00:00Z"), change: given("CACHEWRIGHT_NOW", "2026-03-01T09:00:00Z")},
		{name: "ttl back", dockerfile: ruled("ttl=1h"), options: at("2026-03-01T01:00:00Z"),
			change: between(given("CACHEWRIGHT_NOW", "2026-03-01T09:00:00Z"), given("CACHEWRIGHT_NOW", "2026-03-01T01:00:00Z"))},
		{name: "ttl added", dockerfile: ruled("key=text:1"), change: edited("key=text:1", "key=text:1;ttl=1h")},
		{name: "args=none", dockerfile: fmt.Sprintf(args, "none"), change: given("V", "2")},
		{name: "args of one, the other", dockerfile: fmt.Sprintf(args, "V"), change: given("W", "2")},
		{name: "args of one, this", dockerfile: fmt.Sprintf(args, "V"), change: given("V", "2")},
		{name: "base=content unchanged", dockerfile: base},
		{name: "base=content", dockerfile: base, change: edited("RUN cat /file", "RUN cat  /file"), unknown: []string{"4/5", "5/5"}},
		{name: "base=content, other content", dockerfile: base, change: edited("echo 1", "echo 2"), unknown: []string{"4/5", "5/5"}},
		{name: "base=content, other command", dockerfile: base, change: edited("echo ruled", "echo rules")},
		{name: "modes=ignore", dockerfile: modes, files: files, change: moded("dir/a", 0o600)},
		{name: "modes=ignore of x", dockerfile: modes, files: files, change: moded("dir/a", 0o700)},
		{name: "modes=ignore content", dockerfile: modes, files: files, change: written("dir/a", "A")},
		{name: "export=no added", dockerfile: "FROM $BASE\nRUN echo ruled\nRUN echo after\n", change: edited("RUN echo ruled", "# cache=export=no\nRUN echo ruled")},
		{name: "export=no", dockerfile: ruled("export=no")},
		{name: "stage default", dockerfile: stage, options: at("2026-03-01T01:00:00Z"), change: given("CACHEWRIGHT_NOW", "2026-03-02T01:00:00Z")},
		{name: "override", dockerfile: ruled("ttl=1h"), change: given("CACHEWRIGHT_RULES", "@5: off")},
		{name: "override by text", dockerfile: ruled("key=text:1"), change: given("CACHEWRIGHT_RULES", "stage-0/3: key=text:2")},
		{name: "rules off", dockerfile: ruled("off"), options: sandbox.Build{Args: map[string]string{"CACHEWRIGHT_RULES": "off"}}},
	}
}

// keys are changes of what key= names.
func keys(w *web) []combination {
	const file = "FROM $BASE\nRUN echo before\n# cache=key=%s\nRUN echo keyed\nRUN echo after\n"
	keyed := func(source string) string { return fmt.Sprintf(file, source) }
	w.set("/same", "1")
	w.set("/moves", "1")
	files := map[string]string{"lock": "1 $ID", "dir/a": "a", "other": "o"}
	return []combination{
		{name: "text", dockerfile: keyed("text:1"), change: edited("text:1", "text:2")},
		{name: "text the same", dockerfile: keyed("text:1"), change: edited("text:1", "text:1;export=no")},
		{name: "argument", dockerfile: keyed("arg:REV"), change: given("REV", "2")},
		{name: "secret argument", dockerfile: keyed("arg:API_TOKEN"), change: between(given("API_TOKEN", "1"), given("API_TOKEN", "2"))},
		{name: "other argument", dockerfile: keyed("arg:REV"), change: given("OTHER", "2")},
		{name: "file", dockerfile: keyed("file:lock"), files: files, change: written("lock", "2 $ID")},
		{name: "directory", dockerfile: keyed("file:dir"), files: files, change: written("dir/b", "b")},
		{name: "other file", dockerfile: keyed("file:lock,file:dir"), files: files, change: written("other", "O")},
		{name: "http", dockerfile: keyed(w.URL + "/same")},
		{name: "http moved", dockerfile: keyed(w.URL + "/moves"), change: func(*project) { w.set("/moves", "2") }},
		{name: "git", dockerfile: keyed(w.URL + "/git/key.git#main"), prepare: commits(w, "key.git"), change: commits(w, "key.git")},
	}
}

func commits(w *web, repository string) func(*project) {
	return func(p *project) { w.commit(p, repository) }
}

// commitOf is a directory of a repository, at the commit that pinned puts in.
const commitOf = "--checksum=COMMIT REPOSITORY#main:dir"

func pinned(w *web, repository string) func(*project) {
	return func(p *project) {
		commit := w.commit(p, repository)
		p.edit("COMMIT", commit)
		p.edit("REPOSITORY", w.URL+"/git/"+repository)
	}
}

// remote are ADDs of archives, of files from the web and of repositories.
func remote(w *web) []combination {
	const file = "FROM $BASE\nRUN echo before\nADD %s /added\nRUN ls /added\n"
	for _, page := range []string{"/add-same", "/add-moves", "/add-linked"} {
		w.set(page, "1")
	}
	archive := func(text string) func(*project) {
		return func(p *project) {
			var b bytes.Buffer
			tw := tar.NewWriter(&b)
			text := strings.ReplaceAll(text, "$ID", p.id)
			p.must(tw.WriteHeader(&tar.Header{Name: "f", Mode: 0o644, Size: int64(len(text))}))
			_, err := tw.Write([]byte(text))
			p.must(err)
			p.must(tw.Close())
			p.write("a.tar", b.String())
		}
	}
	return []combination{
		{name: "archive", dockerfile: fmt.Sprintf(file, "a.tar"), prepare: archive("1 $ID"), change: archive("2 $ID")},
		{name: "archive unchanged", dockerfile: fmt.Sprintf(file, "a.tar"), prepare: archive("1 $ID")},
		{name: "archive not unpacked", dockerfile: fmt.Sprintf(file, "a.tar"), prepare: archive("1 $ID"), change: edited("ADD a.tar", "ADD --unpack=false a.tar")},
		{name: "url", dockerfile: fmt.Sprintf(file, w.URL+"/add-same"), unknown: []string{"3/4", "4/4"}},
		{name: "url moved", dockerfile: fmt.Sprintf(file, w.URL+"/add-moves"), change: func(*project) { w.set("/add-moves", "2") }, unknown: []string{"3/4", "4/4"}},
		{name: "url, another command before", dockerfile: fmt.Sprintf(file, w.URL+"/add-same"), change: edited("echo before", "echo other")},
		{name: "git", dockerfile: fmt.Sprintf(file, w.URL+"/git/add-same.git#main"), prepare: commits(w, "add-same.git"), unknown: []string{"3/4", "4/4"}},
		{name: "git at a commit", dockerfile: fmt.Sprintf(file, commitOf), prepare: pinned(w, "add-pinned.git")},
		{name: "git directory at a commit", dockerfile: fmt.Sprintf(file, commitOf), prepare: pinned(w, "add-dir.git"),
			change: edited("#main:dir", "#main"), unknown: []string{"3/4", "4/4"}},
		{name: "git directory kept", dockerfile: fmt.Sprintf(file, commitOf), prepare: pinned(w, "add-kept.git"),
			change: edited("ADD --", "ADD --keep-git-dir --"), unknown: []string{"3/4", "4/4"}},
		{name: "git moved", dockerfile: fmt.Sprintf(file, w.URL+"/git/add.git#main"), prepare: commits(w, "add.git"), change: commits(w, "add.git"), unknown: []string{"3/4", "4/4"}},
	}
}
