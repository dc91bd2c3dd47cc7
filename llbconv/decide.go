package llbconv

import (
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"

	"github.com/cachewright/cachewright/cachepolicy"
	"github.com/cachewright/cachewright/llbconv/internal/position"
)

// decisions says what the cache rules mean for the steps that one applies to. It is
// nil for a build without rules.
type decisions map[*step]*decision

// decision is what a rule means for a step.
type decision struct {
	cachepolicy.Decision
	rule  cachepolicy.Rule
	step  *step       // the step as the rule leaves it: what it withholds is not in there
	keys  []keySource // sources that are looked up
	reads []string    // more paths of the build context

	reduced *reducedFiles // of a step with fields, once they are read
}

// applied returns a step as its rule leaves it.
func (ds decisions) applied(st *step) *step {
	if d := ds[st]; d != nil {
		return d.step
	}
	return st
}

// noCache reports whether a step, with what is decided about it, is to run whatever
// the cache holds.
func noCache(st *step, d *decision) bool {
	return st.stage.noCache || d != nil && d.NoCache
}

// decide applies the build's cache rules to the evaluated steps. The error is about
// a rule and carries the position of its directive.
func (c *conversion) decide(ev *evaluation) (decisions, error) {
	if c.rules.none() {
		return nil, nil
	}
	out := decisions{}
	for _, s := range ev.inOrder() {
		for _, st := range s.steps {
			d, err := c.decideStep(st)
			if err != nil {
				return nil, err
			}
			if d != nil {
				out[st] = d
			}
		}
		if err := out.checkListedArgs(s); err != nil {
			return nil, err
		}
		c.adviseInherited(ev, s, out)
	}
	return out, c.checkRules(ev)
}

// decideStep says what the rule of a step means for it; nil if it has none.
func (c *conversion) decideStep(st *step) (*decision, error) {
	rule, noCache := c.rules.of(st)
	if rule.Empty() && !noCache {
		return nil, nil
	}
	d := &decision{rule: rule, step: st}
	id := st.id()
	copied, isCopy := st.op.(*copyOp)
	var err error
	d.Decision, err = cachepolicy.Decide(rule, cachepolicy.Facts{
		ID:           id,
		Identity:     []byte(id.Stage + "\n" + sourceTitle(st.cmd)),
		DeclaredArgs: argNames(st.declared),
		NoCache:      noCache,
		LocalCopy:    isCopy && copied.readsContext(),
		CacheMount:   sharesMount(st.op),
		OnlyLocal:    isCopy && copied.readsOnlyContext(),
	}, c.rules.build)
	if err == nil {
		err = c.checkRuleSupport(d)
	}
	if err == nil && isCopy {
		err = checkFields(d, copied)
	}
	if err != nil {
		return nil, position.With(RuleError(err), st.cmd.Location())
	}
	if d.Off {
		d.reads = append(d.reads, noFile)
	}
	if op, ok := st.op.(*runOp); ok && d.Args != nil {
		d.step = c.withholdArgs(st, op, d.Args)
	}
	return d, c.keySources(st, d)
}

// noFile is a path that no build context has: a step that is keyed by the context
// as such needs none of its files.
const noFile = ".cachewright-none"

// of returns the rule in effect for a step, and whether a selector of
// --no-cache-filter picks the step.
func (r *rules) of(st *step) (rule cachepolicy.Rule, noCache bool) {
	id := st.id()
	noCache = slices.ContainsFunc(r.noCache, func(s cachepolicy.Selector) bool { return s.Matches(id) })
	var own cachepolicy.Rule
	if !st.onBuild {
		own = r.byLine[id.Line]
	}
	from, _ := position.Span(st.stage.decl.Location)
	return r.overrides.Apply(id, own.Inherit(r.byLine[from], id.Instruction)), noCache
}

// none reports whether there is nothing that could apply to a step.
func (r *rules) none() bool {
	return len(r.byLine) == 0 && len(r.overrides.Rules) == 0 && len(r.noCache) == 0
}

