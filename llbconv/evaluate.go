package llbconv

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/util/system"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	"github.com/moby/patternmatcher"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/pkg/errors"

	"github.com/cachewright/cachewright/llbconv/internal/position"
	"github.com/cachewright/cachewright/llbconv/internal/source"
)

// evaluation is the build graph with what the instructions of its stages do.
type evaluation struct {
	*resolution
	evaluated map[*stage]*evaluatedStage // of the stages that are needed
}

// evaluatedStage is what a stage makes.
type evaluatedStage struct {
	*stage
	root      rootfs
	platform  *ocispecs.Platform
	config    *imageConfig
	baseImage *dockerspec.DockerOCIImage
	steps     []*step
	context   source.Paths // paths read from the build context

	args              []instructions.KeyValuePairOptional // declared, inherited ones first
	workdirSet        bool                                // by a WORKDIR, also of its base
	scan, scanContext bool                                // for an SBOM: the stage, the build context

	// For the outline.
	usedArgs     map[string]struct{}
	ownArgs      map[string]argument
	secrets, ssh []outlineRef
}

// stageEval evaluates the instructions of one stage in order: it expands words,
// keeps the environment and image config, and turns what makes a layer into steps.
type stageEval struct {
	c        *conversion
	all      *evaluation
	s        *evaluatedStage
	number   int            // of the last step
	lint     *linter.Linter // of the current instruction
	at       []parser.Range // of the current instruction
	env      *environ
	declared *declaredArgs
	dir      string // working directory, with forward slashes
	user     string

	dirFrom, userFrom envSource
	used              map[string]bool // variables that the current instruction's words use
	secrets           map[string]bool // words of the current instruction that are made of secrets

	// What expands a word and an inline document of the current instruction.
	words, documents instructions.SingleWordExpander

	cmd, entrypoint, healthcheck onceOnly
}

// evaluate works through the stages that the target needs, in file order.
func (c *conversion) evaluate(r *resolution) (*evaluation, error) {
	ev := &evaluation{resolution: r, evaluated: map[*stage]*evaluatedStage{}}
	ev.takeReplaced()
	reachable := r.reachable()
	evals := map[*stage]*stageEval{}
	for _, s := range r.stages {
		if !c.opt.AllStages && (!reachable[s] || ev.evaluated[s] != nil) {
			continue
		}
		e, err := c.startStage(ev, s, evals[s.base])
		if err != nil {
			return nil, parser.WithLocation(err, s.decl.Location)
		}
		evals[s], ev.evaluated[s] = e, e.s
		for _, cmd := range s.commands {
			if err := e.instruction(cmd); err != nil {
				return nil, position.With(err, cmd.Location())
			}
		}
		e.setScans()
	}
	r.target.used.Add("/") // the result is read whole
	return ev, nil
}

// inOrder returns the evaluated stages in the order of the graph.
func (ev *evaluation) inOrder() []*evaluatedStage {
	out := make([]*evaluatedStage, 0, len(ev.evaluated))
	for _, s := range ev.stages {
		if e := ev.evaluated[s]; e != nil {
			out = append(out, e)
		}
	}
	return out
}

// takeReplaced enters the stages that have no instructions of their own to evaluate:
// images that others read from, and stages that a named context stands in for.
func (ev *evaluation) takeReplaced() {
	for s, b := range ev.bases {
		if s.image || s.replaced {
			ev.evaluated[s] = newEvaluatedStage(s, b)
		}
	}
}

func newEvaluatedStage(s *stage, b *base) *evaluatedStage {
	return &evaluatedStage{stage: s, root: b.root, platform: b.platform, config: b.config, baseImage: b.baseImage}
}

// ignoreMatcher returns the patterns of .dockerignore; nil if there are none.
func (c *conversion) ignoreMatcher(ctx context.Context) (*patternmatcher.PatternMatcher, error) {
	if c.opt.Client == nil {
		return nil, nil
	}
	patterns, err := c.opt.Client.DockerIgnorePatterns(ctx)
	if err != nil || len(patterns) == 0 {
		return nil, err
	}
	return patternmatcher.New(patterns)
}

// startStage sets up a stage from its base. The base's evaluation is nil where
// the stage starts from an image, scratch, or a stage that was replaced.
func (c *conversion) startStage(ev *evaluation, node *stage, base *stageEval) (*stageEval, error) {
	s := ev.start(node)
	e := &stageEval{c: c, all: ev, s: s, lint: c.lint, declared: newDeclaredArgs(), dir: "/"}
	e.words, e.documents = e.expandWord, e.expandDocument
	if b := ev.bases[node]; b != nil && b.pinned != "" {
		e.number = 1 // the FROM
	}
	if base != nil {
		e.env, e.declared, e.dir, e.user = base.env.clone(), base.declared.clone(), base.dir, base.user
		e.dirFrom, e.userFrom = base.dirFrom, base.userFrom
	} else {
		e.env = newEnviron(len(s.config.env.list) + 4)
		e.dirFrom.place, e.userFrom.place = fromImage, fromImage
	}
	if s.platform == nil {
		s.platform = &c.targetPlatform
	}
	cfg := &s.config.img.Config
	builtin := ""
	if !s.config.env.has("PATH") && s.platform.OS != "windows" {
		name, value, _ := strings.Cut(defaultPath(s.platform.OS), "=")
		s.config.env.set(name, value)
		builtin = name
	}
	for _, kv := range s.config.env.list {
		name, value, _ := strings.Cut(kv, "=")
		v := envVar{name: name, value: value, from: envSource{place: fromImage}}
		if old, ok := e.env.lookup(name); ok && !old.arg { // an ENV of the base stage
			v.from = old.from
		} else if name == builtin {
			v.from.place = fromBuilder
		}
		e.env.assign(v) // also over an ARG of the base stage
		e.declared.assign(name, value)
	}
	if cfg.WorkingDir != "" {
		if err := e.setDir(cfg.WorkingDir); err != nil {
			return nil, err
		}
	}
	if cfg.User != "" {
		e.user = cfg.User
	}
	return e, nil
}

