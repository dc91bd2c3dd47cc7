package predict_test

import (
	"archive/tar"
	"bytes"
	"fmt"
	"strings"

	"github.com/cachewright/cachewright/integration/sandbox"
	"github.com/cachewright/cachewright/integration/scenario"
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
		{Name: "off", Dockerfile: ruled("off")},
		{Name: "off added", Dockerfile: "FROM $BASE\nRUN echo before\nRUN echo ruled\nRUN echo after\n", Change: scenario.Edited("RUN echo ruled", "# cache=off\nRUN echo ruled")},
		{Name: "off taken back", Dockerfile: ruled("off"), Change: scenario.Edited("# cache=off\n", "")},
		{Name: "ttl same window", Dockerfile: ruled("ttl=daily"), Options: at("2026-03-01T01:00:00Z"), Change: scenario.Given("CACHEWRIGHT_NOW", "2026-03-01T23:00:00Z")},
		{Name: "ttl next window", Dockerfile: ruled("ttl=daily"), Options: at("2026-03-01T01:00:00Z"), Change: scenario.Given("CACHEWRIGHT_NOW", "2026-03-02T01:00:00Z")},
		{Name: "ttl duration", Dockerfile: ruled("ttl=1h"), Options: at("2026-03-01T01:00:00Z"), Change: scenario.Given("CACHEWRIGHT_NOW", "2026-03-01T09:00:00Z")},
		{Name: "ttl back", Dockerfile: ruled("ttl=1h"), Options: at("2026-03-01T01:00:00Z"),
			Change: scenario.Between(scenario.Given("CACHEWRIGHT_NOW", "2026-03-01T09:00:00Z"), scenario.Given("CACHEWRIGHT_NOW", "2026-03-01T01:00:00Z"))},
		{Name: "ttl added", Dockerfile: ruled("key=text:1"), Change: scenario.Edited("key=text:1", "key=text:1;ttl=1h")},
		{Name: "args=none", Dockerfile: fmt.Sprintf(args, "none"), Change: scenario.Given("V", "2")},
		{Name: "args of one, the other", Dockerfile: fmt.Sprintf(args, "V"), Change: scenario.Given("W", "2")},
		{Name: "args of one, this", Dockerfile: fmt.Sprintf(args, "V"), Change: scenario.Given("V", "2")},
		{Name: "base=content unchanged", Dockerfile: base},
		{Name: "base=content", Dockerfile: base, Change: scenario.Edited("RUN cat /file", "RUN cat  /file"), Want: []string{"4/5", "5/5"}},
		{Name: "base=content, other content", Dockerfile: base, Change: scenario.Edited("echo 1", "echo 2"), Want: []string{"4/5", "5/5"}},
		{Name: "base=content, other command", Dockerfile: base, Change: scenario.Edited("echo ruled", "echo rules")},
		{Name: "modes=ignore", Dockerfile: modes, Files: files, Change: scenario.Moded("dir/a", 0o600)},
		{Name: "modes=ignore of x", Dockerfile: modes, Files: files, Change: scenario.Moded("dir/a", 0o700)},
		{Name: "modes=ignore content", Dockerfile: modes, Files: files, Change: scenario.Written("dir/a", "A")},
		{Name: "export=no added", Dockerfile: "FROM $BASE\nRUN echo ruled\nRUN echo after\n", Change: scenario.Edited("RUN echo ruled", "# cache=export=no\nRUN echo ruled")},
		{Name: "export=no", Dockerfile: ruled("export=no")},
		{Name: "stage default", Dockerfile: stage, Options: at("2026-03-01T01:00:00Z"), Change: scenario.Given("CACHEWRIGHT_NOW", "2026-03-02T01:00:00Z")},
		{Name: "override", Dockerfile: ruled("ttl=1h"), Change: scenario.Given("CACHEWRIGHT_RULES", "@5: off")},
		{Name: "override by text", Dockerfile: ruled("key=text:1"), Change: scenario.Given("CACHEWRIGHT_RULES", "stage-0/3: key=text:2")},
		{Name: "rules off", Dockerfile: ruled("off"), Options: sandbox.Build{Args: map[string]string{"CACHEWRIGHT_RULES": "off"}}},
	}
}

