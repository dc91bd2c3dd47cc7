package llbconv

import (
	"maps"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/pkg/errors"

	"github.com/cachewright/cachewright/cachepolicy"
	"github.com/cachewright/cachewright/llbconv/internal/position"
)

// rules are the cache rules of one conversion: what the Dockerfile's directives
// say, and what the settings say over them.
type rules struct {
	given     map[string]string // the settings among the build's arguments
	overrides cachepolicy.Overrides
	byLine    map[int]cachepolicy.Rule // by an instruction's first line
	build     cachepolicy.Build
	noCache   []cachepolicy.Selector // steps that --no-cache-filter picks
}

// Overrides returns the settings of the build, with the defaults that the Dockerfile has.
func (d *decided) Overrides() cachepolicy.Overrides { return d.c.rules.overrides }

// takeSettings takes the frontend's own settings away from the build arguments that
// steps may see.
func (c *conversion) takeSettings() {
	c.rules.given = map[string]string{}
	for name, value := range c.buildArgs {
		if cachepolicy.IsOwnArg(name) {
			c.rules.given[name] = value
			delete(c.buildArgs, name)
		}
	}
}

// readRules reads what says which rules the build has: its settings, with the defaults
// that the file gives them, the directives, and --no-cache-filter.
func (c *conversion) readRules(dt []byte, prog *program) error {
	defaults, err := c.settingDefaults(prog)
	if err != nil {
		return err
	}
	if c.rules.overrides, err = cachepolicy.ParseOverrides(c.rules.given, defaults); err != nil {
		return RuleError(err)
	}
	c.adviseSettings(prog)
	c.rules.build = cachepolicy.Build{Now: c.opt.Now, Nonce: c.opt.Nonce, Args: c.opt.Config.BuildArgs}
	if now := c.rules.overrides.Now; now != nil {
		c.rules.build.Now = *now
	}
	if err := c.readDirectives(dt, prog.file); err != nil || c.opt.Client == nil {
		return err
	}
	if filter := c.opt.Client.BuildOpts().Opts["no-cache"]; filter != "" {
		if _, c.rules.noCache, err = cachepolicy.ParseNoCacheFilter(strings.Split(filter, ",")); err != nil {
			return noCacheError(err)
		}
	}
	return nil
}

// settingDefaults returns the values that ARGs before the first FROM give to settings
// that the build is not given. The last of a name counts.
func (c *conversion) settingDefaults(prog *program) (map[string]cachepolicy.SettingValue, error) {
	out := map[string]cachepolicy.SettingValue{}
	for name, arg := range c.metaArgs {
		if _, given := c.rules.given[name]; given || !cachepolicy.IsOwnArg(name) || arg.definition.Value == nil || cachepolicy.UnknownSetting(name) != "" {
			continue
		}
		line, _ := position.Span(arg.location)
		if v, ok := c.globals.lookup(name); ok && v.from.secret {
			return nil, RuleError(&cachepolicy.Error{BuildArg: name, Line: line,
				Message: "its default is made of a value that looks secret, and settings are shown; write key=arg:NAME for it, or a value that is none"})
		}
		out[name] = cachepolicy.SettingValue{Text: arg.value, Line: line}
	}
	return out, nil
}

// adviseSettings hints at arguments that look like settings and are not read.
func (c *conversion) adviseSettings(prog *program) {
	const rule = "CacheArgIgnored"
	for _, name := range slices.Sorted(maps.Keys(c.buildArgs)) {
		if upper := strings.ToUpper(name); cachepolicy.IsOwnArg(upper) {
			c.advise(c.lint, rule, "The build argument "+name+" is not read, write "+upper, nil)
		}
	}
	if c.rules.given[cachepolicy.ArgExpect] != "" {
		c.advise(c.lint, rule, "This build asserts nothing: "+cachepolicy.ArgExpect+" is for --call=cache-assert", nil)
	}
	for _, cmd := range prog.metaArgs {
		for _, def := range cmd.Args {
			upper := strings.ToUpper(def.Key)
			switch {
			case !cachepolicy.IsOwnArg(upper):
			case !cachepolicy.IsOwnArg(def.Key):
				c.advise(c.lint, rule, "The ARG "+def.Key+" is no setting's default, write "+upper, cmd.Location())
			case cachepolicy.UnknownSetting(def.Key) != "":
				c.advise(c.lint, rule, "The ARG "+def.Key+" is no setting's default: "+cachepolicy.UnknownSetting(def.Key), cmd.Location())
			}
		}
	}
	for _, s := range prog.stages {
		for _, cmd := range s.Commands {
			c.adviseStageArg(rule, cmd)
		}
	}
}

// adviseStageArg hints at an ARG of a stage that gives a value to what is a setting
// before the first FROM.
func (c *conversion) adviseStageArg(rule string, cmd instructions.Command) {
	arg, ok := cmd.(*instructions.ArgCommand)
	if !ok {
		return
	}
	for _, def := range arg.Args {
		if def.Value != nil && cachepolicy.IsOwnArg(def.Key) && cachepolicy.UnknownSetting(def.Key) == "" {
			c.advise(c.lint, rule, "The ARG "+def.Key+" is an ordinary one here, and no setting's default: write it before the first FROM", arg.Location())
		}
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
		return RuleError(err)
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

// RuleError returns an error about a rule or a setting (*cachepolicy.Error) with the
// position of the Dockerfile line that it names, as a *parser.LocationError. Other
// errors, and those about a build argument, are returned as they are.
func RuleError(err error) error {
	var e *cachepolicy.Error
	if errors.As(err, &e) && e.Line > 0 {
		return parser.WithLocation(err, position.Line(e.Line))
	}
	return err
}
