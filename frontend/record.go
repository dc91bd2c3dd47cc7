package frontend

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerfile/dfgitutil"
	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/identity"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/apicaps"
	"github.com/pkg/errors"

	"github.com/cachewright/cachewright/cachepolicy/cacheplan"
	"github.com/cachewright/cachewright/cachepolicy/record"
	"github.com/cachewright/cachewright/frontend/recorder"
	"github.com/cachewright/cachewright/llbconv"
)

// recordsID names the cache mount in which a builder keeps the records.
const recordsID = "cachewright-records"

// recorderNeeds are the capabilities without which a builder cannot run the
// recorder.
var recorderNeeds = []apicaps.CapID{pb.CapExecMountCache, pb.CapExecMountCacheSharing, pb.CapExecMetaNetwork, pb.CapExecMetaProxy, pb.CapFileBase}

// canRecord reports whether the builder can run steps of this frontend's own image.
func (b *build) canRecord() bool {
	if b.self == nil {
		return false
	}
	caps := b.ui.BuildOpts().LLBCaps
	return !slices.ContainsFunc(recorderNeeds, func(id apicaps.CapID) bool { return caps.Supports(id) != nil })
}

// plan takes the plan of a converted build. Digests of what is withheld from it are
// keyed with a key that only this builder has.
func (b *build) plan(ctx context.Context, def *llbconv.Definition) (*cacheplan.Plan, error) {
	keyID := ""
	plan, err := def.Plan(ctx, func() ([]byte, error) {
		key, _, err := b.runSelf(ctx, "key", recorder.KeyName, "[internal] load the key for digests of secrets", nil)
		keyID = record.Name(string(key))
		return key, err
	})
	if plan != nil {
		plan.SecretKey = keyID
	}
	return plan, err
}

// compare asks the recorder about a plan, in a step that the builder has in its
// cache when nothing has changed.
func (b *build) compare(ctx context.Context, def *llbconv.Definition, mode recorder.Mode) (*recorder.Report, client.Reference, error) {
	plan, err := b.plan(ctx, def)
	if err != nil || plan == nil {
		return nil, nil, err
	}
	req := &recorder.Request{Version: recorder.Version, Mode: mode, Plan: plan}
	project := b.project()
	req.Record = record.Name(project...)
	if mode != recorder.ModeRecord {
		req.Nonce = b.nonce
	}
	// Where nothing tells the project from others, its files have to.
	var mounts []llb.RunOption
	// Builds of one directory at the same time have copies of it in several places.
	if src := b.src.SourceMap.State; src != nil && len(project) == 0 {
		mounts = append(mounts, llb.AddMount(recorder.DockerfileDir, *src, llb.Readonly))
	}
	if b.record.load(ctx, def) {
		mounts = append(mounts, b.record.request(req))
	}
	return b.ask(ctx, req, def.Contexts(plan), "compare with earlier builds", mounts...)
}

// project names what is built, if the client says so: the repository that a directory
// belongs to with the place in it, or the URL of a remote context without the commit
// or branch.
func (b *build) project() []string {
	opts := b.opts()
	if source := opts["vcs:source"]; source != "" {
		return []string{"repository", source, opts["vcs:localdir:dockerfile"]}
	}
	context := opts["context"]
	if ref, ok, err := dfgitutil.ParseGitRef(context); ok && err == nil {
		return []string{"git", ref.Remote, ref.SubDir}
	}
	if strings.HasPrefix(context, "https://") || strings.HasPrefix(context, "http://") {
		return []string{"url", context}
	}
	return nil
}

// ask runs the recorder with the build contexts that it is to look at, and returns its
// report and all that it wrote.
func (b *build) ask(ctx context.Context, req *recorder.Request, contexts map[string]llb.State, what string, more ...llb.RunOption) (*recorder.Report, client.Reference, error) {
	req.Contexts = slices.Sorted(maps.Keys(contexts))
	// Locked: BuildKit makes another, empty directory for a shared one that somebody
	// else, such as a clean-up, holds at the moment. For a locked one it waits.
	mounts := append(more,
		llb.AddMount(recorder.RecordsDir, llb.Scratch(), llb.AsPersistentCacheDir(recordsID, llb.CacheMountLocked)),
		// recorder.MarkVariable, recorder.RevisionVariable
		llb.WithProxy(llb.ProxyEnv{NoProxy: b.nonce, AllProxy: b.opts()["vcs:revision"]}),
	)
	for i, name := range req.Contexts {
		mounts = append(mounts, llb.AddMount(recorder.ContextsDir+"/"+strconv.Itoa(i), contexts[name], llb.Readonly))
	}
	data, err := recorder.EncodeRequest(req)
	if err != nil {
		return nil, nil, err
	}
	title := b.internalName(req.Plan, what)
	group := llb.ProgressGroup(identity.NewID(), title, false)
	file := llb.Scratch().File(llb.Mkfile("/"+recorder.RequestName, 0o600, data), group)
	mounts = append(mounts, llb.AddMount(recorder.RequestDir, file, llb.Readonly), group)
	data, ref, err := b.runSelf(ctx, "record", recorder.ReportName, title, mounts)
	if err != nil {
		return nil, nil, err
	}
	report, err := recorder.DecodeReport(data)
	return report, ref, err
}

// internalName is what progress output shows for a step of the frontend's own.
func (b *build) internalName(plan *cacheplan.Plan, what string) string {
	prefix := ""
	if b.ui.MultiPlatformRequested && plan != nil {
		prefix = plan.Platform + " "
	}
	return "[" + prefix + "internal] " + what
}

// runSelf runs a command of this frontend's own binary as a step and returns a
// file that it writes to recorder.OutDir, and all of that. The step has no network.
func (b *build) runSelf(ctx context.Context, command, file, name string, mounts []llb.RunOption) ([]byte, client.Reference, error) {
	out := b.ownStep(name, []string{command}, mounts...).AddMount(recorder.OutDir, llb.Scratch())
	ref, err := b.solveState(ctx, out, client.SolveRequest{})
	if err != nil {
		return nil, nil, err
	}
	data, err := ref.ReadFile(ctx, client.ReadRequest{Filename: "/" + file})
	return data, ref, err
}

// ownStep is a step that runs this frontend's own binary, with these arguments and
// without a network.
func (b *build) ownStep(name string, args []string, opts ...llb.RunOption) llb.ExecState {
	return b.self.Run(append([]llb.RunOption{
		llb.Args(append([]string{executable()}, args...)),
		llb.Dir("/"),
		llb.Network(pb.NetMode_NONE),
		llb.WithCustomName(name),
	}, opts...)...)
}

// solveState solves what a step of the frontend's own gives, in the way that the
// request says.
func (b *build) solveState(ctx context.Context, st llb.State, req client.SolveRequest) (client.Reference, error) {
	def, err := st.Marshal(ctx, llb.WithCaps(b.ui.BuildOpts().LLBCaps))
	if err != nil {
		return nil, err
	}
	req.Definition = def.ToPB()
	res, err := b.client.Solve(ctx, req)
	if err != nil {
		return nil, err
	}
	ref, err := res.SingleRef()
	if err == nil && ref == nil {
		err = errors.New("a step without a result")
	}
	return ref, err
}
