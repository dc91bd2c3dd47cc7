package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spdx/tools-golang/spdx"
)

// TestScan scans an image with a program, this test, and with a file that is none,
// and a second filesystem with nothing.
func TestScan(t *testing.T) {
	source, extras, out := filepath.Join(t.TempDir(), "sbom"), t.TempDir(), t.TempDir()
	for _, dir := range []string{filepath.Join(source, "bin"), filepath.Join(extras, "sbom-context")} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	body, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	for name, body := range map[string][]byte{"bin/program": body, "script": []byte("#!/bin/sh\n")} {
		if err := os.WriteFile(filepath.Join(source, name), body, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	env := map[string]string{
		"BUILDKIT_SCAN_SOURCE":            source,
		"BUILDKIT_SCAN_SOURCE_EXTRAS":     extras,
		"BUILDKIT_SCAN_DESTINATION":       out,
		"BUILDKIT_SCAN_SOURCE_DATE_EPOCH": "1700000000",
	}
	if err := run(func(name string) string { return env[name] }); err != nil {
		t.Fatal(err)
	}
	doc := read(t, filepath.Join(out, "sbom.spdx.json"))
	if len(doc.Files) != 1 || doc.Files[0].FileName != "/bin/program" {
		t.Errorf("files: %+v", doc.Files)
	}
	if got := doc.CreationInfo.Created; got != "2023-11-14T22:13:20Z" {
		t.Errorf("created %s", got)
	}
	var names []string
	for _, p := range doc.Packages {
		names = append(names, p.PackageName)
	}
	if all := strings.Join(names, " "); !strings.Contains(all, "stdlib") || !strings.Contains(all, "github.com/spdx/tools-golang") {
		t.Errorf("packages: %s", all)
	}
	if doc := read(t, filepath.Join(out, "sbom-context.spdx.json")); len(doc.Files)+len(doc.Packages) != 0 {
		t.Errorf("found in nothing: %+v", doc)
	}
}

// TestEnvironment leaves out or garbles what the scanner needs.
func TestEnvironment(t *testing.T) {
	for _, test := range []struct {
		env  map[string]string
		want string
	}{
		{nil, "BUILDKIT_SCAN_SOURCE and BUILDKIT_SCAN_DESTINATION have to be set"},
		{map[string]string{"BUILDKIT_SCAN_SOURCE": "/", "BUILDKIT_SCAN_DESTINATION": "/", "BUILDKIT_SCAN_SOURCE_DATE_EPOCH": "today"}, `"today": want Unix seconds`},
		{map[string]string{"BUILDKIT_SCAN_SOURCE": "/nonexistent", "BUILDKIT_SCAN_DESTINATION": t.TempDir()}, "scan /nonexistent:"},
	} {
		err := run(func(name string) string { return test.env[name] })
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v: %v, want %q", test.env, err, test.want)
		}
	}
}

func read(t *testing.T, file string) *spdx.Document {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var s statement
	if err := json.Unmarshal(data, &s); err != nil {
		t.Fatal(err)
	}
	return s.Predicate
}
