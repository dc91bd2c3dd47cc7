package recorder

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/cachewright/cachewright/cachepolicy"
)

// runEnv makes the test binary a recorder, for tests with several processes.
const runEnv = "CACHEWRIGHT_TEST_RECORDER"

func TestMain(m *testing.M) {
	if dir := os.Getenv(runEnv); dir != "" {
		at := func(name string) string { return filepath.Join(dir, name) }
		if err := Run(Dirs{Request: at("request"), Contexts: at("contexts"), Records: at("records"), Out: at("out")}); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// Three builds, and what each is told.
func TestRecordAndPredict(t *testing.T) {
	b := newBox(t)
	b.write(map[string]string{"a": "1", "dir/b": "2"})
	first := b.good(b.run(ModeRecord, copyPlan(".")))
	if got := state(first); got != "unknown "+cachepolicy.Text(first.Predictions[0].Reasons) || first.Builds != 0 || first.BuildID == "" {
		t.Errorf("first build: %s, %+v", got, first)
	}
	if set := first.Plan.Files[0]; !set.Known || set.Count != 2 || set.Digest == "" || set.Files != nil {
		t.Errorf("the report's file set is %+v", set)
	}
	if since := time.Since(first.Time); since < 0 || since > time.Minute {
		t.Errorf("the report is of %v ago", since)
	}
	b.write(map[string]string{"a": "changed"})
	if r := b.good(b.run(ModePredict, copyPlan("."))); state(r) != "re-run a changed" || r.Builds != 1 || r.BuildID != "" {
		t.Errorf("prediction: %s, %+v", state(r), r)
	}
	if n := len(b.record().Builds); n != 1 {
		t.Errorf("a prediction left %d builds in the record", n)
	}
	if r := b.good(b.run(ModeRecord, copyPlan("."))); state(r) != "re-run a changed" || r.BuildID == first.BuildID {
		t.Errorf("second build: %s, %+v", state(r), r)
	}
	b.write(map[string]string{"a": "1"})
	if r := b.good(b.run(ModeRecord, copyPlan("."))); state(r) != "hit" || r.Builds != 2 {
		t.Errorf("return to the first state: %s, %+v", state(r), r)
	}
}

// Every context has its own files; those of one that is not mounted are unknown.
func TestContexts(t *testing.T) {
	b := newBox(t)
	writeFile(t, b.context(), "same", "main")
	writeFile(t, filepath.Join(b.Contexts, "1"), "same", "other")
	plan := planOf(
		cachepolicy.FileSet{ID: "main", Patterns: []string{"same"}},
		cachepolicy.FileSet{ID: "other", Context: "other", Patterns: []string{"same"}},
		cachepolicy.FileSet{ID: "strange", Context: "strange", Patterns: []string{"same"}},
		cachepolicy.FileSet{ID: "missing", Context: "missing", Patterns: []string{"same"}},
		cachepolicy.FileSet{ID: "nothing", Patterns: []string{"nothing"}},
	)
	r := b.request(&Request{Version: Version, Mode: ModeRecord, Plan: plan, Contexts: []string{"", "other", "missing"}, Record: testRecord})
	sets := r.Plan.Files
	if !sets[0].Known || !sets[1].Known || sets[0].Digest == sets[1].Digest {
		t.Errorf("main %+v, other %+v", sets[0], sets[1])
	}
	if sets[2].Known || sets[3].Known {
		t.Errorf("strange %+v, missing %+v", sets[2], sets[3])
	}
	if !sets[4].Known || sets[4].Count != 0 {
		t.Errorf("nothing: %+v", sets[4])
	}
	if len(r.Problems) != 1 || r.BuildID == "" {
		t.Errorf("problems %q, build %q", r.Problems, r.BuildID)
	}
}

// A selection that is too large is unknown.
func TestTooManyFiles(t *testing.T) {
	b := newBox(t)
	const files = 1000
	for i := range files {
		writeFile(t, b.context(), fmt.Sprint(i), "")
	}
	var patterns []string
	for range maxFiles/files + 1 {
		patterns = append(patterns, "*")
	}
	r := b.run(ModeRecord, planOf(cachepolicy.FileSet{ID: "few", Patterns: []string{"1"}}, cachepolicy.FileSet{ID: "many", Patterns: patterns}))
	if few, many := r.Plan.Files[0].Known, r.Plan.Files[1].Known; !few || many || len(r.Problems) != 1 {
		t.Errorf("few %v, many %v, problems %q", few, many, r.Problems)
	}
}

// What cannot be read is unknown, and the rest of the build is recorded.
func TestUnreadable(t *testing.T) {
	b := newBox(t)
	b.write(map[string]string{"open": "1", "closed/x": "2"})
	b.must(os.Chmod(filepath.Join(b.context(), "closed"), 0))
	defer os.Chmod(filepath.Join(b.context(), "closed"), 0o755)
	defer asNobody(t)()
	tree, err := openTree(b.context())
	b.must(err)
	n, err := tree.at("/closed")
	b.must(err)
	if err := tree.list(n); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("list: %v", err)
	}
	if _, err := selectFiles(tree, &cachepolicy.FileSet{Patterns: []string{"closed/*"}}); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("wildcard: %v", err)
	}
	if _, err := selectFiles(tree, &cachepolicy.FileSet{Patterns: []string{"open"}}); err != nil {
		t.Errorf("another file: %v", err)
	}
}

