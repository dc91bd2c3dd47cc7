package llbconv

import (
	"strings"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerfile/dfgitutil"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/pkg/errors"

	"github.com/cachewright/cachewright/llbconv/internal/source"
)

// epochStage returns the source of a stage that a SOURCE_DATE_EPOCH names. The
// stage may only hold ARG instructions and one ADD of a URL or repository, and
// starts from scratch.
func (c *conversion) epochStage(name string, prog *program) (*epochSource, error) {
	for _, s := range prog.stages {
		if s.Name == "" || !strings.EqualFold(s.Name, name) {
			continue
		}
		st, err := c.stageSource(s)
		if err != nil {
			return nil, parser.WithLocation(err, s.Location)
		}
		return &epochSource{*st, "[internal] resolve SOURCE_DATE_EPOCH source stage " + s.Name}, nil
	}
	return nil, errors.Errorf("invalid SOURCE_DATE_EPOCH: %s", name)
}

// stageSource returns the only source of a stage.
func (c *conversion) stageSource(s instructions.Stage) (*llb.State, error) {
	env := c.globals.clone()
	env.unset(argEpoch) // it is what is being looked for
	base, err := c.words.expand(s.BaseName, env)
	if err != nil {
		return nil, errors.Wrapf(err, "failed to process source stage base name %q", s.BaseName)
	}
	if base.Result != scratchName {
		return nil, errors.New("SOURCE_DATE_EPOCH stage must use FROM scratch")
	}
	var found *llb.State
	for _, cmd := range s.Commands {
		switch cmd := cmd.(type) {
		case *instructions.ArgCommand:
			if err := c.setEpochArgs(cmd, env); err != nil {
				return nil, err
			}
		case *instructions.AddCommand:
			if found != nil {
				return nil, errors.New("SOURCE_DATE_EPOCH stage must contain exactly one remote ADD")
			}
			if found, err = c.addSource(cmd, env); err != nil {
				return nil, err
			}
		default:
			return nil, errors.Errorf("SOURCE_DATE_EPOCH stage does not meet source-only requirements: unsupported %s instruction", cmd.Name())
		}
	}
	if found == nil {
		return nil, errors.New("SOURCE_DATE_EPOCH stage must contain exactly one remote ADD")
	}
	return found, nil
}

// setEpochArgs evaluates ARG; a global argument of the name is in env already.
func (c *conversion) setEpochArgs(cmd *instructions.ArgCommand, env *environ) error {
	for _, arg := range cmd.Args {
		if v, ok := c.buildArgs[arg.Key]; ok {
			env.set(arg.Key, v)
		} else if arg.Value != nil {
			res, err := c.words.expand(*arg.Value, env)
			if err != nil {
				return err
			}
			env.set(arg.Key, res.Result)
		}
	}
	return nil
}

// addSource returns the source that an ADD reads. The instruction itself is left
// as it is: it is evaluated again as part of its stage.
func (c *conversion) addSource(cmd *instructions.AddCommand, env *environ) (*llb.State, error) {
	if len(cmd.SourceContents) != 0 || len(cmd.SourcePaths) != 1 {
		return nil, errors.New("SOURCE_DATE_EPOCH stage must contain exactly one remote ADD source")
	}
	path, err := c.words.expand(cmd.SourcePaths[0], env)
	if err != nil {
		return nil, err
	}
	checksum, err := c.words.expand(cmd.Checksum, env)
	if err != nil {
		return nil, err
	}
	ref, isGit, refErr := dfgitutil.ParseGitRef(path.Result)
	switch {
	case source.IsHTTP(path.Result):
		src, err := source.NewHTTP(path.Result, checksum.Result)
		if err != nil {
			return nil, err
		}
		st := src.State()
		return &st, nil
	case refErr != nil && isGit:
		return nil, refErr
	case refErr == nil && !ref.IndistinguishableFromLocal:
		src, err := source.NewGit(ref, cmd.KeepGitDir, checksum.Result)
		if err != nil {
			return nil, err
		}
		st := src.State(c.opt.Config.GitAdvice)
		return &st, nil
	default:
		return nil, errors.New("SOURCE_DATE_EPOCH stage source must be a single HTTP(S) or Git ADD")
	}
}