// start makes the stage as it is before its first instruction.
func (ev *evaluation) start(node *stage) *evaluatedStage {
	var s *evaluatedStage
	if node.base == nil {
		s = newEvaluatedStage(node, ev.bases[node])
	} else {
		b := ev.evaluated[node.base]
		s = &evaluatedStage{
			stage:      node,
			root:       rootfs{out: b.root.out, platform: b.root.platform},
			platform:   b.platform,
			config:     b.config.child(),
			baseImage:  b.baseImage,
			workdirSet: b.workdirSet,
			args:       slices.Clone(b.args),
		}
	}
	s.steps = make([]*step, 0, node.total)
	s.config.history.own = make([]historyEntry, 0, len(node.commands))
	s.usedArgs, s.ownArgs = maps.Clone(node.fromArgs), map[string]argument{}
	if s.usedArgs == nil {
		s.usedArgs = map[string]struct{}{}
	}
	return s
}

// instruction evaluates one instruction.
func (e *stageEval) instruction(cmd command) error {
	e.lint = e.c.lint.WithMergedConfigFromComments(cmd.Comments())
	e.at, e.used, e.secrets = cmd.Location(), nil, nil
	if err := e.expandInPlace(cmd.Command); err != nil {
		return err
	}
	switch c := cmd.Command.(type) {
	case *instructions.RunCommand:
		return e.run(cmd, c)
	case *instructions.CopyCommand:
		return e.copy(cmd, c)
	case *instructions.AddCommand:
		return e.add(cmd, c)
	case *instructions.WorkdirCommand:
		return e.workdir(cmd, c)
	case *instructions.ArgCommand:
		return e.arg(c)
	case *instructions.EnvCommand:
		e.setEnv(c)
	case *instructions.LabelCommand:
		e.label(c)
	case *instructions.MaintainerCommand:
		e.maintainer(c)
	case *instructions.UserCommand:
		e.setUser(c)
	case *instructions.CmdCommand:
		e.setCmd(c)
	case *instructions.EntrypointCommand:
		e.setEntrypoint(c)
	case *instructions.HealthCheckCommand:
		e.setHealthcheck(c)
	case *instructions.ShellCommand:
		e.setShell(c)
	case *instructions.OnbuildCommand:
		e.onBuild(c)
	case *instructions.ExposeCommand:
		return e.expose(c)
	case *instructions.VolumeCommand:
		return e.volume(c)
	case *instructions.StopSignalCommand:
		return e.stopSignal(c)
	default:
		return errors.Errorf("instruction %s is not supported by this frontend", cmd.Name())
	}
	return nil
}

// addStep adds what an instruction does to the stage's steps. The title is its
// progress text; platform is the one that the progress prefix names.
func (e *stageEval) addStep(cmd command, op stepOp, title string, platform *ocispecs.Platform) *step {
	if e.s.total > 0 {
		e.number++
	}
	prefix := e.c.stepPrefix(e.s.stage, e.number, cmd.onBuild, platform, e.env)
	st := &step{
		vars:     e.usedVars(),
		secrets:  sortedKeys(e.secrets),
		dir:      e.dir,
		dirFrom:  e.dirFrom,
		userFrom: e.userFrom,
		stage:    e.s,
		cmd:      cmd.Command,
		onBuild:  cmd.onBuild,
		title:    title,
		prefix:   prefix,
		number:   e.number,
		op:       op,
		declared: slices.Clip(e.s.args),
	}
	e.s.steps = append(e.s.steps, st)
	return st
}

// usedVars returns the variables that the current instruction's words use.
func (e *stageEval) usedVars() envSnapshot {
	var out envSnapshot
	for _, name := range sortedKeys(e.used) {
		if v, ok := e.env.lookup(name); ok {
			out = append(out, v)
		}
	}
	return out
}

// setDir changes the working directory without making a layer.
func (e *stageEval) setDir(dir string) error {
	wd, err := system.NormalizeWorkdir(e.s.config.img.Config.WorkingDir, dir, e.s.platform.OS)
	if err != nil {
		return errors.Wrap(err, "normalizing workdir")
	}
	e.dirFrom.secret = e.secrets[dir] || e.dirFrom.secret && !system.IsAbs(dir, e.s.platform.OS)
	e.s.config.img.Config.WorkingDir = wd
	e.dir = system.ToSlash(wd, e.s.platform.OS)
	return nil
}

// record adds an entry without a layer to the image's history.
func (e *stageEval) record(text string) {
	e.s.config.history.add(text, false, e.c.epoch)
}

// setScans notes whether the stage asks for SBOM scans of itself or the context.
func (e *stageEval) setScans() {
	enabled := func(name string) bool {
		on := false
		if value, ok := e.c.globals.Get(name); ok {
			on = scanEnabled(e.s.label, value)
		}
		for _, a := range e.s.args {
			if a.Key == name && a.Value != nil {
				on = scanEnabled(e.s.label, *a.Value)
			}
		}
		return on
	}
	e.s.scanContext = enabled(argScanContext)
	e.s.scan = enabled(argScanStage)
}

// scanEnabled reads a scan argument: a boolean, or a list of stages.
func scanEnabled(label, value string) bool {
	if on, err := strconv.ParseBool(value); err == nil {
		return on
	}
	return slices.Contains(strings.Split(value, ","), label)
}
