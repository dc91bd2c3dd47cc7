package llbconv

import "github.com/moby/buildkit/frontend/dockerfile/parser"

// outlineRef is a secret or agent that a stage asks for.
type outlineRef struct {
	name     string
	required bool
	location []parser.Range
}