// asNobody takes the rights on files from this thread, and returns what gives them
// back.
func asNobody(t *testing.T) func() {
	t.Helper()
	runtime.LockOSThread()
	if os.Geteuid() == 0 {
		if err := unix.Setfsuid(65534); err != nil {
			t.Fatal(err)
		}
	}
	return func() {
		unix.Setfsuid(os.Geteuid())
		runtime.UnlockOSThread()
	}
}

// A records directory that nothing can be written to costs the record alone.
func TestReadOnlyRecords(t *testing.T) {
	b := newBox(t)
	b.write(map[string]string{"a": "1"})
	b.good(b.run(ModeRecord, copyPlan(".")))
	b.must(os.Chmod(b.Records, 0o555))
	b.must(os.Chmod(b.Out, 0o777))
	data, err := EncodeRequest(&Request{Version: Version, Mode: ModeRecord, Plan: copyPlan("a"), Contexts: []string{""}, Record: testRecord})
	b.must(err)
	b.must(os.WriteFile(b.Dirs.request(), data, 0o644))
	restore := asNobody(t)
	r := b.again()
	restore()
	if len(r.Problems) == 0 || r.BuildID != "" || r.Builds != 1 || len(r.Predictions) != 1 || !r.Plan.Files[0].Known {
		t.Errorf("%+v", r)
	}
	if n := len(b.record().Builds); n != 1 {
		t.Errorf("%d builds in the record", n)
	}
}

// Neither do things in the place of the record, or no directory at all.
func TestNoRecords(t *testing.T) {
	tests := map[string]func(b *box) error{
		"no directory": func(b *box) error { return os.RemoveAll(b.Records) },
		"a file": func(b *box) error {
			return errors.Join(os.RemoveAll(b.Records), os.WriteFile(b.Records, nil, 0o644))
		},
		"a directory in place of the record": func(b *box) error {
			return os.MkdirAll(filepath.Join(b.Records, testRecord+recordSuffix, "x"), 0o755)
		},
		"a directory in place of the lock": func(b *box) error { return os.MkdirAll(filepath.Join(b.Records, lockName), 0o755) },
		"a link in place of the record": func(b *box) error {
			return os.Symlink(b.context(), filepath.Join(b.Records, testRecord+recordSuffix))
		},
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			b := newBox(t)
			b.write(map[string]string{"a": "1"})
			b.must(change(b))
			r := b.run(ModeRecord, copyPlan("."))
			if len(r.Problems) == 0 || r.BuildID != "" || !r.Plan.Files[0].Known || len(r.Predictions) != 1 {
				t.Errorf("%+v", r)
			}
		})
	}
}

// A record that is damaged or foreign is as good as none, and is replaced.
func TestDamagedRecord(t *testing.T) {
	b := newBox(t)
	b.write(map[string]string{"a": "1"})
	b.good(b.run(ModeRecord, copyPlan(".")))
	file := filepath.Join(b.Records, testRecord+recordSuffix)
	good, err := os.ReadFile(file)
	b.must(err)
	tree, _ := b.index()
	for name, data := range map[string][]byte{
		"empty": {}, "cut": good[:len(good)/2], "foreign": []byte("#!/bin/sh\n"), "flipped": append(bytes.Clone(good[:len(good)-1]), good[len(good)-1]^1),
		"huge": make([]byte, cachepolicy.MaxRecordBytes+1),
	} {
		b.must(os.WriteFile(file, data, 0o644))
		b.must(os.WriteFile(filepath.Join(b.Records, indexName(tree)), data, 0o644))
		if r := b.good(b.run(ModeRecord, copyPlan("."))); r.Builds != 0 || r.BuildID == "" {
			t.Errorf("%s: %+v", name, r)
		}
		if r := b.good(b.run(ModeRecord, copyPlan("."))); r.Builds != 1 || state(r) != "hit" {
			t.Errorf("%s: afterwards %+v", name, r)
		}
	}
}

