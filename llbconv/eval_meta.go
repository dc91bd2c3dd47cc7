package llbconv

import (
	"fmt"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	"github.com/moby/sys/signal"
	"github.com/pkg/errors"
)

// arg evaluates ARG: a build argument comes first, then the default, then a
// global argument of the name.
func (e *stageEval) arg(c *instructions.ArgCommand) error {
	texts := make([]string, 0, len(c.Args))
	for _, a := range c.Args {
		e.checkSecretName("ARG", a.Key, c.Location())
		inherited := false
		from := lineSource(fromDefault, c.Location())
		if v, ok := e.c.buildArgs[a.Key]; ok {
			a.Value = &v
			from.place = fromBuildArg
		} else if a.Value != nil {
			v, err := e.expandWord(*a.Value)
			if err != nil {
				return err
			}
			a.Value = &v
			from.secret = e.secrets[v]
		} else if v, ok := e.c.globals.lookup(a.Key); ok {
			a.Value, inherited = &v.value, true
			from = v.from
		}
		e.declareArg(a, c.Location(), inherited, from)
		text := a.Key
		if a.Value != nil {
			text += "=" + *a.Value
		}
		texts = append(texts, text)
	}
	e.record("ARG " + strings.Join(texts, " "))
	return nil
}

// declareArg puts an argument into the stage's environment, history and outline.
func (e *stageEval) declareArg(a instructions.KeyValuePairOptional, at []parser.Range, inherited bool, from envSource) {
	if a.Value != nil && !isScanArg(a.Key) {
		e.env.assign(envVar{name: a.Key, value: *a.Value, arg: true, from: from})
	}
	value, ok := e.env.Get(a.Key)
	if !ok {
		value = a.ValueString()
	}
	e.declared.declare(a.Key, value)
	e.s.args = append(e.s.args, a)
	e.s.usedArgs[a.Key] = struct{}{}
	if !inherited {
		e.s.ownArgs[a.Key] = argument{definition: a, value: a.ValueString(), location: at}
	}
}

func (e *stageEval) setEnv(c *instructions.EnvCommand) {
	text := "ENV"
	from := lineSource(fromLine, c.Location())
	for _, kv := range c.Env {
		e.checkLegacyPair(c, kv)
		e.checkSecretName("ENV", kv.Key, c.Location())
		from.secret = e.secrets[kv.Value]
		e.env.assign(envVar{name: kv.Key, value: kv.Value, from: from})
		e.declared.assign(kv.Key, kv.Value)
		e.s.config.env.set(kv.Key, kv.Value)
		text += " " + kv.String()
	}
	e.record(text)
}

func (e *stageEval) label(c *instructions.LabelCommand) {
	cfg := &e.s.config.img.Config
	if cfg.Labels == nil {
		cfg.Labels = make(map[string]string, len(c.Labels))
	}
	text := "LABEL"
	for _, kv := range c.Labels {
		e.checkLegacyPair(c, kv)
		cfg.Labels[kv.Key] = kv.Value
		text += " " + kv.String()
	}
	e.record(text)
}

func (e *stageEval) maintainer(c *instructions.MaintainerCommand) {
	e.s.config.img.Author = c.Maintainer
	e.record("MAINTAINER " + c.Maintainer)
}

func (e *stageEval) setUser(c *instructions.UserCommand) {
	e.user, e.userFrom = c.User, lineSource(fromLine, c.Location())
	e.userFrom.secret = e.secrets[c.User]
	e.s.config.img.Config.User = c.User
	e.record("USER " + c.User)
}

// shellArgs puts a command line behind the stage's shell.
func (e *stageEval) shellArgs(line []string) []string {
	img := &e.s.config.img
	shell := []string{"/bin/sh", "-c"}
	if len(img.Config.Shell) > 0 {
		shell = slices.Clone(img.Config.Shell)
	} else if img.OS == "windows" {
		shell = []string{"cmd", "/S", "/C"}
	}
	return append(shell, strings.Join(line, " "))
}

// commandLine returns the arguments of CMD or ENTRYPOINT and advises against the
// shell form where no SHELL was chosen.
func (e *stageEval) commandLine(c instructions.Command, line instructions.ShellDependantCmdLine) []string {
	if !line.PrependShell {
		return line.CmdLine
	}
	if len(e.s.config.img.Config.Shell) == 0 {
		e.lint.Run(&linter.RuleJSONArgsRecommended, c.Location(), linter.RuleJSONArgsRecommended.Format(c.Name()))
	}
	return e.shellArgs(line.CmdLine)
}

func (e *stageEval) setCmd(c *instructions.CmdCommand) {
	e.cmd.set(c, e.lint)
	cfg := &e.s.config.img.Config
	cfg.Cmd = e.commandLine(c, c.ShellDependantCmdLine)
	//lint:ignore SA1019 deprecated in the OCI specification, but part of Docker's image format
	cfg.ArgsEscaped = true
	e.record(fmt.Sprintf("CMD %q", cfg.Cmd))
}

// setEntrypoint also drops an inherited CMD, which belonged to the old entrypoint.
func (e *stageEval) setEntrypoint(c *instructions.EntrypointCommand) {
	e.entrypoint.set(c, e.lint)
	cfg := &e.s.config.img.Config
	cfg.Entrypoint = e.commandLine(c, c.ShellDependantCmdLine)
	if !e.cmd.isSet {
		cfg.Cmd = nil
	}
	e.record(fmt.Sprintf("ENTRYPOINT %q", cfg.Entrypoint))
}

func (e *stageEval) setHealthcheck(c *instructions.HealthCheckCommand) {
	e.healthcheck.set(c, e.lint)
	h := dockerspec.HealthcheckConfig{
		Test:          c.Health.Test,
		Interval:      c.Health.Interval,
		Timeout:       c.Health.Timeout,
		StartPeriod:   c.Health.StartPeriod,
		StartInterval: c.Health.StartInterval,
		Retries:       c.Health.Retries,
	}
	e.s.config.img.Config.Healthcheck = &h
	e.record(fmt.Sprintf("HEALTHCHECK %+v", h))
}

func (e *stageEval) setShell(c *instructions.ShellCommand) {
	e.s.config.img.Config.Shell = c.Shell
	e.record(fmt.Sprintf("SHELL %v", c.Shell))
}

func (e *stageEval) onBuild(c *instructions.OnbuildCommand) {
	cfg := &e.s.config.img.Config
	cfg.OnBuild = append(cfg.OnBuild, c.Expression)
}

func (e *stageEval) volume(c *instructions.VolumeCommand) error {
	cfg := &e.s.config.img.Config
	if cfg.Volumes == nil {
		cfg.Volumes = map[string]struct{}{}
	}
	for _, v := range c.Volumes {
		if v == "" {
			return errors.New("VOLUME specified can not be an empty string")
		}
		cfg.Volumes[v] = struct{}{}
	}
	e.record(fmt.Sprintf("VOLUME %v", c.Volumes))
	return nil
}

func (e *stageEval) stopSignal(c *instructions.StopSignalCommand) error {
	if _, err := signal.ParseSignal(c.Signal); err != nil {
		return err
	}
	e.s.config.img.Config.StopSignal = c.Signal
	e.record("STOPSIGNAL " + c.Signal)
	return nil
}
