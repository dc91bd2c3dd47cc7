package main

import (
	"strings"
	"testing"
)

func TestTableJudges(t *testing.T) {
	up := results{
		"TestSame":                   {Status: pass, Attempts: 1},
		"TestWorse":                  {Status: pass, Attempts: 2},
		"TestExcepted":               {Status: pass, Attempts: 1},
		"TestExcepted/part":          {Status: pass, Attempts: 1},
		"TestPart":                   {Status: fail, Attempts: 3},
		"TestPart/worse":             {Status: pass, Attempts: 1},
		"TestGone":                   {Status: pass, Attempts: 1},
		"TestWhole":                  {Status: pass, Attempts: 1},
		"TestWhole/part":             {Status: pass, Attempts: 1},
		"TestBoth/network.host=deny": {Status: fail, Attempts: 3},
	}
	ours := results{
		"TestSame":                   {Status: pass, Attempts: 1},
		"TestWorse":                  {Status: skip, Attempts: 1},
		"TestExcepted":               {Status: fail, Attempts: 1},
		"TestExcepted/part":          {Status: fail, Attempts: 1},
		"TestPart":                   {Status: fail, Attempts: 1},
		"TestWhole":                  {Status: fail, Attempts: 1},
		"TestWhole/part":             {Status: fail, Attempts: 1},
		"TestPart/worse":             {Status: fail, Attempts: 1},
		"TestBoth/network.host=deny": {Status: fail, Attempts: 1},
	}
	known := map[string]string{"TestExcepted": "deliberate", "TestSame": "not any more"}
	tab := &table{mode: mode{name: "m"}, upstream: up, ours: ours, excepted: known}

	want := "TestGone TestPart/worse TestWhole TestWorse"
	if got := strings.Join(tab.regressions(), " "); got != want {
		t.Errorf("regressions %q, want %q", got, want)
	}
	if got := strings.Join(unneeded(known, []*table{tab}), " "); got != "TestSame" {
		t.Errorf("exceptions no longer needed: %q, want TestSame", got)
	}
	var out strings.Builder
	if summarise(&out, []*table{tab}) {
		t.Error("the bar is met with regressions")
	}
	for _, line := range []string{"regressions in mode m: TestGone, TestPart/worse, TestWhole, TestWorse\n", "in no mode that ran: TestBoth, TestPart\n"} {
		if !strings.Contains(out.String(), line) {
			t.Errorf("the summary lacks %q:\n%s", line, &out)
		}
	}
	out.Reset()
	tab.print(&out, true)
	for _, line := range strings.Split(out.String(), "\n") {
		if strings.HasPrefix(line, "TestSame") {
			t.Errorf("printed though it passes on both sides: %s", line)
		}
		if strings.HasPrefix(line, "TestExcepted ") && !strings.HasSuffix(line, "difference: deliberate") {
			t.Errorf("without its reason: %s", line)
		}
	}
}
