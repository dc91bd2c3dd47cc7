package sandbox_test

import (
	"testing"

	"github.com/cachewright/cachewright/integration/sandbox"
)

// TestWithoutSessionLog drops the lines that are not about the build.
func TestWithoutSessionLog(t *testing.T) {
	text := "1 step as expected\n" +
		"2026/11/25 16:37:55 http2: server: error reading preface from client localhost: rpc error: code = Internal desc = SendMsg called after CloseSend\n" +
		"2026/11/25 19:44:43 http2: server connection error from localhost: connection error: PROTOCOL_ERROR\n" +
		"ERROR: 1 not"
	if got, want := sandbox.WithoutSessionLog(text), "1 step as expected\nERROR: 1 not"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
