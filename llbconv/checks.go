package llbconv

import (
	"slices"
	"strings"
	"unicode"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerfile/shell"
	"github.com/moby/buildkit/util/suggest"
	"github.com/pkg/errors"
)

// The build checks: each function here decides whether a rule of package linter
// is broken and reports it there.

// lintError fails if rules were broken and the file or the build wants that to
// be an error. It names each rule once, in alphabetical order.
func (c *conversion) lintError() error {
	if !c.lint.ReturnAsError || len(*c.lint.CalledRules) == 0 {
		return nil
	}
	rules := slices.Compact(slices.Sorted(slices.Values(*c.lint.CalledRules)))
	return errors.Errorf("lint violation found for rules: %s", strings.Join(rules, ", "))
}

func checkStageNames(stages []instructions.Stage, lint *linter.Linter) {
	seen := map[string]bool{}
	for _, s := range stages {
		if s.Name == "" {
			continue
		}
		if s.Name == scratchName || s.Name == "context" {
			lint.Run(&linter.RuleReservedStageName, s.Location, linter.RuleReservedStageName.Format(s.Name))
		}
		if seen[s.Name] {
			lint.Run(&linter.RuleDuplicateStageName, s.Location, linter.RuleDuplicateStageName.Format(s.Name))
		}
		seen[s.Name] = true
	}
}

// checkCasing compares every keyword with the letter case that most of the
// file's keywords have; of a tie, upper case.
func checkCasing(stages []instructions.Stage, lint *linter.Linter) {
	excess := 0 // of lower case over upper case
	eachKeyword(stages, func(keyword string, _ []parser.Range) {
		switch {
		case !hasUpper(keyword):
			excess++
		case !hasLower(keyword):
			excess--
		}
	})
	want, breaks := "uppercase", hasLower
	if excess > 0 {
		want, breaks = "lowercase", hasUpper
	}
	eachKeyword(stages, func(keyword string, at []parser.Range) {
		if breaks(keyword) {
			lint.Run(&linter.RuleConsistentInstructionCasing, at, linter.RuleConsistentInstructionCasing.Format(keyword, want))
		}
	})
}

func hasUpper(s string) bool { return strings.ContainsFunc(s, unicode.IsUpper) }

func hasLower(s string) bool { return strings.ContainsFunc(s, unicode.IsLower) }

// eachKeyword calls f with every instruction's keyword, as written, and position.
func eachKeyword(stages []instructions.Stage, f func(keyword string, at []parser.Range)) {
	for _, s := range stages {
		f(s.OrigCmd, s.Location)
		for _, cmd := range s.Commands {
			f(cmd.Name(), cmd.Location())
		}
	}
}

// checkDefaultBaseNames reports FROM instructions that name neither a valid image
// nor, in any letter case, an earlier stage when no build arguments are given.
func (c *conversion) checkDefaultBaseNames(prog *program, predefined *environ) {
	env, _, err := c.evalMetaArgs(prog.metaArgs, predefined, nil)
	if err != nil {
		return // with the build's own arguments the same default may not be needed
	}
	stages := map[string]bool{} // earlier ones, in lower case
	for _, s := range prog.stages {
		res, err := c.words.expand(s.BaseName, env)
		if err != nil {
			return
		}
		name := res.Result
		if lower := strings.ToLower(name); stages[lower] {
			name = lower
		}
		if _, err := c.parseReference(name); err != nil {
			c.lint.Run(&linter.RuleInvalidDefaultArgInFrom, s.Location, linter.RuleInvalidDefaultArgInFrom.Format(s.BaseName))
		}
		if s.Name != "" {
			stages[strings.ToLower(s.Name)] = true
		}
	}
}

// checkUndefinedInFrom reports names in FROM that are no global argument.
func (c *conversion) checkUndefinedInFrom(unmatched map[string]struct{}, at []parser.Range, lint *linter.Linter) {
	if len(unmatched) == 0 {
		return
	}
	known := c.globals.Keys()
	for _, name := range sortedKeys(c.metaArgs) {
		if _, set := c.globals.Get(name); !set {
			known = append(known, name)
		}
	}
	for _, name := range sortedKeys(unmatched) {
		if _, declared := c.metaArgs[name]; declared {
			continue
		}
		match, _ := suggest.Search(name, known, true)
		lint.Run(&linter.RuleUndefinedArgInFrom, at, linter.RuleUndefinedArgInFrom.Format(name, match))
	}
}

