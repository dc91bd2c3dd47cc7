package record_test

import (
	"testing"

	"github.com/cachewright/cachewright/cachepolicy/record"
)

// Builds of one tree have traces in common, as long as not too much of it was edited,
// and those of two trees that look alike have not.
func TestTraces(t *testing.T) {
	type tree map[string]int64 // the times of files
	traces := func(files tree) record.Traces {
		var all []record.TracedFile
		for name, changed := range files {
			all = append(all, record.TracedFile{Path: name, Size: 1, Changed: changed})
		}
		return record.NewTraces(all)
	}
	const s = int64(1e9)
	own := tree{"Dockerfile": s + 1, "lib": 2*s + 2}
	archive := tree{"Dockerfile": 1001 * s, "lib": 1002 * s, "src": 1003 * s}
	for name, c := range map[string]struct {
		a, b tree
		want bool
	}{
		"one edited":                          {own, tree{"Dockerfile": s + 1, "lib": 9*s + 9}, true},
		"another tree":                        {own, tree{"Dockerfile": 3*s + 1, "lib": 4*s + 2}, false},
		"names swapped":                       {own, tree{"Dockerfile": 2*s + 2, "lib": s + 1}, false},
		"nothing":                             {own, nil, true},
		"own and from an archive":             {own, tree{"Dockerfile": s, "lib": 2 * s}, false},
		"archive, one edited":                 {archive, tree{"Dockerfile": 1001 * s, "lib": 1002 * s, "src": 9*s + 9}, true},
		"archive, edited twice":               {tree{"Dockerfile": 1001 * s, "lib": 1002 * s, "src": 8*s + 8}, tree{"Dockerfile": 1001 * s, "lib": 1002 * s, "src": 9*s + 9}, true},
		"archives with a file in common":      {archive, tree{"Dockerfile": 2001 * s, "lib": 1002 * s, "src": 2003 * s}, false},
		"archives of one time":                {tree{"Dockerfile": 1001 * s, "lib": 1001 * s}, tree{"Dockerfile": 1001 * s, "lib": 1001 * s}, false},
		"archives without times":              {tree{"Dockerfile": 0, "lib": s}, tree{"Dockerfile": 0, "lib": s}, false},
		"archives of the year 1980":           {tree{"Dockerfile": 315532800 * s, "lib": 315536400 * s}, tree{"Dockerfile": 315532800 * s, "lib": 315536400 * s}, false},
		"archive without times, one edited":   {tree{"Dockerfile": 0, "lib": 0}, tree{"Dockerfile": 0, "lib": 9*s + 9}, false},
		"archive without times, edited twice": {tree{"a": 0, "b": 8*s + 8, "c": 7*s + 7}, tree{"a": 0, "b": 9*s + 9, "c": 7*s + 7}, true},
	} {
		if got := traces(c.a).Meet(traces(c.b)); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
		if traces(c.b).Meet(traces(c.a)) != c.want {
			t.Errorf("%s: it matters which comes first", name)
		}
	}
}