// withholdArgs returns a RUN without the ARGs that a filter does not let through: in
// its environment, its progress text and its history.
func (c *conversion) withholdArgs(st *step, op *runOp, f *cachepolicy.ArgFilter) *step {
	env := op.vars.filtered(f)
	c.checkWithheld(st, op, env)
	run := *op
	run.env, run.vars = env.strings(), env.snapshot()
	run.declared = nil
	for _, kv := range op.declared {
		if f.Allows(varName(kv)) {
			run.declared = append(run.declared, kv)
		}
	}
	out := *st
	out.op, out.title = &run, c.runTitle(&run, env)
	return &out
}

// checkWithheld hints at ARGs that a command uses although its rule withholds them.
func (c *conversion) checkWithheld(st *step, op *runOp, seen *environ) {
	withheld := newEnviron(0)
	for _, v := range op.vars.vars() {
		if _, ok := seen.Get(v.name); !ok {
			withheld.set(v.name, v.value)
		}
	}
	res, err := c.titles.expand(op.source, withheld)
	if err != nil {
		return
	}
	lint := c.lint.WithMergedConfigFromComments(st.cmd.Comments())
	for _, name := range sortedKeys(res.Matched) {
		c.advise(lint, "CacheRuleWithholdsArg", "The command uses "+name+", but its cache rule does not list it under args: it is not set", st.cmd.Location())
	}
}

// adviseInherited hints at a stage that inherits ARGs from one whose commands are not
// to see them, and has commands that see them.
func (c *conversion) adviseInherited(ev *evaluation, s *evaluatedStage, ds decisions) {
	sees := slices.ContainsFunc(s.steps, func(st *step) bool {
		d := ds[st]
		_, isRun := st.op.(*runOp)
		return isRun && (d == nil || d.Args == nil)
	})
	for base := s.base; base != nil && sees; base = base.base {
		from, _ := position.Span(base.decl.Location)
		set, ok := c.rules.byLine[from].Get(cachepolicy.OptionArgs)
		parent := ev.evaluated[s.base]
		if !ok || parent == nil || len(parent.args) == 0 {
			continue
		}
		lint := c.lint.WithMergedConfigFromComments(s.decl.Comments)
		c.advise(lint, "CacheArgsNotInherited", "The rule "+set.String()+" of "+base.id+" does not hold in this stage, which inherits the ARGs "+
			strings.Join(argNames(parent.args), ", ")+": repeat it above this FROM", s.decl.Location)
		return
	}
}

func argNames(args []instructions.KeyValuePairOptional) []string {
	names := make([]string, len(args))
	for i, a := range args {
		names[i] = a.Key
	}
	return names
}

// checkListedArgs fails for an ARG that a rule for several steps lists and that no
// instruction of the stage declares. One for a single step is checked there.
func (ds decisions) checkListedArgs(s *evaluatedStage) error {
	for _, st := range s.steps {
		d := ds[st]
		if d == nil || d.Args == nil {
			continue
		}
		listed, _ := d.rule.Args()
		set, _ := d.rule.Get(cachepolicy.OptionArgs)
		if err := listed.Check(argNames(s.args), set.Origin); err != nil {
			return RuleError(err)
		}
	}
	return nil
}

// checkRules reports overrides that apply to nothing.
func (c *conversion) checkRules(ev *evaluation) error {
	if len(c.rules.overrides.Rules) == 0 && len(c.rules.noCache) == 0 {
		return nil
	}
	var steps []cachepolicy.StepID
	for _, s := range ev.inOrder() {
		for _, st := range s.steps {
			steps = append(steps, st.id())
		}
	}
	warnings, err := c.rules.overrides.Check(steps)
	if err != nil {
		return RuleError(err)
	}
	for _, w := range cachepolicy.Unmatched(c.rules.noCache, steps) {
		warnings = append(warnings, cachepolicy.Warning{Text: "no-cache: " + w})
	}
	for _, w := range warnings {
		c.advise(c.lint, "CacheSelectorUnmatched", w.Text, position.Line(w.Line))
	}
	return nil
}
