package main

import (
	"strings"
	"testing"
)

// A command that there is none of is an error that says what there is.
func TestUnknownCommand(t *testing.T) {
	for _, args := range [][]string{{"recrod"}, {"record", "x"}, {"mounts"}, {"keep"}, {"--help"}} {
		err := run(args)
		if err == nil || !strings.Contains(err.Error(), strings.Join(args, " ")) || !strings.Contains(err.Error(), "version, and record, key, mounts and keep") {
			t.Errorf("%q: %v", args, err)
		}
	}
}
