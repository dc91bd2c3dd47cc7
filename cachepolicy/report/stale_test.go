package report

import (
	"strings"
	"testing"
	"time"

	"github.com/cachewright/cachewright/cachepolicy/explain"
)

func TestFetchesNewest(t *testing.T) {
	for text, want := range map[string]bool{
		"RUN apt-get update && apt-get -y upgrade":                     true,
		"RUN apt-get update && apt-get install -y curl":                true,
		"RUN DEBIAN_FRONTEND=noninteractive apt-get install -y curl=8": false,
		"RUN apt-get install -y a=1 b=2 c":                             true,
		"RUN apt-get update":                                           false,
		"RUN apt-get clean; rm -rf /var/lib/apt":                       false,
		"RUN apk upgrade --no-cache":                                   true,
		"RUN apk add --no-cache curl~8":                                false,
		"RUN --mount=type=cache,target=/var/cache /sbin/apk add curl":  true,
		"RUN dnf -y update":                                            true,
		"RUN dnf -y install nginx-1.24.0":                              false,
		"RUN dnf -y install nginx":                                     true,
		"RUN echo apt":                                                 false,
		"RUN make":                                                     false,
	} {
		if got := fetchesNewest(text); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}

func TestStale(t *testing.T) {
	now := time.Date(2026, 5, 20, 12, 0, 0, 0, time.UTC)
	r := sample(t, "FROM a\nRUN apt-get upgrade\nRUN make\n", map[string]string{})
	r.Now = now
	for i := range r.Predictions {
		r.Predictions[i].Ran = now.Add(-40 * day)
	}
	a, err := compact(r)
	if err != nil || !strings.Contains(a.Text, "hit     [stage-0 3/3] RUN make  (last ran 40 days ago)\n") {
		t.Errorf("%v\n%s", err, a.Text)
	}
	if a, err = github(r); err != nil || !strings.Contains(a.Text, "::warning file=Dockerfile,line=2,endLine=2,title=Cache%3A StaleUpgrade::stage-0/2 has the packages of 40 days ago; ") || strings.Count(a.Text, "::warning") != 1 {
		t.Errorf("%v\n%s", err, a.Text)
	}
	r.Skip = []string{"StaleUpgrade"}
	if f := r.stale(); len(f) > 0 {
		t.Errorf("skipped, but found %+v", f)
	}
	r.Skip, r.Predictions[1].Ran = nil, now.Add(-staleAfter+time.Second)
	if f := r.stale(); len(f) > 0 {
		t.Errorf("not old yet, but found %+v", f)
	}
	r.Predictions[1].State = explain.StateReRun
	if age := r.age(1); age != "" {
		t.Errorf("a step that runs again %s", age)
	}
}