// keys are changes of what key= names.
func keys(w *scenario.Web) []combination {
	const file = "FROM $BASE\nRUN echo before\n# cache=key=%s\nRUN echo keyed\nRUN echo after\n"
	keyed := func(source string) string { return fmt.Sprintf(file, source) }
	w.SetText("/same", "1")
	w.SetText("/moves", "1")
	files := map[string]string{"lock": "1 $ID", "dir/a": "a", "other": "o"}
	return []combination{
		{Name: "text", Dockerfile: keyed("text:1"), Change: scenario.Edited("text:1", "text:2")},
		{Name: "text the same", Dockerfile: keyed("text:1"), Change: scenario.Edited("text:1", "text:1;export=no")},
		{Name: "argument", Dockerfile: keyed("arg:REV"), Change: scenario.Given("REV", "2")},
		{Name: "secret argument", Dockerfile: keyed("arg:API_TOKEN"), Change: scenario.Between(scenario.Given("API_TOKEN", "1"), scenario.Given("API_TOKEN", "2"))},
		{Name: "other argument", Dockerfile: keyed("arg:REV"), Change: scenario.Given("OTHER", "2")},
		{Name: "file", Dockerfile: keyed("file:lock"), Files: files, Change: scenario.Written("lock", "2 $ID")},
		{Name: "directory", Dockerfile: keyed("file:dir"), Files: files, Change: scenario.Written("dir/b", "b")},
		{Name: "other file", Dockerfile: keyed("file:lock,file:dir"), Files: files, Change: scenario.Written("other", "O")},
		{Name: "http", Dockerfile: keyed(w.URL + "/same")},
		{Name: "http moved", Dockerfile: keyed(w.URL + "/moves"), Change: w.Paged("/moves", "2")},
		{Name: "git", Dockerfile: keyed(w.URL + "/git/key.git#main"), Prepare: commits(w, "key.git"), Change: commits(w, "key.git")},
	}
}

func commits(w *scenario.Web, repository string) func(*project) {
	return func(p *project) { w.Commit(p, repository) }
}

// commitOf is a directory of a repository, at the commit that pinned puts in.
const commitOf = "--checksum=COMMIT REPOSITORY#main:dir"

func pinned(w *scenario.Web, repository string) func(*project) {
	return func(p *project) {
		commit := w.Commit(p, repository)
		p.Edit("COMMIT", commit)
		p.Edit("REPOSITORY", w.URL+"/git/"+repository)
	}
}

// remote are ADDs of archives, of files from the web and of repositories.
func remote(w *scenario.Web) []combination {
	const file = "FROM $BASE\nRUN echo before\nADD %s /added\nRUN ls /added\n"
	for _, page := range []string{"/add-same", "/add-moves", "/add-linked"} {
		w.SetText(page, "1")
	}
	archive := func(text string) func(*project) {
		return func(p *project) {
			var b bytes.Buffer
			tw := tar.NewWriter(&b)
			text := strings.ReplaceAll(text, "$ID", p.ID)
			p.Must(tw.WriteHeader(&tar.Header{Name: "f", Mode: 0o644, Size: int64(len(text))}))
			_, err := tw.Write([]byte(text))
			p.Must(err)
			p.Must(tw.Close())
			p.Write("a.tar", b.String())
		}
	}
	return []combination{
		{Name: "archive", Dockerfile: fmt.Sprintf(file, "a.tar"), Prepare: archive("1 $ID"), Change: archive("2 $ID")},
		{Name: "archive unchanged", Dockerfile: fmt.Sprintf(file, "a.tar"), Prepare: archive("1 $ID")},
		{Name: "archive not unpacked", Dockerfile: fmt.Sprintf(file, "a.tar"), Prepare: archive("1 $ID"), Change: scenario.Edited("ADD a.tar", "ADD --unpack=false a.tar")},
		{Name: "url", Dockerfile: fmt.Sprintf(file, w.URL+"/add-same")},
		{Name: "url moved", Dockerfile: fmt.Sprintf(file, w.URL+"/add-moves"), Change: w.Paged("/add-moves", "2")},
		{Name: "url, another command before", Dockerfile: fmt.Sprintf(file, w.URL+"/add-same"), Change: scenario.Edited("echo before", "echo other")},
		{Name: "git", Dockerfile: fmt.Sprintf(file, w.URL+"/git/add-same.git#main"), Prepare: commits(w, "add-same.git")},
		{Name: "git at a commit", Dockerfile: fmt.Sprintf(file, commitOf), Prepare: pinned(w, "add-pinned.git")},
		{Name: "git directory at a commit", Dockerfile: fmt.Sprintf(file, commitOf), Prepare: pinned(w, "add-dir.git"),
			Change: scenario.Edited("#main:dir", "#main"), Want: []string{"3/4", "4/4"}},
		{Name: "git directory kept", Dockerfile: fmt.Sprintf(file, commitOf), Prepare: pinned(w, "add-kept.git"),
			Change: scenario.Edited("ADD --", "ADD --keep-git-dir --"), Want: []string{"3/4", "4/4"}},
		{Name: "git moved", Dockerfile: fmt.Sprintf(file, w.URL+"/git/add.git#main"), Prepare: commits(w, "add.git"), Change: commits(w, "add.git"), Want: []string{"3/4", "4/4"}},
	}
}
