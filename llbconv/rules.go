package llbconv

import (
	"maps"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/pkg/errors"

	"github.com/cachewright/cachewright/cachepolicy"
	"github.com/cachewright/cachewright/llbconv/internal/position"
)

// rules are the cache rules of one conversion: what the Dockerfile's directives
// say, and what whoever runs the build says over them.
type rules struct {
	overrides cachepolicy.Overrides
	byLine    map[int]cachepolicy.Rule // by an instruction's first line
	build     cachepolicy.Build
	noCache   []cachepolicy.Selector // steps that --no-cache-filter picks
}

// readOverrides reads the build arguments that are about rules and takes them
// away from the ones that steps may see.
func (c *conversion) readOverrides() error {
	var err error
	if c.rules.overrides, err = cachepolicy.ParseOverrides(c.buildArgs); err != nil {
		return err
	}
	c.adviseOwnArgs()
	maps.DeleteFunc(c.buildArgs, func(name, _ string) bool { return cachepolicy.IsOwnArg(name) })
	c.rules.build = cachepolicy.Build{Now: c.opt.Now, Nonce: c.opt.Nonce, Args: c.opt.Config.BuildArgs}
	if now := c.rules.overrides.Now; now != nil {
		c.rules.build.Now = *now
	}
	if c.opt.Client == nil {
		return nil
	}
	if filter := c.opt.Client.BuildOpts().Opts["no-cache"]; filter != "" {
		if _, c.rules.noCache, err = cachepolicy.ParseNoCacheFilter(strings.Split(filter, ",")); err != nil {
			return noCacheError(err)
		}
	}
	return nil
}

// adviseOwnArgs hints at build arguments that look like the frontend's own and are
// not read.
func (c *conversion) adviseOwnArgs() {
	for _, name := range slices.Sorted(maps.Keys(c.buildArgs)) {
		if upper := strings.ToUpper(name); cachepolicy.IsOwnArg(upper) && !cachepolicy.IsOwnArg(name) {
			c.advise(c.lint, "CacheArgIgnored", "The build argument "+name+" is not read, write "+upper, nil)
		}
	}
	if c.buildArgs[cachepolicy.ArgExpect] != "" {
		c.advise(c.lint, "CacheArgIgnored", "This build asserts nothing: "+cachepolicy.ArgExpect+" is for --call=cache-assert", nil)
	}
}

// readDirectives finds the "# cache=" comments of the file.
func (c *conversion) readDirectives(dt []byte, file *parser.Result) error {
	if c.rules.overrides.Disabled {
		return nil
	}
	list := make([]cachepolicy.Instruction, 0, len(file.AST.Children))
	for _, n := range file.AST.Children {
		bodies := make([]string, 0, len(n.Heredocs))
		for _, h := range n.Heredocs {
			bodies = append(bodies, h.Content)
		}
		list = append(list, cachepolicy.Instruction{
			Keyword:      strings.ToUpper(n.Value),
			Line:         n.StartLine,
			EndLine:      n.EndLine,
			HeredocLines: cachepolicy.HeredocLines(bodies...),
		})
	}
	found, err := cachepolicy.AttachDirectives(dt, list)
	if err != nil {
		return ruleError(err)
	}
	c.rules.byLine = found.Rules
	for _, miss := range found.NearMisses {
		text := "This comment is no cache rule, write " + miss.Suggestion
		if miss.Trailing {
			text = "At the end of a line this is part of the instruction and no cache rule, write " + miss.Suggestion + " on a line of its own above the instruction"
		}
		c.advise(c.lint, "CacheRuleIgnored", text, position.Line(miss.Line))
	}
	return nil
}

// noCacheError says that an error is about --no-cache-filter, not about a rule.
func noCacheError(err error) error {
	var e *cachepolicy.Error
	if errors.As(err, &e) {
		return errors.New("no-cache: " + e.Message)
	}
	return err
}

// ruleError gives an error about a rule the position of its directive.
func ruleError(err error) error {
	var e *cachepolicy.Error
	if errors.As(err, &e) && e.Line > 0 {
		return parser.WithLocation(err, position.Line(e.Line))
	}
	return err
}
