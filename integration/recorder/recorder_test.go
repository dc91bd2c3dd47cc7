package recorder_test

import (
	"context"
	"fmt"
	"os"
	"path"
	"strings"
	"testing"

	"github.com/moby/buildkit/client/llb"
	gateway "github.com/moby/buildkit/frontend/gateway/client"

	"github.com/cachewright/cachewright/cachepolicy"
	"github.com/cachewright/cachewright/cachepolicy/cacheplan"
	"github.com/cachewright/cachewright/cachepolicy/explain"
	"github.com/cachewright/cachewright/cachepolicy/record"
	"github.com/cachewright/cachewright/frontend/recorder"
	"github.com/cachewright/cachewright/integration/sandbox"
	"github.com/cachewright/cachewright/integration/scenario"
)

// lab builds one context again and again, with the recorder beside the steps.
type lab struct {
	t   *testing.T
	sb  *sandbox.Sandbox
	dir string
	n   int // requests so far
}

func newLab(t *testing.T, files map[string]string) *lab {
	sb := scenario.Start(t)
	return &lab{t: t, sb: sb, dir: sandbox.Files(t, files)}
}

func (l *lab) must(err error) {
	l.t.Helper()
	if err != nil {
		l.t.Fatal(err)
	}
}

// solve solves what build makes of the context, and returns what its steps did.
func (l *lab) solve(build func(ctx context.Context, c gateway.Client, local llb.State) error) *sandbox.Result {
	l.t.Helper()
	r, err := l.sb.Solve(l.t.Context(), sandbox.Build{Context: l.dir, Func: func(ctx context.Context, c gateway.Client) (*gateway.Result, error) {
		local := llb.Local("context", llb.SessionID(c.BuildOpts().SessionID), llb.SharedKeyHint(l.dir))
		return gateway.NewResult(), build(ctx, c, local)
	}})
	l.must(err)
	return r
}

// frontendImage is where steps run: the released image has no shell.
func frontendImage() llb.State { return llb.Image("docker.io/" + sandbox.FrontendRef) }

// command runs a command of the frontend's image and returns a file that it wrote.
func (l *lab) command(ctx context.Context, c gateway.Client, name, file string, opts ...llb.RunOption) ([]byte, error) {
	opts = append(opts, llb.Args([]string{"/bin/cachewright", name}), llb.Network(llb.NetModeNone), llb.WithCustomName(name))
	out := frontendImage().Run(opts...).AddMount(recorder.OutDir, llb.Scratch())
	ref, err := evaluate(ctx, c, out)
	if err != nil {
		return nil, err
	}
	return ref.ReadFile(ctx, gateway.ReadRequest{Filename: file})
}

func evaluate(ctx context.Context, c gateway.Client, state llb.State) (gateway.Reference, error) {
	def, err := state.Marshal(ctx)
	if err != nil {
		return nil, err
	}
	r, err := c.Solve(ctx, gateway.SolveRequest{Definition: def.ToPB(), Evaluate: true})
	if err != nil {
		return nil, err
	}
	return r.SingleRef()
}

// ask runs the recorder as a step of its own.
func (l *lab) ask(ctx context.Context, c gateway.Client, local llb.State, req *recorder.Request) (*recorder.Report, error) {
	req.Version, req.Record = recorder.Version, record.Name(l.t.Name())
	data, err := recorder.EncodeRequest(req)
	if err != nil {
		return nil, err
	}
	answer, err := l.command(ctx, c, "record", recorder.ReportName,
		llb.AddMount(recorder.RequestDir, llb.Scratch().File(llb.Mkfile(recorder.RequestName, 0o644, data)), llb.Readonly),
		llb.AddMount(path.Join(recorder.ContextsDir, "0"), local, llb.Readonly),
		llb.AddMount(recorder.RecordsDir, llb.Scratch(), llb.AsPersistentCacheDir("cachewright-"+l.t.Name(), llb.CacheMountShared)))
	if err != nil {
		return nil, err
	}
	r, err := recorder.DecodeReport(answer)
	if err == nil && len(r.Problems) > 0 {
		err = fmt.Errorf("the recorder's problems: %q", r.Problems)
	}
	return r, err
}

