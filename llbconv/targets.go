package llbconv

import (
	"bytes"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/subrequests/targets"

	"github.com/cachewright/cachewright/llbconv/internal/position"
)

// Targets lists the stages of a Dockerfile, as they are written: nothing is
// expanded or looked up. It fails if the file cannot be parsed.
func Targets(dt []byte) (*targets.List, error) {
	file, err := parser.Parse(bytes.NewReader(dt))
	if err != nil {
		return nil, err
	}
	stages, _, err := instructions.Parse(file.AST, nil)
	if err != nil {
		return nil, err
	}
	list := &targets.List{Sources: [][]byte{dt}}
	for i, s := range stages {
		list.Targets = append(list.Targets, targets.Target{
			Name:        s.Name,
			Default:     i == len(stages)-1,
			Description: s.DocComment,
			Base:        s.BaseName,
			Platform:    s.Platform,
			Location:    position.Location(s.Location),
		})
	}
	return list, nil
}
