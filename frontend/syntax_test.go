package frontend_test

import (
	"testing"

	"github.com/moby/buildkit/frontend/gateway/client"

	"github.com/cachewright/cachewright/frontend"
)

// TestSyntax covers who builds a file that names a frontend.
func TestSyntax(t *testing.T) {
	const (
		digest = "@sha256:07e9e37c8c041c8fa4d36440a48c1c5e0c4e1b6bb9fbefd49360ca22e9b85bab"
		source = "source"
	)
	tests := []struct {
		name      string
		syntax    string // of the file
		opts      map[string]string
		forwarded string // to which image; empty if this frontend builds
	}{
		{"own name", "cachewright/dockerfile", nil, ""},
		{"own name with a tag", "cachewright/dockerfile:2", nil, ""},
		{"own name with a digest", "cachewright/dockerfile:1" + digest, nil, ""},
		{"own name on another registry", "registry.example:5000/cachewright/dockerfile:1", nil, ""},
		{"own name on this machine", "127.0.0.1:5000/cachewright/dockerfile", nil, ""},
		{"own name with arguments", "cachewright/dockerfile:1 --flag", nil, ""},
		{"image it was started from", "me/fork:1", map[string]string{source: "docker.io/me/fork:1"}, ""},
		{"image it was started from, without a tag", "me/fork", map[string]string{source: "me/fork:latest"}, ""},
		{"another tag of a fork", "me/fork:2", map[string]string{source: "me/fork:1"}, "me/fork:2"},
		{"another repository", "docker/dockerfile:1", map[string]string{source: "cachewright/dockerfile:1"}, "docker/dockerfile:1"},
		{"longer repository", "x/cachewright/dockerfile", nil, "x/cachewright/dockerfile"},
		{"no reference", "NOT/valid", map[string]string{source: "cachewright/dockerfile"}, "NOT/valid"},
		{"argument that names it", "docker/dockerfile:1", map[string]string{"build-arg:BUILDKIT_SYNTAX": "cachewright/dockerfile:1"}, ""},
		{"argument that names another", "cachewright/dockerfile:1", map[string]string{"build-arg:BUILDKIT_SYNTAX": " docker/dockerfile:1 x"}, "docker/dockerfile:1"},
		{"line that was followed", "docker/dockerfile:1", map[string]string{"cmdline": "docker/dockerfile:1", source: "docker/dockerfile:1"}, ""},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			g := gateway("# syntax="+tc.syntax+"\nFROM busybox\n", tc.opts)
			res, err := frontend.Build(t.Context(), g)
			if err != nil {
				t.Fatal(err)
			}
			if got := string(res.Metadata["forwarded"]); got != tc.forwarded {
				t.Errorf("forwarded to %q, want %q", got, tc.forwarded)
			}
		})
	}
}

// TestForwardLeavesOptions forwards twice over one gateway: the options of the
// second time are still the client's.
func TestForwardLeavesOptions(t *testing.T) {
	g := gateway("# syntax=docker/dockerfile:1\nFROM busybox\n", map[string]string{"build-arg:A": "1"})
	for range 2 {
		if _, err := frontend.Build(t.Context(), g); err != nil {
			t.Fatal(err)
		}
	}
	for _, key := range []string{"cmdline", "source"} {
		if v, ok := g.opts[key]; ok {
			t.Errorf("option %s=%q was added", key, v)
		}
	}
	var last client.SolveRequest
	for _, req := range g.solves {
		last = req
	}
	if last.FrontendOpt["build-arg:A"] != "1" || last.FrontendOpt["cmdline"] != "docker/dockerfile:1" {
		t.Errorf("forwarded options %v", last.FrontendOpt)
	}
}
