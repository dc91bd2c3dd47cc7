package oracle

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/moby/buildkit/frontend/dockerfile/dockerfile2llb"
	"github.com/moby/buildkit/frontend/subrequests/lint"
	"github.com/moby/buildkit/frontend/subrequests/outline"
	"github.com/moby/buildkit/solver/pb"

	"github.com/cachewright/cachewright/llbconv"
)

// CompareSubrequests returns the differences in what the two converters answer to
// the subrequests outline, targets, lint and convertllb, as JSON or as an error.
// Like Compare it leaves out cache rules.
func CompareSubrequests(ctx context.Context, c *Case) []Diff {
	ours, upstream := answers(ctx, c.WithoutRules(), ourAnswer), answers(ctx, c, upstreamAnswer)
	for range attempts {
		if maps.Equal(upstream, ours) {
			break
		}
		upstream = answers(ctx, c, upstreamAnswer)
	}
	var out []Diff
	for _, name := range subrequests {
		if c.NoClient && name == "convertllb" {
			continue // without a session, local sources have random ids
		}
		if upstream[name] != ours[name] {
			out = append(out, Diff{Kind: name, Detail: gocmp.Diff(upstream[name], ours[name])})
		}
	}
	return out
}

var subrequests = []string{"outline", "targets", "lint", "convertllb"}

// answers asks for everything.
func answers(ctx context.Context, c *Case, answer func(context.Context, string, *Case, *request) (any, error)) map[string]string {
	out := map[string]string{}
	for _, name := range subrequests {
		out[name] = func() (text string) {
			defer func() {
				if p := recover(); p != nil {
					text = fmt.Sprintf("panic: %v", p)
				}
			}()
			r, err := newRequest(c)
			if err != nil {
				return "error: " + err.Error()
			}
			res, err := answer(ctx, name, c, r)
			if err != nil {
				return "error: " + sortedRules(err.Error())
			}
			return randomID.ReplaceAllString(jsonText(res), `"ID"`)
		}()
	}
	return out
}

// randomID is the id of a progress group.
var randomID = regexp.MustCompile(`"[a-z0-9]{25}"`)

func upstreamAnswer(ctx context.Context, name string, c *Case, r *request) (any, error) {
	opt := dockerfile2llb.ConvertOpt{
		Config: r.config, Client: r.client, SourceMap: r.sourceMap, MetaResolver: r.images, LLBCaps: r.caps, Warn: r.warnings.add,
	}
	switch name {
	case "outline":
		return comparableOutline(dockerfile2llb.Dockerfile2Outline(ctx, c.Dockerfile, opt))
	case "targets":
		return dockerfile2llb.ListTargets(ctx, c.Dockerfile)
	case "lint":
		res, err := dockerfile2llb.DockerfileLint(ctx, c.Dockerfile, opt)
		return comparableLint(res), err
	case "convertllb":
		return dockerfile2llb.DockerfileConvertLLB(ctx, c.Dockerfile, opt)
	default:
		return nil, errors.New("no such subrequest")
	}
}

func ourAnswer(ctx context.Context, name string, c *Case, r *request) (any, error) {
	opt := llbconv.Options{
		Config: r.config, Client: r.client, SourceMap: r.sourceMap, MetaResolver: r.images, Caps: r.caps, Warn: r.warnings.add,
	}
	switch name {
	case "outline":
		return comparableOutline(llbconv.Outline(ctx, c.Dockerfile, opt))
	case "targets":
		return llbconv.Targets(c.Dockerfile)
	case "lint":
		return comparableLint(llbconv.Lint(ctx, c.Dockerfile, opt)), nil
	case "convertllb":
		return llbconv.ConvertLLB(ctx, c.Dockerfile, opt)
	default:
		return nil, errors.New("no such subrequest")
	}
}

// comparableOutline sorts what upstream leaves in random order: arguments, secrets
// and agents of one line.
func comparableOutline(res *outline.Outline, err error) (*outline.Outline, error) {
	if err != nil {
		return nil, err
	}
	line := func(at *pb.Location) int32 {
		if at == nil || len(at.Ranges) == 0 {
			return 0
		}
		return at.Ranges[0].Start.Line
	}
	slices.SortFunc(res.Args, func(a, b outline.Arg) int {
		return cmp.Or(cmp.Compare(line(a.Location), line(b.Location)), cmp.Compare(a.Name, b.Name))
	})
	slices.SortFunc(res.Secrets, func(a, b outline.Secret) int {
		return cmp.Or(cmp.Compare(line(a.Location), line(b.Location)), cmp.Compare(a.Name, b.Name))
	})
	slices.SortFunc(res.SSH, func(a, b outline.SSH) int {
		return cmp.Or(cmp.Compare(line(a.Location), line(b.Location)), cmp.Compare(a.Name, b.Name))
	})
	return res, nil
}

// comparableLint puts the broken rules that an error lists in order.
func comparableLint(res *lint.LintResults) *lint.LintResults {
	if res != nil && res.Error != nil {
		res.Error.Message = sortedRules(res.Error.Message)
	}
	return res
}