// checkFromPlatform reports a --platform that repeats the default, or that is a
// constant the stage's name does not mention.
func (c *conversion) checkFromPlatform(decl instructions.Stage, res shell.ProcessWordResult, lint *linter.Linter) {
	if len(res.Matched) == 1 && len(res.Unmatched) == 0 {
		_, uses := res.Matched["TARGETPLATFORM"]
		if target, _ := c.globals.Get("TARGETPLATFORM"); uses && res.Result == target {
			lint.Run(&linter.RuleRedundantTargetPlatform, decl.Location, linter.RuleRedundantTargetPlatform.Format(decl.Platform))
		}
	}
	if len(res.Matched) > 0 || len(res.Unmatched) > 0 {
		return
	}
	p, err := platforms.Parse(res.Result)
	if err != nil || strings.Contains(decl.Name, p.OS) || strings.Contains(decl.Name, p.Architecture) {
		return
	}
	lint.Run(&linter.RuleFromPlatformFlagConstDisallowed, decl.Location, linter.RuleFromPlatformFlagConstDisallowed.Format(res.Result))
}

// checkBasePlatform reports a base image of another platform than the one it was
// asked for.
func (c *conversion) checkBasePlatform(s *stage, b *base) {
	want, got := *b.platform, b.config.img.Platform
	if want.OS == got.OS && want.Architecture == got.Architecture {
		return
	}
	msg := linter.RuleInvalidBaseImagePlatform.Format(s.decl.BaseName,
		platforms.FormatAll(platforms.Normalize(want)), platforms.FormatAll(platforms.Normalize(got)))
	c.lint.Run(&linter.RuleInvalidBaseImagePlatform, s.decl.Location, msg)
}

func (e *stageEval) checkLegacyPair(c instructions.Command, kv instructions.KeyValuePair) {
	if kv.NoDelim {
		e.lint.Run(&linter.RuleLegacyKeyValueFormat, c.Location(), linter.RuleLegacyKeyValueFormat.Format(c.Name()))
	}
}

// checkSecretName reports an ARG or ENV whose name suggests a secret value.
func (e *stageEval) checkSecretName(instruction, name string, at []parser.Range) {
	if secretName(name) {
		e.lint.Run(&linter.RuleSecretsUsedInArgOrEnv, at, linter.RuleSecretsUsedInArgOrEnv.Format(instruction, name))
	}
}

// secretName reports whether one of a name's words, which underscores separate,
// stands for a secret, and none says that it is harmless.
func secretName(name string) bool {
	secret := false
	for word := range strings.SplitSeq(strings.ToLower(name), "_") {
		switch word {
		case "apikey", "auth", "credential", "credentials", "key", "password", "pword", "passwd", "secret", "token":
			secret = true
		case "public", "file", "version":
			return false
		}
	}
	return secret
}

// checkIgnoredSource reports a source that .dockerignore keeps out of the
// context. With exceptions ("!") in the file that cannot be told, and nothing is
// reported.
func (e *stageEval) checkIgnoredSource(keyword, src string, at []parser.Range) {
	if src = cleanSlash(src); e.ignores(src) {
		e.lint.Run(&linter.RuleCopyIgnoredFile, at, linter.RuleCopyIgnoredFile.Format(keyword, src))
	}
}

// ignores reports whether .dockerignore is certain to keep a path out of the context.
func (e *stageEval) ignores(src string) bool {
	ignored := e.c.ignored
	if ignored == nil || ignored.Exclusions() {
		return false
	}
	if (src == "." || src == "/") && !e.c.ignoresAll() {
		return false
	}
	ok, err := ignored.MatchesOrParentMatches(src)
	return err == nil && ok
}

// ignoresAll reports whether .dockerignore, which there is, names all files.
func (c *conversion) ignoresAll() bool {
	for _, p := range c.ignored.Patterns() {
		switch p.String() {
		case "*", "**", "**/*":
			return true
		}
	}
	return false
}

// onceOnly tracks an instruction of which only the last in a stage counts.
type onceOnly struct {
	isSet bool
	at    []parser.Range
}

// set notes the instruction and reports the one that it replaces.
func (o *onceOnly) set(c instructions.Command, lint *linter.Linter) {
	if o.isSet {
		lint.Run(&linter.RuleMultipleInstructionsDisallowed, o.at, linter.RuleMultipleInstructionsDisallowed.Format(c.Name()))
	}
	o.isSet, o.at = true, c.Location()
}
