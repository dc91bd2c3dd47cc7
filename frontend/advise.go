package frontend

import (
	"bytes"
	"context"
	"path"
	"strings"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/pkg/errors"

	"github.com/cachewright/cachewright/cachepolicy/advice"
	"github.com/cachewright/cachewright/cachepolicy/report"
	"github.com/cachewright/cachewright/llbconv"
)

// advise returns what the log says about the Dockerfile.
func (b *build) advise(ctx context.Context, r *report.Report, e *explanation) (*advice.Advice, error) {
	return advice.Suggest(&advice.Project{
		Plan:       e.Plan,
		Dockerfile: advice.File{Path: r.Path, Text: string(b.src.Data)},
		Ignore:     b.ignoreFile(ctx),
		Log:        e.log,
		Remote:     len(b.ui.CacheImports) > 0, BuildPlatform: platformID(&b.ui.BuildPlatforms[0]),
		Read: func(text string) (*advice.Reading, error) { return b.reading(ctx, text) },
	})
}

// reading converts a Dockerfile as a build would, and says nothing of what it finds.
func (b *build) reading(ctx context.Context, text string) (*advice.Reading, error) {
	opt := b.predictOptions(ctx)
	opt.Warn, opt.Advise = nil, nil
	source := *b.src.SourceMap
	source.Data = []byte(text)
	opt.SourceMap = &source
	converted, err := llbconv.Convert(ctx, source.Data, opt)
	if err != nil {
		return nil, err
	}
	def, err := converted.Definition(ctx)
	if err != nil {
		return nil, err
	}
	plan, err := def.Plan(ctx, func() ([]byte, error) { return []byte(b.nonce), nil })
	if err != nil {
		return nil, err
	}
	if plan == nil {
		return nil, errors.New("the plan of this Dockerfile is too large for advice")
	}
	instructions, err := readInstructions(source.Data)
	return &advice.Reading{Plan: plan, Instructions: instructions}, err
}

// readInstructions returns the instructions of a Dockerfile as they are written.
func readInstructions(data []byte) ([]advice.Instruction, error) {
	file, err := parser.Parse(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	var out []advice.Instruction
	stage := -1
	for _, n := range file.AST.Children {
		in := advice.Instruction{
			Keyword: strings.ToUpper(n.Value), Text: n.Original, Flags: n.Flags, Line: n.StartLine, EndLine: n.EndLine,
			Exec: n.Attributes["json"], Heredoc: len(n.Heredocs) > 0,
		}
		if in.Keyword == "FROM" {
			stage++
		}
		in.Stage = stage
		for word := n.Next; word != nil; word = word.Next {
			in.Words = append(in.Words, word.Value)
		}
		out = append(out, in)
	}
	return out, nil
}

// ignoreFile returns the .dockerignore that the build goes by. It has no path where the
// context is no directory of the client.
func (b *build) ignoreFile(ctx context.Context) advice.File {
	const suffix = dockerui.DefaultDockerignoreName
	own := b.src.Filename + suffix
	if text, ok := b.readOwn(ctx, own); ok {
		return advice.File{Path: path.Join(b.opts()["vcs:localdir:dockerfile"], own), Text: text}
	}
	text, local, missing := b.readIgnored(ctx)
	if !local {
		return advice.File{}
	}
	return advice.File{Path: path.Join(b.opts()["vcs:localdir:context"], suffix), Text: text, Missing: missing}
}

// readOwn reads a file that lies beside the Dockerfile.
func (b *build) readOwn(ctx context.Context, name string) (string, bool) {
	if b.src.Definition == nil {
		return "", false
	}
	res, err := b.client.Solve(ctx, client.SolveRequest{Definition: b.src.Definition.ToPB()})
	if err != nil {
		return "", false
	}
	return readFile(ctx, res, name)
}

// readIgnored reads the .dockerignore of the main context, if that is a directory of the
// client.
func (b *build) readIgnored(ctx context.Context) (text string, local, missing bool) {
	const name = dockerui.DefaultDockerignoreName
	if source := b.opts()["context"]; source != "" { // a repository, an archive or an input
		return "", false, false
	}
	key := b.opts()["contextkey"]
	if key == "" {
		key = dockerui.DefaultLocalNameContext
	}
	st := llb.Local(key, llb.SessionID(b.ui.BuildOpts().SessionID), llb.FollowPaths([]string{name}), llb.SharedKeyHint(key+"-"+name),
		dockerui.WithInternalName("load "+name), llb.Differ(llb.DiffNone, false))
	def, err := st.Marshal(ctx)
	if err != nil {
		return "", false, false
	}
	res, err := b.client.Solve(ctx, client.SolveRequest{Definition: def.ToPB()})
	if err != nil {
		return "", false, false
	}
	text, ok := readFile(ctx, res, name)
	return text, true, !ok
}

func readFile(ctx context.Context, res *client.Result, name string) (string, bool) {
	ref, err := res.SingleRef()
	if err != nil || ref == nil {
		return "", false
	}
	data, err := ref.ReadFile(ctx, client.ReadRequest{Filename: name})
	return string(data), err == nil
}
