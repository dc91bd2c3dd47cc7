package record_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cachewright/cachewright/cachepolicy/cacheplan"
	"github.com/cachewright/cachewright/cachepolicy/internal/plantext"
	"github.com/cachewright/cachewright/cachepolicy/record"
)

const logPlan = `app 1/3 FROM a
  base a sha256:BASE
app 2/3 COPY . .
  files all
app 3/3 RUN x
  arg A=ARG 3
set all .
  d v0 040755
  d/a FILE 100MODE
`

func logged(t *testing.T, pairs ...string) *cacheplan.Plan {
	all := append(slices.Clone(pairs), "BASE", "11", "ARG", "secret-value", "FILE", "v1", "MODE", "644")
	return plantext.Parse(t, strings.NewReplacer(all...).Replace(logPlan)).Plan
}

// TestLogEntry changes one thing after the other, and looks for its name.
func TestLogEntry(t *testing.T) {
	before := []record.Build{{ID: "before", Plan: logged(t)}}
	for _, c := range []struct {
		name string
		plan *cacheplan.Plan
		want string // kinds and names of what changed
	}{
		{"nothing", logged(t), ""},
		{"an argument", logged(t, "ARG", "other-value"), "arg A"},
		{"a file", logged(t, "FILE", "v2"), "file-state d/a"},
		{"a mode", logged(t, "MODE", "755"), "file-state d/a"},
		{"a base", logged(t, "BASE", "22"), "base "},
		{"a file more", plantext.Parse(t, strings.NewReplacer("BASE", "11", "ARG", "secret-value", "FILE", "v1", "MODE", "644").Replace(logPlan)+"  d/b v1 100644\n").Plan, "file-state d/b"},
	} {
		e := record.NewLogEntry("now", time.Unix(1000, 5), c.plan, before, nil)
		var got []string
		for _, change := range e.Changes {
			got = append(got, string(change.Kind)+" "+change.Name)
			if change.Old == change.New {
				t.Errorf("%s: from %q to the same", c.name, change.Old)
			}
		}
		if text := strings.Join(got, ", "); text != c.want || e.Base != "before" || e.IsNews() != (c.want != "") {
			t.Errorf("%s: %q since %q, want %q", c.name, text, e.Base, c.want)
		}
		if data := string(record.AppendLog(nil, e)); strings.Contains(data, "value") {
			t.Errorf("%s: the log has a value: %s", c.name, data)
		}
	}
	other := logged(t)
	other.Target = "app"
	if e := record.NewLogEntry("now", time.Time{}, other, before, nil); e.Base != "" || len(e.Changes) > 0 || !e.IsNews() {
		t.Errorf("compared with another target: %+v", e)
	}
}

// TestLogIsBounded adds many builds, and large ones.
func TestLogIsBounded(t *testing.T) {
	for _, size := range []int{1, 5000} {
		var log []byte
		for i := range record.MaxLogBuilds + 10 {
			log = record.AppendLog(log, record.LogEntry{ID: fmt.Sprint(i), Shape: strings.Repeat("s", size)})
		}
		got := record.DecodeLog(log)
		if len(log) > record.MaxLogBytes || len(got) > record.MaxLogBuilds || got[len(got)-1].ID != fmt.Sprint(record.MaxLogBuilds+9) {
			t.Errorf("%d builds in %d bytes, the last is %q", len(got), len(log), got[len(got)-1].ID)
		}
		if size == 1 && len(got) != record.MaxLogBuilds {
			t.Errorf("%d builds are kept", len(got))
		}
	}
}

// TestDamagedLog reads what a process left that died while it wrote, and other things.
func TestDamagedLog(t *testing.T) {
	log := record.AppendLog(nil, record.LogEntry{ID: "a"})
	log = append(log, "{\"id\":\"b\",\"sha"...)
	if got := record.DecodeLog(log); len(got) != 1 || got[0].ID != "a" {
		t.Errorf("%+v", got)
	}
	log = record.AppendLog(log, record.LogEntry{ID: "c"})
	if got := record.DecodeLog(log); len(got) != 2 || got[1].ID != "c" {
		t.Errorf("%+v", got)
	}
	if got := record.DecodeLog([]byte("\x00\n[]\nnull\n{}\n")); len(got) != 0 {
		t.Errorf("%+v", got)
	}
}

// TestFileState writes states and reads them.
func TestFileState(t *testing.T) {
	f := cacheplan.File{Path: "a", Digest: cacheplan.FileDigest{1, 2}, Mode: 0o100755}
	if got, ok := record.ParseFileState("a", record.FileState(&f)); !ok || got != f {
		t.Errorf("%v, %v", got, ok)
	}
	for _, text := range []string{"", "x", "00 644", record.FileState(&f)[1:]} {
		if got, ok := record.ParseFileState("a", text); ok {
			t.Errorf("%q is %v", text, got)
		}
	}
}