// selector is a step that selects files of the context.
type selector struct {
	patterns, exclude string // separated by blanks
	bind              bool   // RUN --mount=type=bind, not COPY
}

func (s selector) String() string {
	kind := "COPY "
	if s.bind {
		kind = "bind "
	}
	if s.exclude != "" {
		kind += "--exclude=" + s.exclude + " "
	}
	return kind + s.patterns
}

func (s selector) fileSet() cacheplan.FileSet {
	return cacheplan.FileSet{ID: s.String(), Patterns: strings.Fields(s.patterns), Exclude: strings.Fields(s.exclude)}
}

// state is the step in LLB, as a Dockerfile frontend makes it.
func (s selector) state(local llb.State) llb.State {
	if s.bind {
		return frontendImage().Run(llb.Args([]string{"/bin/cachewright", "key"}), llb.Network(llb.NetModeNone), llb.WithCustomName(s.String()),
			llb.AddMount("/mnt", local, llb.SourcePath(path.Join("/", s.patterns)), llb.Readonly)).Root()
	}
	out := llb.Scratch()
	var file *llb.FileAction
	for _, p := range strings.Fields(s.patterns) {
		info := &llb.CopyInfo{
			FollowSymlinks: true, CopyDirContentsOnly: true, AllowWildcard: true, AllowEmptyWildcard: true,
			CreateDestPath: true, ExcludePatterns: strings.Fields(s.exclude),
		}
		src := "/" + p
		if root, filter, parents := strings.Cut(src, "/./"); parents {
			src, info.IncludePatterns = "/"+strings.TrimPrefix(root, "/"), []string{filter}
		}
		if file == nil {
			file = llb.Copy(local, src, "/", info)
		} else {
			file = file.Copy(local, src, "/", info)
		}
	}
	return out.File(file, llb.WithCustomName(s.String()))
}

// outcome is what was predicted of a selector and what became of it.
type outcome struct{ predicted, got string }

// build asks the recorder about the selectors, builds them, and tells the recorder
// what became of them.
func (l *lab) build(selectors []selector) map[selector]outcome {
	l.t.Helper()
	plan := &cacheplan.Plan{Version: cacheplan.Version}
	for _, s := range selectors {
		plan.Files = append(plan.Files, s.fileSet())
		in := []cachepolicy.Input{{Kind: cachepolicy.InputFiles, Name: s.patterns, Files: s.String()}}
		plan.Steps = append(plan.Steps, cacheplan.Step{Name: s.String(), Inputs: append(in, cachepolicy.NewInput(cachepolicy.InputCommand, "COPY", s.String(), cachepolicy.Origin{}))})
	}
	l.n++
	var report *recorder.Report
	results := make([]record.Result, len(selectors))
	status := l.solve(func(ctx context.Context, c gateway.Client, local llb.State) (err error) {
		req := &recorder.Request{Mode: recorder.ModeRecord, Plan: plan, Contexts: []string{""}, Nonce: fmt.Sprint(l.n)}
		if report, err = l.ask(ctx, c, local, req); err != nil {
			return err
		}
		for i, s := range selectors {
			results[i].Outcome = record.OutcomeDone
			if _, err := evaluate(ctx, c, s.state(local)); err != nil {
				results[i].Outcome = record.OutcomeFailed
			}
		}
		_, err = l.ask(ctx, c, local, &recorder.Request{Mode: recorder.ModeResults, Keys: report.Keys, Results: results, Nonce: fmt.Sprint(l.n)})
		return err
	})
	out := map[selector]outcome{}
	for i, s := range selectors {
		p := report.Predictions[i]
		o := outcome{predicted: strings.TrimSpace(string(p.State) + " " + explain.Text(p.Reasons)), got: "failed"}
		if results[i].Outcome == record.OutcomeDone {
			step, err := status.Step(s.String())
			l.must(err)
			o.got = step.State()
		}
		out[s] = o
	}
	return out
}

// file returns a path in the context.
func (l *lab) file(name string) string { return path.Join(l.dir, name) }

func (l *lab) write(name, content string) { l.must(os.WriteFile(l.file(name), []byte(content), 0o644)) }

func (l *lab) link(name, target string) {
	os.Remove(l.file(name))
	l.must(os.Symlink(target, l.file(name)))
}
