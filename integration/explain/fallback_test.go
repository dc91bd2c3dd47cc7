package explain_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/cachewright/cachewright/frontend"
	"github.com/cachewright/cachewright/integration/sandbox"
)

const fallbackFile = "FROM $BASE\nCOPY file /\nRUN cat /file\n"

var fallbackNotes = map[string]string{"COPY file /": "file changed", "RUN cat /file": "follows 2/3"}

// TestFallbacks builds where explanations are limited: the builds work.
func TestFallbacks(t *testing.T) {
	sb := start(t)
	silent := []string{"COPY file /", "RUN cat /file"}
	for _, c := range []struct {
		name    string
		prepare func(*project)
		notes   map[string]string
	}{
		{"in process", func(p *project) { p.Frontend, p.Func = "", frontend.Build }, nil},
		{"off", given("CACHEWRIGHT_EXPLAIN", "off"), nil},
		{"auto", given("CACHEWRIGHT_EXPLAIN", "auto"), fallbackNotes},
		{"frontend from a named context", func(p *project) {
			p.Frontend = "example.org/none/dockerfile:1"
			p.attr("context:"+p.Frontend, "docker-image://docker.io/"+sandbox.FrontendRef)
		}, fallbackNotes},
		{"Dockerfile in another directory", func(p *project) {
			p.DockerfileDir = p.t.TempDir()
			p.must(copyFile(p.path("Dockerfile"), p.DockerfileDir+"/Dockerfile"))
		}, fallbackNotes},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := newProject(t, sb, rebuild{dockerfile: fallbackFile, files: map[string]string{"file": t.Name()}, prepare: c.prepare})
			p.quiet("first build", p.solve())
			p.write("file", "2 "+t.Name())
			want := rebuild{notes: c.notes}
			if c.notes == nil {
				want.silent = silent
			}
			r := p.solve()
			p.expect("second build", r, want)
			if meta := r.Exporter["frontend.cachewright"]; (meta != "") != (c.notes != nil) {
				t.Errorf("metadata %.60q", meta)
			}
		})
	}
}

// TestDamagedRecords makes the records useless in several ways: builds work and say
// nothing, and the next ones are explained again where that is possible.
func TestDamagedRecords(t *testing.T) {
	sb := ownSandbox(t)
	for _, c := range []struct {
		name, command string
		recovers      bool
	}{
		{"removed", "rm -rf -- *", true},
		{"empty", "for f in *; do : > $f; done", true},
		{"foreign", "for f in *; do echo foreign > $f; done", true},
		{"cut", "for f in *; do head -c 100 $f > x; mv x $f; done", true},
		{"directories", "for f in *; do rm -rf $f; mkdir $f; done", false},
		{"links", "rm -rf -- *; for f in *.record; do ln -s /etc/passwd $f; done; ln -s /etc/passwd lock", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newProject(t, sb, rebuild{dockerfile: fallbackFile, files: map[string]string{"file": t.Name()}})
			p.quiet("first build", p.solve())
			inRecords(t, sb, c.command)
			p.write("file", "2 "+t.Name())
			p.expect("damaged", p.solve(), rebuild{silent: []string{"COPY file /", "RUN cat /file"}})
			p.write("file", "3 "+t.Name())
			want := rebuild{silent: []string{"COPY file /", "RUN cat /file"}}
			if c.recovers {
				want = rebuild{notes: fallbackNotes}
			}
			p.expect("afterwards", p.solve(), want)
			inRecords(t, sb, "rm -rf -- *")
		})
	}
}

var engineArrow = regexp.MustCompile(`(?m)^#\d+ \[[^\]]*\] .*  ← .*$`)

// TestDockerEngine20 is a daemon that is older than most of what the record needs.
func TestDockerEngine20(t *testing.T) {
	sb := sandbox.Shared(t, sandbox.Busybox)
	start(t)
	e, err := sandbox.StartEngine(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	dir := sandbox.Files(t, map[string]string{
		"Dockerfile": "# syntax=" + sb.Registry() + "/" + sandbox.FrontendRef + "\nFROM " + sb.Registry() + "/library/busybox\nCOPY file /\nRUN --network=none cat /file\n",
		"file":       "1",
	})
	p := &project{t: t}
	p.Context = dir
	for i, text := range []string{"1", "1", "2"} {
		p.write("file", text)
		log, err := e.Command(t.Context(), "build", "--progress=plain", "--network=host", dir).CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, log)
		}
		if strings.Contains(string(log), "ERROR") {
			t.Errorf("an error in\n%s", log)
		}
		want := 0
		if i == 2 {
			want = 2
		}
		if got := engineArrow.FindAllString(string(log), -1); len(got) != want {
			t.Errorf("build %d: %q, want %d\n%s", i+1, got, want, log)
		}
	}
}

// TestFailedBuild fails a build: what is said later is true, and nothing is said of
// steps that the record takes for built.
func TestFailedBuild(t *testing.T) {
	t.Parallel()
	sb := start(t)
	p := newProject(t, sb, rebuild{dockerfile: "FROM $BASE\nCOPY file /\nRUN cat /file && true\nRUN echo last\n", files: map[string]string{"file": t.Name()}})
	p.quiet("first build", p.solve())
	p.edit("true", "false")
	for _, build := range []string{"failure", "the same again"} {
		r, err := sb.Solve(t.Context(), p.Build)
		if err == nil || !strings.Contains(err.Error(), "did not complete successfully: exit code: 1") {
			t.Fatalf("%s: %v\n%s", build, err, r)
		}
		for text, note := range p.said(r).notes {
			if build != "failure" || note != map[string]string{"RUN cat /file && false": "instruction changed", "RUN echo last": "follows 3/4"}[text] {
				t.Errorf("%s: %q: %s", build, text, note)
			}
		}
	}
	p.edit("false", "echo fixed")
	p.expect("fixed", p.solve(), rebuild{notes: map[string]string{"RUN cat /file && echo fixed": "instruction changed", "RUN echo last": "follows 3/4"}})
}
