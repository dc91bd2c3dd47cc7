package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/cachewright/cachewright/integration/sandbox"
)

func TestShow(t *testing.T) {
	sb := sandbox.Shared(t, sandbox.Alpine)
	if err := sb.PushFrontend(t.Context(), sandbox.FrontendRef); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := show(t.Context(), sb, &out); err != nil {
		t.Fatalf("%v\n%s", err, &out)
	}
	const want = "\ncached: first build 0 of 11, unchanged 11 of 11, one source changed 8 of 11, other CACHEBUST 10 of 11\n"
	if !strings.HasSuffix(out.String(), want) {
		t.Errorf("the output does not end with %q:\n%s", want, &out)
	}
}
