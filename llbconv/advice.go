package llbconv

import (
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/apicaps"
	"github.com/pkg/errors"

	"github.com/cachewright/cachewright/cachepolicy"
)

// supports reports whether the daemon is known to have a capability.
func (c *conversion) supports(id apicaps.CapID) bool {
	return c.opt.Caps != nil && c.opt.Caps.Supports(id) == nil
}

// lacks reports whether the daemon is known not to have a capability.
func (c *conversion) lacks(id apicaps.CapID) bool {
	return c.opt.Caps != nil && c.opt.Caps.Supports(id) != nil
}

// checkCopySupport fails where an old daemon would ignore what a COPY or ADD asks
// for and copy the wrong files or modes.
func (c *conversion) checkCopySupport(op *copyOp, parents bool) error {
	filtered := ""
	switch {
	case parents:
		filtered = "--parents"
	case len(op.exclude) > 0:
		filtered = "--exclude"
	}
	if filtered != "" && c.lacks(pb.CapFileCopyIncludeExcludePatterns) {
		return errors.Errorf("%s needs BuildKit v0.9 or later, this builder is older", filtered)
	}
	if op.mode != nil && op.mode.symbolic != "" && c.lacksSymbolicModes() {
		return errors.Errorf("--chmod=%s needs BuildKit v0.17 or later, this builder is older: use an octal mode", op.mode.symbolic)
	}
	return nil
}

// lacksSymbolicModes reports whether the daemon takes a symbolic mode for an octal
// one. Symbolic modes have a capability of their own that no daemon announces; this
// one came with the same release.
func (c *conversion) lacksSymbolicModes() bool { return c.lacks(pb.CapExecValidExitCode) }

// checkRuleSupport fails for a cache rule that an old daemon would not follow.
func (c *conversion) checkRuleSupport(d *decision) error {
	if s, ok := d.rule.Get(cachepolicy.OptionBase); ok && d.ContentBase && c.lacks(pb.CapExecMountContentCache) {
		return s.Errorf("needs BuildKit v0.13 or later, this builder is older; update it, or remove the rule")
	}
	if s, ok := d.rule.Get(cachepolicy.OptionModes); ok && d.IgnoreModes && c.lacksSymbolicModes() {
		return s.Errorf("needs BuildKit v0.17 or later, this builder is older; update it, or remove the rule and set the modes with --chmod")
	}
	return nil
}

// adviseCopy gives hints about flags of COPY and ADD that do less than they say.
func (e *stageEval) adviseCopy(cmd command, op *copyOp) {
	if op.link && op.mode != nil {
		e.c.advise(e.lint, "LinkWithChmod", "--link has no effect together with --chmod, set the mode in the source stage instead", cmd.Location())
	}
	for _, f := range op.files {
		if len(f.required) > 0 && e.c.lacks(pb.CapFileCopyRequiredPaths) {
			e.c.advise(e.lint, "ParentsUnchecked", "A missing "+strings.Join(f.required, ", ")+" is not an error on this builder, --parents needs BuildKit v0.26 or later for that", cmd.Location())
		}
	}
}

// advise gives a hint that docker/dockerfile does not have. It can be skipped like
// a build check, with what lint says, but does not count as one.
func (c *conversion) advise(lint *linter.Linter, rule, text string, at []parser.Range) {
	_, skipped := lint.SkippedRules[rule]
	if c.opt.Advise == nil || lint.SkipAll || skipped {
		return
	}
	c.opt.Advise(rule, "Hints about what an instruction does not do", "", text, at)
}
