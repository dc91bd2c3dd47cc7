package explain_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/cachewright/cachewright/integration/sandbox"
	"github.com/cachewright/cachewright/integration/scenario"
)

// A move is a build, after edits and with other choices than the one before.
type move struct {
	files  map[string]string // written before
	target string
	args   map[string]string
	fails  bool
	want   []string // the steps that run, each with its note
}

// TestModel builds one project again and again with different targets and arguments,
// and reads which steps run and what is said of them. A step that is taken from the
// cache has no note.
func TestModel(t *testing.T) {
	const (
		targets = "FROM $BASE AS base\nCOPY a /a\nFROM base AS test\nRUN echo test $ID\nFROM base AS final\nRUN echo final $ID\n"
		matrix  = "FROM $BASE\nCOPY common /\nARG V\nRUN echo $ID\n"
	)
	for name, c := range map[string]struct {
		dockerfile string
		files      map[string]string
		moves      []move
	}{
		"a step that another target has built": {targets, map[string]string{"a": "1"}, []move{
			{target: "test"}, {target: "final"},
			{target: "test", files: map[string]string{"a": "2"}, want: []string{"COPY a /a ← a changed", "RUN echo test $ID ← follows base 2/2"}},
			{target: "final", want: []string{"RUN echo final $ID ← follows base 2/2, run by another build"}},
		}},
		"arguments in turn": {matrix, map[string]string{"common": "1"}, []move{
			{args: map[string]string{"V": "1"}}, {args: map[string]string{"V": "2"}, want: []string{"RUN echo $ID ← ARG V 1 → 2 (line 4)"}},
			{args: map[string]string{"V": "1"}, files: map[string]string{"common": "2"}, want: []string{"COPY common / ← common changed", "RUN echo $ID ← follows 2/3"}},
			{args: map[string]string{"V": "2"}, want: []string{"RUN echo $ID ← follows 2/3, run by another build"}},
		}},
		"more states than a record holds": {"FROM $BASE\nCOPY a /\nRUN echo $ID\n", map[string]string{"a": "0"}, func() []move {
			var out []move
			for i := range 36 {
				out = append(out, move{files: map[string]string{"a": fmt.Sprint("state ", i)}, want: []string{"COPY a / ← a changed", "RUN echo $ID ← follows 2/3"}})
			}
			out[0].want = nil
			return append(out, move{files: map[string]string{"a": "state 0"}})
		}()},
		"nothing of a build that fails on a key is done": {"FROM $BASE\nRUN echo $ID\nCOPY typo /\nRUN echo last\n", map[string]string{"b": "1"}, []move{
			{fails: true},
			{files: map[string]string{"typo": "1"}, want: []string{"COPY typo / ← typo added", "RUN echo last ← follows 3/4"}},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sb := scenario.Start(t, sandbox.Busybox)
			p := scenario.New(t, sb, rebuild{Dockerfile: c.dockerfile, Files: c.files})
			for i, m := range c.moves {
				for _, file := range slices.Sorted(maps.Keys(m.files)) {
					p.Write(file, m.files[file])
				}
				p.Attr("target", m.target)
				for k, v := range m.args {
					p.Arg(k, v)
				}
				check(t, p, i, m)
			}
		})
	}
}

// check builds, and compares what ran with what should, where m says so.
func check(t *testing.T, p *project, i int, m move) {
	t.Helper()
	r, err := p.Sandbox.Solve(t.Context(), p.Build)
	if (err != nil) != m.fails {
		t.Fatalf("move %d: %v\n%s", i, err, r)
	}
	var ran []string
	for _, s := range scenario.Steps(r) {
		switch {
		case strings.HasPrefix(s.Text, "FROM "):
		case s.State() == "ran" && s.Note != "":
			ran = append(ran, s.Text+" ← "+s.Note)
		case s.State() == "cached" && s.Note != "" && !strings.HasSuffix(s.Note, "if that changed"):
			t.Errorf("move %d: %s is cached, and said to run: %s", i, s.Text, s.Note)
		}
	}
	want := slices.Clone(m.want)
	for n := range want {
		want[n] = strings.ReplaceAll(want[n], "$ID", p.ID)
	}
	slices.Sort(ran)
	slices.Sort(want)
	if !slices.Equal(ran, want) && (i > 0 || m.want != nil) {
		t.Errorf("move %d: %q, want %q\n%s", i, ran, want, r)
	}
}
