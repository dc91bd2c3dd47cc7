package llbconv

import (
	"maps"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/pkg/errors"

	"github.com/cachewright/cachewright/cachepolicy"
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
		c.adviseAll("CacheRuleIgnored", "This comment is no cache rule, write "+miss.Suggestion, lineRange(miss.Line))
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
		return parser.WithLocation(err, lineRange(e.Line))
	}
	return err
}

func lineRange(line int) []parser.Range {
	at := parser.Position{Line: line}
	return []parser.Range{{Start: at, End: at}}
}

// decide says what the rule of the current step means for it; nil if it has
// none. The step must have its number already.
func (e *stageEval) decide(cmd command, local bool) (*decision, error) {
	r := &e.c.rules
	id := e.s.stepID(cmd.Command, cmd.onBuild, e.s.number)
	noCache := slices.ContainsFunc(r.noCache, func(s cachepolicy.Selector) bool { return s.Matches(id) })
	var own cachepolicy.Rule
	if !cmd.onBuild {
		own = r.byLine[id.Line]
	}
	from, _ := lineSpan(e.s.decl.Location)
	rule := r.overrides.Apply(id, own.Inherit(r.byLine[from], id.Instruction))
	if rule.Empty() && !noCache {
		return nil, nil
	}
	d := &decision{rule: rule, noCache: noCache}
	var err error
	d.Decision, err = cachepolicy.Decide(rule, cachepolicy.Facts{
		ID:           id,
		Identity:     []byte(id.Stage + "\n" + sourceTitle(cmd)),
		DeclaredArgs: e.argNames(),
		LocalCopy:    local,
	}, r.build)
	if err == nil {
		err = e.c.checkRuleSupport(d)
	}
	if err != nil {
		return nil, ruleError(err)
	}
	if d.Off {
		e.s.context.add(noFile)
	}
	d.keys, err = e.keySources(cmd, &d.Decision)
	return d, err
}

// noFile is a path that no build context has: a step that is keyed by the context
// as such needs none of its files.
const noFile = ".cachewright-none"

// argNames lists the ARGs declared so far.
func (e *stageEval) argNames() []string {
	names := make([]string, len(e.s.args))
	for i, a := range e.s.args {
		names[i] = a.Key
	}
	return names
}

// decision is what a rule means for a step.
type decision struct {
	cachepolicy.Decision
	rule    cachepolicy.Rule
	noCache bool // picked by a selector of --no-cache-filter
	keys    []keySource
}

// argFilter says which ARGs reach the step's command; nil for all.
func (d *decision) argFilter() *cachepolicy.ArgFilter {
	if d == nil {
		return nil
	}
	return d.Args
}

// commandEnv returns the environment that a command sees: all of the stage's, or
// without the ARGs that a rule withholds. Where such an ARG covers an ENV, that
// one shows again.
func (e *stageEval) commandEnv(f *cachepolicy.ArgFilter) *environ {
	if f == nil {
		return e.env
	}
	out := newEnviron()
	for _, v := range e.env.live() {
		if v.arg && !f.Allows(v.name) {
			value, ok := e.s.config.env.get(v.name)
			if !ok {
				continue
			}
			v = e.env.coveredENV(v.name, value)
		}
		out.assign(v)
	}
	return out
}

// declaredFor returns the build arguments for the history of a RUN.
func (e *stageEval) declaredFor(f *cachepolicy.ArgFilter) []string {
	all := e.declared.snapshot()
	if f == nil {
		return all
	}
	var out []string
	for _, kv := range all {
		if name, _, _ := strings.Cut(kv, "="); f.Allows(name) {
			out = append(out, kv)
		}
	}
	return out
}

// checkWithheld hints at ARGs that a command uses although its rule withholds them.
func (e *stageEval) checkWithheld(cmd command, c *instructions.RunCommand, seen *environ) {
	withheld := newEnviron()
	for _, v := range e.env.live() {
		if _, ok := seen.Get(v.name); !ok {
			withheld.set(v.name, v.value)
		}
	}
	res, err := e.c.titleLex.ProcessWordWithMatches(c.String(), withheld)
	if err != nil {
		return
	}
	for _, name := range sortedKeys(res.Matched) {
		e.advise("CacheRuleWithholdsArg", "The command uses "+name+", but its cache rule does not list it under args: it is not set", cmd.Location())
	}
}

// checkListedArgs fails for an ARG that a rule for several steps lists and that no
// instruction of the stage declares. One for a single step is checked there.
func (e *stageEval) checkListedArgs() error {
	for _, st := range e.s.steps {
		if st.decision == nil || st.decision.Args == nil {
			continue
		}
		listed, _ := st.decision.rule.Args()
		s, _ := st.decision.rule.Get(cachepolicy.OptionArgs)
		if err := listed.Check(e.argNames(), s.Origin); err != nil {
			return ruleError(err)
		}
	}
	return nil
}

// checkRules reports overrides that apply to nothing.
func (c *conversion) checkRules(g *graph) error {
	if len(c.rules.overrides.Rules) == 0 && len(c.rules.noCache) == 0 {
		return nil
	}
	var steps []cachepolicy.StepID
	for _, s := range g.stages {
		for _, st := range s.steps {
			steps = append(steps, st.id())
		}
	}
	warnings, err := c.rules.overrides.Check(steps)
	if err != nil {
		return err
	}
	for _, w := range cachepolicy.Unmatched(c.rules.noCache, steps) {
		warnings = append(warnings, "no-cache: "+w)
	}
	for _, w := range warnings {
		c.adviseAll("CacheSelectorUnmatched", w, nil)
	}
	return nil
}
