package llbconv

import (
	"path"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerfile/shell"
	"github.com/moby/buildkit/solver/pb"
	"github.com/pkg/errors"
)

// scriptDir is where a heredoc with a shebang line is mounted as a file.
const scriptDir = "/dev/pipes/"

// run evaluates a RUN.
func (e *stageEval) run(cmd command, c *instructions.RunCommand) error {
	e.s.used.Add("/") // the command may read anything in its stage
	op := &runOp{
		source: c.String(),
		args:   c.CmdLine,
		dir:    e.dir,
		user:   e.user,
	}
	op.title = op.source
	if len(c.Files) > 0 {
		suffix, err := op.takeHeredocs(c, e.s.config.img.OS == "windows")
		if err != nil {
			return err
		}
		op.title += suffix
	}
	if c.PrependShell {
		op.args = e.shellArgs(op.args)
		op.shell = op.args[:len(op.args)-1]
	}
	if err := e.mounts(cmd, c, op); err != nil {
		return err
	}
	var err error
	if op.security, err = runSecurity(c); err != nil {
		return err
	}
	if op.network, err = e.runNetwork(c); err != nil {
		return err
	}
	op.ownNetwork = instructions.GetNetwork(c) != instructions.NetworkDefault
	for _, d := range instructions.GetDevices(c) {
		op.devices = append(op.devices, &pb.CDIDevice{Name: d.Name, Optional: !d.Required})
	}
	op.env, op.vars, op.declared = e.env.strings(), e.env.snapshot(), e.declared.snapshot()
	st := e.addStep(cmd, op, e.c.runTitle(op, e.env), e.s.root.platform)
	e.s.config.history.addRun(st, e.c.epoch)
	return nil
}

// runTitle is the progress text of a RUN with an environment.
func (c *conversion) runTitle(op *runOp, env *environ) string {
	return titleText(&c.titles, op.title, maskSecrets(op.secrets, env))
}

// takeHeredocs puts the inline documents of a RUN into its command: a single one
// is a script of its own, others go back into the command line for the shell. It
// returns what to add to the step's title.
func (op *runOp) takeHeredocs(c *instructions.RunCommand, windows bool) (string, error) {
	if len(op.args) != 1 || !c.PrependShell {
		return "", errors.Errorf("parsing produced an invalid run command: %v", op.args)
	}
	if parser.MustParseHeredoc(op.args[0]) == nil {
		var b strings.Builder
		b.WriteString(op.args[0])
		for _, f := range c.Files {
			b.WriteString("\n" + f.Data + f.Name)
		}
		op.args = []string{b.String()}
		return "", nil
	}
	script := c.Files[0]
	data := script.Data
	if script.Chomp {
		data = parser.ChompHeredocContent(data)
	}
	if !windows && strings.HasPrefix(data, "#!") {
		op.mounts = append(op.mounts, runMount{
			target:   scriptDir,
			selector: "/",
			readonly: true,
			source:   mountSource{script: &inlineFile{name: script.Name, data: data, mode: 0o755}},
		})
		op.args = []string{path.Join(scriptDir, script.Name)}
	} else {
		op.args = []string{data}
	}
	return " (" + summary(script.Data) + ")", nil
}

// summary is the first line of an inline document.
func summary(doc string) string {
	doc = strings.ReplaceAll(strings.TrimSpace(doc), "\r\n", "\n")
	first, _, more := strings.Cut(doc, "\n")
	if more {
		first += "..."
	}
	return first
}

func runSecurity(c *instructions.RunCommand) (pb.SecurityMode, error) {
	switch mode := instructions.GetSecurity(c); mode {
	case instructions.SecuritySandbox:
		return pb.SecurityMode_SANDBOX, nil
	case instructions.SecurityInsecure:
		return pb.SecurityMode_INSECURE, nil
	default:
		return 0, errors.Errorf("unsupported security mode %q", mode)
	}
}

// runNetwork returns the network mode of a RUN: its own or else the build's.
func (e *stageEval) runNetwork(c *instructions.RunCommand) (pb.NetMode, error) {
	switch mode := instructions.GetNetwork(c); mode {
	case instructions.NetworkDefault:
		return e.c.opt.Config.NetworkMode, nil
	case instructions.NetworkNone:
		return pb.NetMode_NONE, nil
	case instructions.NetworkHost:
		return pb.NetMode_HOST, nil
	default:
		return 0, errors.Errorf("unsupported network mode %q", mode)
	}
}

// maskedEnv is an environment in which secrets show as asterisks.
type maskedEnv struct {
	*environ
	secrets map[string]bool
}

func (m maskedEnv) Get(name string) (string, bool) {
	if m.secrets[name] {
		return "****", true
	}
	return m.environ.Get(name)
}

// maskSecrets makes clear in a step's title which variables come from secrets.
func maskSecrets(secrets []runSecret, env *environ) shell.EnvGetter {
	masked := map[string]bool{}
	for _, s := range secrets {
		if s.env != nil {
			masked[*s.env] = true
		}
	}
	if len(masked) == 0 {
		return env
	}
	return maskedEnv{env, masked}
}
