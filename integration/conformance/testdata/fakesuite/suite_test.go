// Package fakesuite behaves as badly as BuildKit's suite can: it fails, skips,
// crashes, and passes only at the second attempt.
package fakesuite

import (
	"os"
	"path/filepath"
	"testing"
)

var cases = map[string]func(*testing.T){
	"TestPasses": func(*testing.T) {},
	"TestFails":  func(t *testing.T) { t.Error("no") },
	"TestSkips":  func(t *testing.T) { t.Skip("not here") },
	"TestParts": func(t *testing.T) {
		t.Run("good", func(*testing.T) {})
		t.Run("bad", func(t *testing.T) { t.Error("no") })
	},
	"TestCrashes": func(*testing.T) { go panic("outside the test's goroutine"); select {} },
	"TestFlaky": func(t *testing.T) {
		marker := filepath.Join(os.Getenv("FAKE_STATE"), "tried")
		if _, err := os.Stat(marker); err == nil {
			return
		}
		if err := os.WriteFile(marker, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		t.Error("not at the first attempt")
	},
}

func TestIntegration(t *testing.T) {
	for name, run := range cases {
		t.Run(name+"/worker=fake/frontend=fake", func(t *testing.T) {
			if name != "TestFlaky" { // which has to be over when TestCrashes crashes
				t.Parallel()
			}
			run(t)
		})
	}
}
