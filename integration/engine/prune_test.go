package engine_test

import (
	"strings"
	"testing"
)

// TestPrune looks at what builds have stored, and builds again after each way to
// remove some or all of it: the steps whose results are gone run again, and nothing is
// said to have changed.
func TestPrune(t *testing.T) {
	p := newProject(t, map[string]string{"Dockerfile": app, "src/a": "first\n"})
	build := append(append([]string{"build"}, engineArgs...), ".")
	p.docker(build...)
	p.said(p.docker("buildx", "du", "--verbose"),
		"Description:  [build 3/4] COPY src src\n",
		`Description:  cached mount /cachewright/records from exec /bin/cachewright record with id "cachewright-records"`,
		"Type:         frontend\n")
	for _, test := range []struct {
		name  string
		prune []string
		ends  string // of the steps
	}{
		{"unused results", []string{"buildx", "prune", "-f"}, ""},
		{"records", []string{"buildx", "prune", "-af", "--filter=type=exec.cachemount"}, "CACHED"},
		{"frontend", []string{"buildx", "prune", "-af", "--filter=type=frontend"}, "CACHED"},
		{"results", []string{"buildx", "prune", "-af", "--filter=type=regular"}, "DONE"},
		{"all with buildx", []string{"buildx", "prune", "-af"}, "DONE"},
		{"all with builder", []string{"builder", "prune", "-af"}, "DONE"},
	} {
		t.Run(strings.ReplaceAll(test.name, " ", "-"), func(t *testing.T) {
			p := &project{t, p.e, p.dir}
			p.docker(test.prune...)
			out := p.docker(build...)
			all := steps(out)
			if len(all) != 5 {
				t.Errorf("want 5 steps: %v\n%s", all, out)
			}
			for step, end := range all {
				if test.ends != "" && end != test.ends || strings.Contains(step, "changed") {
					t.Errorf("%s is %s, want %s\n%s", step, end, test.ends, out)
				}
			}
		})
	}
}