// Whatever is wrong with the request, there is a report.
func TestBadRequest(t *testing.T) {
	b := newBox(t)
	good, err := EncodeRequest(&Request{Version: Version, Mode: ModeRecord, Plan: copyPlan("."), Record: testRecord})
	b.must(err)
	for name, data := range map[string][]byte{
		"none": nil, "empty": {}, "cut": good[:len(good)-1], "huge": make([]byte, MaxRequestBytes+1),
		"version": bytes.Replace(good, []byte(`"version":1`), []byte(`"version":2`), 1),
		"mode":    bytes.Replace(good, []byte(`"record"`), []byte(`"play"`), 1),
		"name":    bytes.Replace(good, []byte(testRecord), []byte("../"+testRecord[3:]), 1),
		"plan":    bytes.Replace(good, []byte(`"plan"`), []byte(`"plane"`), 1),
		"set":     bytes.Replace(good, []byte(`"files":"set"`), []byte(`"files":"tes"`), 1),
	} {
		os.Remove(b.Dirs.request())
		if data != nil {
			b.must(os.WriteFile(b.Dirs.request(), data, 0o644))
		}
		if r := b.again(); len(r.Problems) != 1 || r.BuildID != "" || len(r.Predictions) != 0 {
			t.Errorf("%s: %+v", name, r)
		}
	}
	if entries, err := os.ReadDir(b.Records); err != nil || len(entries) != 0 {
		t.Errorf("records: %v, %v", entries, err)
	}
}

// A panic is a problem like others.
func TestPanic(t *testing.T) {
	r := run{report: Report{Version: Version, BuildID: "x"}}
	r.attempt(func() { panic("oops") })
	if want := []string{"panic: oops"}; !reflect.DeepEqual(r.report.Problems, want) || r.report.BuildID != "" || r.report.Version != Version {
		t.Errorf("%+v", r.report)
	}
}

func TestNoReport(t *testing.T) {
	b := newBox(t)
	b.must(os.RemoveAll(b.Out))
	if err := Run(b.Dirs); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v", err)
	}
	if err := WriteKey(b.Dirs); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v", err)
	}
}

func TestResults(t *testing.T) {
	b := newBox(t)
	b.write(map[string]string{"a": "1"})
	first := b.good(b.run(ModeRecord, copyPlan(".")))
	results := []cachepolicy.Result{{Outcome: cachepolicy.OutcomeDone, Seconds: 2.5}}
	req := &Request{Version: Version, Mode: ModeResults, Record: testRecord, BuildID: first.BuildID, Results: results, Nonce: "1"}
	if r := b.good(b.request(req)); r.BuildID != first.BuildID || r.Predictions != nil {
		t.Errorf("%+v", r)
	}
	if got := b.record().Builds[0].Results; !reflect.DeepEqual(got, results) {
		t.Errorf("recorded %v", got)
	}
	if r := b.good(b.run(ModePredict, copyPlan("."))); r.Predictions[0].Seconds != 2.5 {
		t.Errorf("%+v", r.Predictions)
	}
	req.BuildID = "unknown"
	req.Results = []cachepolicy.Result{{Outcome: cachepolicy.OutcomeFailed}}
	b.good(b.request(req))
	if got := b.record().Builds[0].Results; !reflect.DeepEqual(got, results) {
		t.Errorf("recorded %v", got)
	}
}

