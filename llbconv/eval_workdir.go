package llbconv

import (
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/util/system"
)

// workdir evaluates a WORKDIR. Only the first of a file needs to be absolute:
// what a base image says may change.
func (e *stageEval) workdir(cmd command, c *instructions.WorkdirCommand) error {
	if !e.s.workdirSet && !system.IsAbs(c.Path, e.s.platform.OS) {
		e.lint.Run(&linter.RuleWorkdirRelativePath, c.Location(), linter.RuleWorkdirRelativePath.Format(c.Path))
	}
	e.s.workdirSet = true
	if err := e.setDir(c.Path); err != nil {
		return err
	}
	hidden := e.dirFrom.secret
	e.dirFrom = lineSource(fromLine, c.Location())
	e.dirFrom.secret = hidden
	makes := e.dir != "/" // the root directory is always there
	if makes {
		op := &workdirOp{path: e.dir, user: e.s.config.img.Config.User, owner: parseOwner(e.s.config.img.Config.User)}
		e.addStep(cmd, op, titleText(&e.c.words, c.String(), e.env), e.s.platform)
	}
	e.s.config.history.add("WORKDIR "+e.dir, makes, e.c.epoch)
	return nil
}
