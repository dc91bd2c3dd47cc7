package recorder

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cachewright/cachewright/cachepolicy"
	"github.com/cachewright/cachewright/cachepolicy/cacheplan"
)

// A value that looks secret is nowhere, and a plan that shows one is not taken.
func TestSecrets(t *testing.T) {
	const value = "hunter2-of-this-test"
	b := newBox(t)
	b.write(map[string]string{"a": "1"})
	plan := func(value string) *cacheplan.Plan {
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