// Builds that are recorded at once are all recorded, from one process and from many.
func TestConcurrent(t *testing.T) {
	b := newBox(t)
	b.write(map[string]string{"a": "1", "b": "2"})
	var boxes []*box
	for i := range cachepolicy.MaxRecordBuilds {
		own := newBox(t)
		own.must(os.RemoveAll(own.Records))
		own.must(os.Symlink(b.Records, own.Records))
		own.must(os.RemoveAll(own.Contexts))
		own.must(os.Symlink(b.Contexts, own.Contexts))
		plan := copyPlan(".")
		plan.Steps[0].Inputs = append(plan.Steps[0].Inputs, cachepolicy.NewInput(cachepolicy.InputEnv, "N", fmt.Sprint(i), cachepolicy.Origin{}))
		data, err := EncodeRequest(&Request{Version: Version, Mode: ModeRecord, Plan: plan, Contexts: []string{""}, Record: testRecord})
		own.must(err)
		own.must(os.WriteFile(own.Dirs.request(), data, 0o644))
		boxes = append(boxes, own)
	}
	self, err := os.Executable()
	b.must(err)
	var wg sync.WaitGroup
	for i, own := range boxes {
		wg.Go(func() {
			if i%2 == 0 {
				if err := Run(own.Dirs); err != nil {
					t.Error(err)
				}
				return
			}
			cmd := exec.Command(self)
			cmd.Env = append(os.Environ(), runEnv+"="+filepath.Dir(own.Request))
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
	wg.Wait()
	recorded := map[string]bool{}
	for _, build := range b.record().Builds {
		recorded[build.ID] = true
	}
	for i, own := range boxes {
		data, err := os.ReadFile(own.report())
		b.must(err)
		r, err := DecodeReport(data)
		b.must(err)
		if len(r.Problems) > 0 || !recorded[r.BuildID] {
			t.Errorf("build %d is lost: problems %q", i, r.Problems)
		}
	}
}

// A value that looks secret is nowhere, and a plan that shows one is not taken.
func TestSecrets(t *testing.T) {
	const value = "hunter2-of-this-test"
	b := newBox(t)
	b.write(map[string]string{"a": "1"})
	plan := func(value string) *cachepolicy.Plan {
		p := copyPlan(".")
		in := cachepolicy.NewVariable(cachepolicy.InputArg, "NPM_TOKEN", value, cachepolicy.Origin{}, []byte("key"))
		p.Steps[0].Inputs = append(p.Steps[0].Inputs, in)
		return p
	}
	b.good(b.run(ModeRecord, plan(value)))
	if r := b.good(b.run(ModeRecord, plan(value+"!"))); !strings.Contains(state(r), "NPM_TOKEN") {
		t.Errorf("the change is not seen: %s", state(r))
	}
	b.scan(value)

	shown := copyPlan(".")
	shown.Steps[0].Inputs = append(shown.Steps[0].Inputs, cachepolicy.NewInput(cachepolicy.InputEnv, "NPM_TOKEN", value, cachepolicy.Origin{}))
	if _, err := EncodeRequest(&Request{Version: Version, Mode: ModeRecord, Plan: shown, Record: testRecord}); err == nil || strings.Contains(err.Error(), value) {
		t.Errorf("error %v", err)
	}
	b.must(os.WriteFile(b.Dirs.request(), fmt.Appendf(nil, `{"version":1,"mode":"record","record":%q,"plan":{"version":1,"steps":[{"inputs":[{"kind":"env","name":"NPM_TOKEN","value":%q}]}]}}`, testRecord, value), 0o644))
	if r := b.again(); len(r.Problems) != 1 || r.BuildID != "" {
		t.Errorf("%+v", r)
	}
	b.scan(value)
}

// scan fails the test if a text is in anything that the recorder wrote.
func (b *box) scan(text string) {
	b.t.Helper()
	for _, dir := range []string{b.Records, b.Out} {
		b.must(filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			data, err := os.ReadFile(path)
			if bytes.Contains(data, []byte(text)) {
				b.t.Errorf("%s holds the secret", path)
			}
			return err
		}))
	}
}

func TestKey(t *testing.T) {
	b := newBox(t)
	keys := map[string]bool{}
	for range 2 {
		b.must(WriteKey(b.Dirs))
		data, err := os.ReadFile(b.key())
		b.must(err)
		if len(data) != 64 || strings.Trim(string(data), "0123456789abcdef") != "" {
			t.Errorf("key %q", data)
		}
		keys[string(data)] = true
	}
	if len(keys) != 2 {
		t.Error("two equal keys")
	}
}

// A report that is too large is one without predictions.
func TestReportBounded(t *testing.T) {
	p := copyPlan(".")
	p.Dockerfile = strings.Repeat("x", MaxReportBytes)
	r := Report{Version: Version, BuildID: "b", Plan: p, Predictions: []cachepolicy.Prediction{{}}}
	data, err := r.encode()
	if err != nil {
		t.Fatal(err)
	}
	back, err := DecodeReport(data)
	if err != nil || back.BuildID != "b" || len(back.Problems) != 1 || len(back.Predictions) != 0 {
		t.Errorf("%d bytes, %v", len(data), err)
	}
	for name, data := range map[string]string{
		"huge": strings.Repeat(" ", MaxReportBytes+1), "cut": `{"version":1`, "version": `{"version":2}`,
		"plan":        `{"version":1,"plan":{"version":1,"steps":[{"inputs":[{"files":"x"}]}]}}`,
		"predictions": `{"version":1,"predictions":[{"step":0}]}`,
		"step":        `{"version":1,"plan":{"version":1,"steps":[{"inputs":[]}]},"predictions":[{"step":1}]}`,
	} {
		if _, err := DecodeReport([]byte(data)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
