package llbconv

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

const argEpoch = "SOURCE_DATE_EPOCH"

// argument is a declared ARG, as the outline shows it.
type argument struct {
	definition instructions.KeyValuePairOptional
	value      string
	deps       map[string]struct{} // global arguments its default refers to
	location   []parser.Range
}

// setGlobals computes the arguments that FROM instructions and stages see: the
// predefined platform arguments, then the file's global ARGs, then the resolved
// SOURCE_DATE_EPOCH.
func (c *conversion) setGlobals(ctx context.Context, prog *program) error {
	target := c.opt.Config.Target
	if target == "" {
		target = prog.stages[len(prog.stages)-1].Name
	}
	predefined := c.predefinedArgs(target)
	c.checkDefaultBaseNames(prog, predefined)

	var err error
	if c.globals, c.metaArgs, err = c.evalMetaArgs(prog.metaArgs, predefined, c.buildArgs); err != nil {
		return err
	}
	return c.setEpoch(ctx, prog)
}

// predefinedArgs returns the platform arguments of the Dockerfile reference,
// overridden by build arguments of the same name.
func (c *conversion) predefinedArgs(target string) *environ {
	if target == "" {
		target = "default"
	}
	bp, tp := c.buildPlatforms[0], c.targetPlatform
	vars := [...]struct{ name, value string }{
		{"BUILDPLATFORM", platforms.Format(bp)},
		{"BUILDOS", bp.OS},
		{"BUILDOSVERSION", bp.OSVersion},
		{"BUILDARCH", bp.Architecture},
		{"BUILDVARIANT", bp.Variant},
		{"TARGETPLATFORM", platforms.FormatAll(tp)},
		{"TARGETOS", tp.OS},
		{"TARGETOSVERSION", tp.OSVersion},
		{"TARGETARCH", tp.Architecture},
		{"TARGETVARIANT", tp.Variant},
		{"TARGETSTAGE", target},
	}
	env := newEnviron(len(vars))
	for _, v := range vars {
		if o, ok := c.buildArgs[v.name]; ok {
			v.value = o
		}
		env.set(v.name, v.value)
	}
	return env
}

// evalMetaArgs evaluates the global ARGs in order on top of base, which is returned
// as it is if there are none. A build argument replaces the default without the
// default being expanded.
func (c *conversion) evalMetaArgs(cmds []instructions.ArgCommand, base *environ, buildArgs map[string]string) (*environ, map[string]argument, error) {
	if len(cmds) == 0 {
		return base, nil, nil
	}
	env := base.clone()
	args := map[string]argument{}
	for _, cmd := range cmds {
		for _, def := range cmd.Args {
			arg := argument{definition: def, location: cmd.Location()}
			from := lineSource(fromDefault, cmd.Location())
			if v, ok := buildArgs[def.Key]; ok {
				arg.definition.Value = &v
				from.place = fromBuildArg
			} else if def.Value != nil {
				res, err := c.words.expand(*def.Value, env)
				if err != nil {
					return nil, nil, parser.WithLocation(err, cmd.Location())
				}
				arg.definition.Value = &res.Result
				from.secret = madeOfSecrets(res.Matched, env)
				arg.deps = metaArgDeps(def.Key, res.Matched, args)
			}
			if v := arg.definition.Value; v != nil {
				env.assign(envVar{name: def.Key, value: *v, from: from})
				arg.value = *v
			}
			args[def.Key] = arg
		}
	}
	return env, args, nil
}

// metaArgDeps returns the arguments that a global ARG's default refers to; where
// it refers to its own earlier value, that one's instead.
func metaArgDeps(name string, matched map[string]struct{}, args map[string]argument) map[string]struct{} {
	if _, self := matched[name]; self {
		delete(matched, name)
		maps.Copy(matched, args[name].deps)
	}
	return matched
}

// setEpoch resolves SOURCE_DATE_EPOCH and puts the resolved number back where it
// was given, so that stages see a number or nothing.
func (c *conversion) setEpoch(ctx context.Context, prog *program) error {
	arg, fromArg := c.buildArgs[argEpoch]
	global, isGlobal := c.globals.Get(argEpoch)
	value := arg
	if !fromArg {
		if value = global; value == "" {
			return nil
		}
	}
	epoch, err := c.resolveEpoch(ctx, value, prog)
	if err != nil {
		return err
	}
	c.epoch = epoch
	if c.epochFrom.place = fromBuildArg; !fromArg {
		v, _ := c.globals.lookup(argEpoch)
		c.epochFrom = v.from
	}
	resolved := ""
	if epoch != nil {
		resolved = strconv.FormatInt(epoch.Unix(), 10)
	}
	if fromArg {
		if resolved == "" {
			delete(c.buildArgs, argEpoch)
		} else {
			c.buildArgs[argEpoch] = resolved
		}
	}
	if isGlobal {
		if resolved == "" {
			c.globals.unset(argEpoch)
		} else {
			c.globals.set(argEpoch, resolved)
		}
	}
	return nil
}

// proxyFromArgs collects the proxy build arguments, in any letter case; of two
// spellings the lexically last wins. It returns nil if there are none.
func proxyFromArgs(args map[string]string) *llb.ProxyEnv {
	var proxy llb.ProxyEnv
	found := false
	for _, name := range slices.Sorted(maps.Keys(args)) {
		field := map[string]*string{
			"http_proxy":  &proxy.HTTPProxy,
			"https_proxy": &proxy.HTTPSProxy,
			"ftp_proxy":   &proxy.FTPProxy,
			"no_proxy":    &proxy.NoProxy,
			"all_proxy":   &proxy.AllProxy,
		}[strings.ToLower(name)]
		if field != nil {
			*field = args[name]
			found = true
		}
	}
	if !found {
		return nil
	}
	return &proxy
}
