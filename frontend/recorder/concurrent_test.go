package recorder

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/cachewright/cachewright/cachepolicy"
	"github.com/cachewright/cachewright/cachepolicy/record"
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

// Builds that are recorded at once are all recorded, from one process and from many.
func TestConcurrent(t *testing.T) {
	b := newBox(t)
	b.write(map[string]string{"a": "1", "b": "2"})
	var boxes []*box
	for i := range record.MaxBuilds {
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
