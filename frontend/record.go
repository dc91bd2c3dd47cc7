package frontend

import (
	"context"
	"maps"
	"slices"
	"strconv"

	"github.com/moby/buildkit/client/llb"
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
var recorderNeeds = []apicaps.CapID{pb.CapExecMountCache, pb.CapExecMountCacheSharing, pb.CapExecMetaNetwork, pb.CapFileBase}

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
func (b *build) plan(ctx context.Context, def *llbconv.Definition) (plan *cacheplan.Plan, keyID string, err error) {
	plan, err = def.Plan(ctx, func() ([]byte, error) {
		key, err := b.runSelf(ctx, "key", recorder.KeyName, "[internal] load the key for digests of secrets", nil)
		keyID = record.Name(string(key))
		return key, err
	})
	return plan, keyID, err
}

// record asks the recorder about a plan, in a step that the builder has in its
// cache when nothing has changed. It returns the name of the record too.
func (b *build) record(ctx context.Context, def *llbconv.Definition, mode recorder.Mode) (report *recorder.Report, name string, err error) {
	plan, keyID, err := b.plan(ctx, def)
	if err != nil || plan == nil {
		return nil, "", err
	}
	req := &recorder.Request{
		Version: recorder.Version,
		Mode:    mode,
		Plan:    plan,
		Record:  record.Name(plan.Dockerfile, plan.Target, plan.Platform, b.opts()["vcs:source"], b.opts()["vcs:localdir:dockerfile"], keyID),
	}
	if mode != recorder.ModeRecord {
		req.Nonce = b.nonce
	}
	report, err = b.ask(ctx, req, def.Contexts(plan), "compare with earlier builds")
	return report, req.Record, err
}

// ask runs the recorder with the build contexts that it is to look at.
func (b *build) ask(ctx context.Context, req *recorder.Request, contexts map[string]llb.State, what string) (*recorder.Report, error) {
	req.Contexts = slices.Sorted(maps.Keys(contexts))
	mounts := []llb.RunOption{
		llb.AddMount(recorder.RecordsDir, llb.Scratch(), llb.AsPersistentCacheDir(recordsID, llb.CacheMountShared)),
	}
	// Where the client says which repository this is, the record goes by that alone:
	// builds of one directory at the same time have copies of it in several places.
	if src := b.src.SourceMap.State; src != nil && b.opts()["vcs:source"] == "" {
		mounts = append(mounts, llb.AddMount(recorder.DockerfileDir, *src, llb.Readonly))
	}
	for i, name := range req.Contexts {
		mounts = append(mounts, llb.AddMount(recorder.ContextsDir+"/"+strconv.Itoa(i), contexts[name], llb.Readonly))
	}
	data, err := recorder.EncodeRequest(req)
	if err != nil {
		return nil, err
	}
	title := b.internalName(req.Plan, what)
	group := llb.ProgressGroup(identity.NewID(), title, false)
	file := llb.Scratch().File(llb.Mkfile("/"+recorder.RequestName, 0o600, data), group)
	mounts = append(mounts, llb.AddMount(recorder.RequestDir, file, llb.Readonly), group)
	data, err = b.runSelf(ctx, "record", recorder.ReportName, title, mounts)
	if err != nil {
		return nil, err
	}
	return recorder.DecodeReport(data)
}

// internalName is what progress output shows for a step of the frontend's own.
func (b *build) internalName(plan *cacheplan.Plan, what string) string {
	prefix := ""
	if b.ui.MultiPlatformRequested && plan != nil {
		prefix = plan.Platform + " "
	}
	return "[" + prefix + "internal] " + what
}

// runSelf runs a command of this frontend's own binary as a step and returns the
// file that it writes to recorder.OutDir. The step has no network.
func (b *build) runSelf(ctx context.Context, command, file, name string, mounts []llb.RunOption) ([]byte, error) {
	run := b.self.Run(append([]llb.RunOption{
		llb.Args([]string{executable(), command}),
		llb.Dir("/"),
		llb.Network(pb.NetMode_NONE),
		llb.WithCustomName(name),
	}, mounts...)...)
	out := run.AddMount(recorder.OutDir, llb.Scratch())
	def, err := out.Marshal(ctx, llb.WithCaps(b.ui.BuildOpts().LLBCaps))
	if err != nil {
		return nil, err
	}
	res, err := b.client.Solve(ctx, client.SolveRequest{Definition: def.ToPB()})
	if err != nil {
		return nil, err
	}
	ref, err := res.SingleRef()
	if err != nil {
		return nil, err
	}
	if ref == nil {
		return nil, errors.Errorf("%s gave nothing", command)
	}
	return ref.ReadFile(ctx, client.ReadRequest{Filename: "/" + file})
}
