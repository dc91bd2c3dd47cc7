package llbconv

import (
	"bytes"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/pkg/errors"
)

// program is a parsed Dockerfile: nothing expanded, nothing looked up.
type program struct {
	file     *parser.Result
	stages   []instructions.Stage
	metaArgs []instructions.ArgCommand // ARG instructions before the first FROM
}

// parse reads the file and runs the checks that need nothing but its text.
func (c *conversion) parse(dt []byte) (*program, error) {
	file, err := parser.Parse(bytes.NewReader(dt))
	if err != nil {
		return nil, err
	}
	for _, w := range file.Warnings {
		if w.URL == linter.RuleNoEmptyContinuation.URL {
			c.lint.Run(&linter.RuleNoEmptyContinuation, []parser.Range{*w.Location}, linter.RuleNoEmptyContinuation.Format())
		}
	}
	stages, metaArgs, err := instructions.Parse(file.AST, c.lint)
	if err != nil {
		return nil, err
	}
	if len(stages) == 0 {
		return nil, errors.New("dockerfile contains no stages to build")
	}
	c.setLexers(file.EscapeToken)
	checkStageNames(stages, c.lint)
	checkCasing(stages, c.lint)
	return &program{file: file, stages: stages, metaArgs: metaArgs}, nil
}
