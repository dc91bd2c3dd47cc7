package main

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestMain lets the test binary be the stand-in web server of an invocation.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == webCommand {
		fmt.Fprintln(os.Stderr, serveWeb(os.Args[2], os.Stdout))
		os.Exit(2)
	}
	os.Exit(m.Run())
}

// TestRunAllLosesNothing runs a suite that crashes, fails and flakes: every case
// gets its own outcome.
func TestRunAllLosesNothing(t *testing.T) {
	s := fakeSuite(t)
	got, err := s.runAll(t.Context(), selection{parallel: 2})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.retry(t.Context(), got, got.failedCases(), 2); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"TestPasses":     "pass",
		"TestFails":      "fail (attempt 3)",
		"TestSkips":      "skip",
		"TestParts":      "fail (attempt 3)",
		"TestParts/good": "pass",
		"TestParts/bad":  "fail (attempt 3)",
		"TestCrashes":    "fail (attempt 3)",
		"TestFlaky":      "pass (attempt 2)",
	}
	for _, name := range slices.Sorted(maps.Keys(got)) {
		if cell := got.cell(name); cell != want[name] {
			t.Errorf("%s: %s, want %s", name, cell, want[name])
		}
		delete(want, name)
	}
	for name := range want {
		t.Errorf("%s has no outcome", name)
	}
	if reason := got.skipReason("TestSkips"); reason != "not here" {
		t.Errorf("TestSkips was skipped because %q", reason)
	}
	if out := got["TestCrashes"].Output; !strings.Contains(out, "crashed") {
		t.Errorf("TestCrashes says %q", out)
	}
}

// TestRunAllSelects runs two of the cases, one of which is left out.
func TestRunAllSelects(t *testing.T) {
	got, err := fakeSuite(t).runAll(t.Context(), selection{cases: "Passes|Skips", skip: []string{"TestSkips"}, parallel: 1})
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 1 || got.status("TestPasses") != pass {
		t.Errorf("got %v, want TestPasses alone", slices.Sorted(maps.Keys(got)))
	}
}

// fakeSuite compiles testdata/fakesuite in the place of BuildKit's.
func fakeSuite(t *testing.T) *suite {
	t.Helper()
	dir := t.TempDir()
	s := &suite{
		binary:   filepath.Join(dir, "suite.test"),
		env:      []string{"FAKE_STATE=" + dir},
		worker:   "fake",
		mirror:   t.TempDir(),
		logs:     dir,
		progress: t.Logf,
	}
	if out, err := exec.Command("go", "test", "-c", "-o", s.binary, "./testdata/fakesuite").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if err := os.Mkdir(filepath.Join(s.mirror, "registry"), 0o755); err != nil {
		t.Fatal(err)
	}
	return s
}
