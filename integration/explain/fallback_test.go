package explain_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/cachewright/cachewright/frontend"
	"github.com/cachewright/cachewright/integration/sandbox"
	"github.com/cachewright/cachewright/integration/scenario"
)

const fallbackFile = "FROM $BASE\nCOPY file /\nRUN cat /file\n"

var fallbackNotes = map[string]string{"COPY file /": "file changed", "RUN cat /file": "follows 2/3"}

// TestFallbacks builds where explanations are limited: the builds work.
func TestFallbacks(t *testing.T) {
	sb := scenario.Start(t)
	silent := []string{"COPY file /", "RUN cat /file"}
	for _, c := range []struct {
		name    string
		prepare func(*project)
		notes   map[string]string
	}{
		{"in process", func(p *project) { p.Frontend, p.Func = "", frontend.Build }, nil},
		{"off", scenario.Given("CACHEWRIGHT_EXPLAIN", "off"), nil},
		{"auto", scenario.Given("CACHEWRIGHT_EXPLAIN", "auto"), fallbackNotes},
		{"frontend from a named context", func(p *project) {
			p.Frontend = "example.org/none/dockerfile:1"
			p.Attr("context:"+p.Frontend, "docker-image://docker.io/"+sandbox.FrontendRef)
		}, fallbackNotes},
		{"Dockerfile in another directory", func(p *project) {
			p.DockerfileDir = p.T.TempDir()
			data, err := os.ReadFile(p.Path("Dockerfile"))
			p.Must(err)
			p.Must(os.WriteFile(filepath.Join(p.DockerfileDir, "Dockerfile"), data, 0o644))
		}, fallbackNotes},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := scenario.New(t, sb, rebuild{Dockerfile: fallbackFile, Files: map[string]string{"file": t.Name()}, Prepare: c.prepare})
			quiet(p, "first build", solve(p))
			p.Write("file", "2 "+t.Name())
			want := expected{notes: c.notes}
			if c.notes == nil {
				want.silent = silent
			}
			r := solve(p)
			expect(p, "second build", r, want)
			if meta := r.Exporter["frontend.cachewright"]; (meta != "") != (c.notes != nil) {
				t.Errorf("metadata %.60q", meta)
			}
		})
	}
}

// TestDamagedRecords makes the records useless in several ways: builds work and say
// nothing, and the next ones are explained again where that is possible.
func TestDamagedRecords(t *testing.T) {
	sb := scenario.StartOwn(t)
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
			p := scenario.New(t, sb, rebuild{Dockerfile: fallbackFile, Files: map[string]string{"file": t.Name()}})
			quiet(p, "first build", solve(p))
			inRecords(t, sb, c.command)
			p.Write("file", "2 "+t.Name())
			expect(p, "damaged", solve(p), expected{silent: []string{"COPY file /", "RUN cat /file"}})
			p.Write("file", "3 "+t.Name())
			want := expected{silent: []string{"COPY file /", "RUN cat /file"}}
			if c.recovers {
				want = expected{notes: fallbackNotes}
			}
			expect(p, "afterwards", solve(p), want)
			inRecords(t, sb, "rm -rf -- *")
		})
	}
}

var engineArrow = regexp.MustCompile(`(?m)^#\d+ \[[^\]]*\] .*← .*$`)

// TestDockerEngine20 is a daemon that is older than most of what the record needs.
func TestDockerEngine20(t *testing.T) {
	sb := scenario.Start(t, sandbox.Busybox)
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
	p := &project{T: t}
	p.Context = dir
	for i, text := range []string{"1", "1", "2"} {
		p.Write("file", text)
		log, err := e.Command(t.Context(), "build", "--progress=plain", "--network=host", "--build-arg=CACHEWRIGHT_EXPLAIN=summary", dir).CombinedOutput()
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
	sb := scenario.Start(t)
	p := scenario.New(t, sb, rebuild{Dockerfile: "FROM $BASE\nCOPY file /\nRUN cat /file && true\nRUN echo last\n", Files: map[string]string{"file": t.Name()}})
	quiet(p, "first build", solve(p))
	p.Edit("true", "false")
	for _, build := range []string{"failure", "the same again"} {
		r, err := sb.Solve(t.Context(), p.Build)
		if err == nil || !strings.Contains(err.Error(), "did not complete successfully: exit code: 1") {
			t.Fatalf("%s: %v\n%s", build, err, r)
		}
		for text, note := range whatWasSaid(p, r).notes {
			if build != "failure" || note != map[string]string{"RUN cat /file && false": "instruction changed", "RUN echo last": "follows 3/4"}[text] {
				t.Errorf("%s: %q: %s", build, text, note)
			}
		}
	}
	p.Edit("false", "echo fixed")
	expect(p, "fixed", solve(p), expected{notes: map[string]string{"RUN cat /file && echo fixed": "instruction changed", "RUN echo last": "follows 3/4"}})
}
