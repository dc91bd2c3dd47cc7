package reports_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestAges asks long after a build how old its results are.
func TestAges(t *testing.T) {
	p := start(t, "FROM busybox\nRUN mkdir -p /x; ln -s /bin/true /bin/apk; echo $ID\nRUN apk upgrade; echo $ID\nRUN true $ID\n", nil)
	build(p)
	in := func(days int) string {
		return "--build-arg=CACHEWRIGHT_NOW=" + time.Now().Add(time.Duration(days)*24*time.Hour+time.Hour).UTC().Format(time.RFC3339)
	}
	for _, c := range []struct {
		days            int
		call, says, not string
	}{
		{days: 0, call: "cache", says: "hit     [2/4] ", not: "last ran"},
		{days: 18, call: "cache", says: "(last ran 18 days ago)"},
		{days: 18, call: "cache-html", says: "last ran 18 days ago"},
		{days: 18, call: "cache-github", says: "4 hit", not: "::"},
		{days: 31, call: "cache-github", says: "::warning file=Dockerfile,line=3,endLine=3,title=Cache%3A StaleUpgrade::stage-0/3 has the packages of 31 days ago"},
	} {
		got := p.Call(c.call, in(c.days))
		if !strings.Contains(got, c.says) || c.not != "" && strings.Contains(got, c.not) {
			t.Errorf("%s after %d days:\n%s", c.call, c.days, got)
		}
	}
	for days, passes := range map[int]bool{6: true, 8: false} {
		r, err := p.Sandbox.Buildx(t.Context(), p.BuildxArgs("--call=cache-assert", "--build-arg=CACHEWRIGHT_EXPECT=*=younger:7d", in(days))...)
		if (err == nil) != passes {
			t.Errorf("after %d days: %v\n%s", days, err, r.Stdout)
		}
		if want := fmt.Sprintf("predicted hit, %dd old\n", days); !passes && !strings.Contains(r.Stdout, want) {
			t.Errorf("no %q in\n%s", want, r.Stdout)
		}
	}
	p.Edit("FROM busybox", "# check=skip=StaleUpgrade\nFROM busybox")
	if got := p.Call("cache-github", in(31)); strings.Contains(got, "::warning") {
		t.Errorf("the finding is not skipped:\n%s", got)
	}
}
