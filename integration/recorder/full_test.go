package recorder_test

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/cachewright/cachewright/cachepolicy"
	"github.com/cachewright/cachewright/cachepolicy/cacheplan"
	"github.com/cachewright/cachewright/cachepolicy/explain"
	"github.com/cachewright/cachewright/cachepolicy/record"
	"github.com/cachewright/cachewright/frontend/recorder"
)

// A disk without space, or one that cannot be written to, costs the record and
// nothing else: what is there is read all the same.
func TestRecordsOnFullDisk(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, d := range []string{"request", "contexts/0", "records", "out"} {
		must(os.MkdirAll(at(d), 0o755))
	}
	mountSmall(t, at("records"))

	ask := func(req *recorder.Request) *recorder.Report {
		t.Helper()
		data, err := recorder.EncodeRequest(req)
		must(err)
		must(os.WriteFile(at("request/"+recorder.RequestName), data, 0o644))
		must(recorder.Run(recorder.Dirs{Request: at("request"), Contexts: at("contexts"), Records: at("records"), Out: at("out")}))
		data, err = os.ReadFile(at("out/" + recorder.ReportName))
		must(err)
		r, err := recorder.DecodeReport(data)
		must(err)
		return r
	}
	run := func(content string) *recorder.Report {
		t.Helper()
		must(os.WriteFile(at("contexts/0/a"), []byte(content), 0o644))
		plan := &cacheplan.Plan{Version: cacheplan.Version, Files: []cacheplan.FileSet{{ID: "a", Patterns: []string{"a"}}}}
		plan.Steps = []cacheplan.Step{{Inputs: []cachepolicy.Input{{Kind: cachepolicy.InputFiles, Files: "a"}}}}
		return ask(&recorder.Request{Version: recorder.Version, Mode: recorder.ModeRecord, Plan: plan, Contexts: []string{""}, Record: record.Name("test")})
	}
	first := run("1")
	if len(first.Problems) > 0 || first.BuildID == "" {
		t.Fatalf("with space: %+v", first)
	}
	done := []record.Result{{Outcome: record.OutcomeDone}}
	ask(&recorder.Request{Version: recorder.Version, Mode: recorder.ModeResults, Record: record.Name(), Keys: first.Keys, Results: done})
	fill(t, at("records/filler"))
	lost := func(when string, r *recorder.Report) {
		t.Helper()
		if len(r.Problems) == 0 || r.BuildID != "" || r.Builds != 1 || explain.Text(r.Predictions[0].Reasons) != "a changed" {
			t.Errorf("%s: %+v", when, r)
		}
		left, err := filepath.Glob(at("records/tmp-*"))
		if must(err); len(left) > 0 {
			t.Errorf("%s: left behind: %q", when, left)
		}
	}
	lost("full", run("2"))
	must(unix.Mount("", at("records"), "", unix.MS_REMOUNT|unix.MS_RDONLY, ""))
	lost("read-only", run("3"))
	must(unix.Mount("", at("records"), "", unix.MS_REMOUNT, ""))
	must(os.Remove(at("records/filler")))
	if r := run("1"); len(r.Problems) > 0 || r.BuildID == "" || r.Predictions[0].State != explain.StateHit {
		t.Errorf("with space again: %+v", r)
	}
}

// mountSmall mounts a small file system that only this test sees. The test's thread
// is not given back.
func mountSmall(t *testing.T, dir string) {
	t.Helper()
	runtime.LockOSThread()
	err := unix.Unshare(unix.CLONE_NEWNS)
	if err == nil {
		err = unix.Mount("", "/", "", unix.MS_PRIVATE|unix.MS_REC, "")
	}
	if err == nil {
		err = unix.Mount("tmpfs", dir, "tmpfs", 0, "size=64k")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Unmount(dir, unix.MNT_DETACH) })
}

// fill writes a file until there is no space left.
func fill(t *testing.T, name string) {
	t.Helper()
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for err == nil {
		_, err = f.Write(make([]byte, 512))
	}
	if !errors.Is(err, unix.ENOSPC) {
		t.Fatal(err)
	}
}
