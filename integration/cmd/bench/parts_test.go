package main

import (
	"slices"
	"strings"
	"testing"
)

func TestChoose(t *testing.T) {
	all := []part{{name: "a"}, {name: "b"}, {name: "c"}}
	for list, want := range map[string][]string{"": {"a", "b", "c"}, "c,a": {"c", "a"}} {
		chosen, err := choose(all, list)
		if err != nil || !slices.Equal(names(chosen), want) {
			t.Errorf("%q chooses %q, %v; want %q", list, names(chosen), err, want)
		}
	}
	if _, err := choose(all, "a,d"); err == nil || !strings.Contains(err.Error(), `no part "d": use a, b, c`) {
		t.Errorf("error %v", err)
	}
}
