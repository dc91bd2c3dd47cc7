package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestExceptionsAreTests reads the table in docs/differences.md: each row names a
// test of the pinned suite.
func TestExceptionsAreTests(t *testing.T) {
	w, err := openWorkspace(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	known, err := readExceptions(w.path("docs", "differences.md"))
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(w.buildkit.Dir, "frontend", "dockerfile", "*_test.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("the suite's files: %v, %v", files, err)
	}
	var source strings.Builder
	for _, file := range files {
		dt, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		source.Write(dt)
	}
	for name := range known {
		if function := "\nfunc t" + strings.TrimPrefix(caseOf(name), "T") + "("; !strings.Contains(source.String(), function) {
			t.Errorf("%s is not in BuildKit's suite", name)
		}
	}
}

func TestParseExceptions(t *testing.T) {
	const head = "# Differences\n\n| a | b |\n| - | - |\n| x | y |\n\n" + exceptionsHeading + "\n\ntext\n\n| Test | Reason |\n| --- | --- |\n"
	for _, tt := range []struct{ text, want, err string }{
		{text: head, want: ""},
		{text: head + "| `TestX` | because |\n| `TestY/part` | of this |\n\n## More\n\n| `TestZ` | no |\n", want: "TestX=because TestY/part=of this"},
		{text: head + "| `TestX` | |\n", err: "write | `TestName` | reason |"},
		{text: head + "| X | why |\n", err: "write | `TestName` | reason |"},
		{text: head + "| `TestX` | a |\n| `TestX` | b |\n", err: "TestX is listed twice"},
		{text: "# Differences\n", err: "no section"},
	} {
		got, err := parseExceptions(tt.text)
		if tt.err != "" {
			if err == nil || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%q: error %v, want %q", tt.text, err, tt.err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%q: %v", tt.text, err)
		}
		for _, pair := range strings.Split(tt.want, " Test") {
			name, reason, _ := strings.Cut("Test"+strings.TrimPrefix(pair, "Test"), "=")
			if tt.want != "" && got[name] != reason {
				t.Errorf("%s: reason %q, want %q", name, got[name], reason)
			}
		}
	}
}
