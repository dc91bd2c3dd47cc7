package recorder

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cachewright/cachewright/cachepolicy"
	"github.com/cachewright/cachewright/cachepolicy/cacheplan"
	"github.com/cachewright/cachewright/cachepolicy/explain"
	"github.com/cachewright/cachewright/cachepolicy/record"
)

// box is a set of mounts for the recorder.
type box struct {
	t testing.TB
	Dirs
}

func newBox(t testing.TB) *box {
	dir := t.TempDir()
	b := &box{t: t, Dirs: Dirs{Request: filepath.Join(dir, "request"), Contexts: filepath.Join(dir, "contexts"), Records: filepath.Join(dir, "records"), Out: filepath.Join(dir, "out")}}
	for _, d := range []string{b.Request, b.context(), b.Records, b.Out} {
		b.must(os.MkdirAll(d, 0o755))
	}
	for _, d := range []string{dir, filepath.Dir(dir)} {
		b.must(os.Chmod(d, 0o755)) // for asNobody
	}
	return b
}

func (b *box) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

// context is where the main context lies.
func (b *box) context() string { return filepath.Join(b.Contexts, "0") }

// write makes files: "dir/" is a directory, "link -> target" a link, everything
// else a file with that content. They are too old to be racy.
func (b *box) write(files map[string]string) {
	b.t.Helper()
	for _, name := range slices.Sorted(maps.Keys(files)) {
		writeFile(b.t, b.context(), name, files[name])
	}
	age(b.t, b.context())
}

func writeFile(t testing.TB, dir, name, content string) {
	t.Helper()
	link, target, isLink := strings.Cut(name, " -> ")
	file := filepath.Join(dir, link)
	err := os.MkdirAll(filepath.Dir(file), 0o755)
	switch {
	case err != nil:
	case isLink:
		err = os.Symlink(target, file)
	case strings.HasSuffix(name, "/"):
		err = os.MkdirAll(file, 0o755)
	default:
		err = os.WriteFile(file, []byte(content), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// age waits until the time of the last change of what is in dir lies far enough
// back for the index. Nobody can set that time.
func age(t testing.TB, dir string) {
	t.Helper()
	probe, err := openTree(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := probe.listAll(&probe.top); err != nil {
		t.Fatal(err)
	}
	for n := newest(&probe.top); isRacy(n, time.Now()); {
		time.Sleep(time.Millisecond)
	}
}

func newest(n *node) int64 {
	out := n.stat.ctime
	for i := range n.children {
		out = max(out, newest(&n.children[i]))
	}
	return out
}

// copyPlan is the plan of one COPY.
func copyPlan(patterns ...string) *cacheplan.Plan {
	return planOf(cacheplan.FileSet{ID: "set", Patterns: patterns})
}

// planOf is the plan of one COPY for each set.
func planOf(sets ...cacheplan.FileSet) *cacheplan.Plan {
	p := &cacheplan.Plan{Version: cacheplan.Version, Files: sets}
	for i, s := range sets {
		id := cachepolicy.StepID{Stage: "app", Number: i + 1, Total: len(sets), Instruction: "COPY"}
		p.Steps = append(p.Steps, cacheplan.Step{
			ID: id, Name: fmt.Sprintf("[app %d/%d] COPY", i+1, len(sets)),
			Inputs: []cachepolicy.Input{{Kind: cachepolicy.InputFiles, Name: s.ID, Files: s.ID}},
		})
	}
	return p
}

var testRecord = record.Name("Dockerfile", "app", "linux/amd64")

// run gives the recorder a request, and returns its report. A recorded build comes to
// its end.
func (b *box) run(mode Mode, plan *cacheplan.Plan) *Report {
	b.t.Helper()
	r := b.ask(mode, plan)
	if len(r.Keys) > 0 {
		b.request(&Request{Version: Version, Mode: ModeResults, Record: testRecord, Keys: r.Keys, Results: record.Succeeded(r.Plan)})
	}
	return r
}

// ask gives the recorder a request, and returns its report.
func (b *box) ask(mode Mode, plan *cacheplan.Plan) *Report {
	b.t.Helper()
	return b.request(&Request{Version: Version, Mode: mode, Plan: plan, Contexts: []string{""}, Record: testRecord})
}

func (b *box) request(req *Request) *Report {
	b.t.Helper()
	data, err := EncodeRequest(req)
	b.must(err)
	b.must(os.WriteFile(b.Dirs.request(), data, 0o644))
	return b.again()
}

// again runs the recorder with the same request.
func (b *box) again() *Report {
	b.t.Helper()
	b.must(Run(b.Dirs))
	data, err := os.ReadFile(b.report())
	b.must(err)
	r, err := DecodeReport(data)
	b.must(err)
	return r
}

// good fails the test if the report has problems.
func (b *box) good(r *Report) *Report {
	b.t.Helper()
	if len(r.Problems) > 0 {
		b.t.Fatalf("problems: %q", r.Problems)
	}
	return r
}

// record returns what is recorded.
func (b *box) record() record.Record {
	b.t.Helper()
	r, err := store{dir: b.Records}.readRecord(testRecord)
	b.must(err)
	return r.record
}

// state returns the prediction of the only step, with its reasons.
func state(r *Report) string {
	if len(r.Predictions) == 0 {
		return "no prediction"
	}
	return strings.TrimSpace(string(r.Predictions[0].State) + " " + explain.Text(r.Predictions[0].Reasons))
}
