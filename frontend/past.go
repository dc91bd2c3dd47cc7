package frontend

import (
	"context"
	"path"
	"strings"

	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/pkg/errors"

	"github.com/cachewright/cachewright/cachepolicy/report"
)

// pastBuilds reads the metadata files in the build context report.PastContext, in the
// order of their names. It fails if there is no such context, and on a file that is
// none of a build.
func (b *build) pastBuilds(ctx context.Context, platform string) ([]report.Past, error) {
	ref, err := b.pastContext(ctx)
	if err != nil {
		return nil, err
	}
	files, err := ref.ReadDir(ctx, client.ReadDirRequest{Path: "/", IncludePattern: "*.json"})
	if err != nil {
		return nil, err
	}
	var out []report.Past
	for _, f := range files {
		name := path.Base(f.Path)
		if f.IsDir() || !strings.HasSuffix(name, ".json") {
			continue
		}
		data, err := ref.ReadFile(ctx, client.ReadRequest{Filename: "/" + name})
		if err != nil {
			return nil, err
		}
		past, err := report.ReadPast(name, data, platform)
		if err != nil {
			return nil, err
		}
		out = append(out, past)
	}
	return out, nil
}

// pastContext returns the files of that context.
func (b *build) pastContext(ctx context.Context) (client.Reference, error) {
	named, err := b.ui.NamedContext(report.PastContext, dockerui.ContextOpt{})
	if err != nil {
		return nil, err
	}
	if named == nil {
		return nil, report.ErrNoPast
	}
	st, _, err := named.Load(ctx)
	if err != nil {
		return nil, err
	}
	if st == nil {
		return nil, report.ErrNoPast
	}
	def, err := st.Marshal(ctx)
	if err != nil {
		return nil, err
	}
	res, err := b.client.Solve(ctx, client.SolveRequest{Definition: def.ToPB()})
	if err != nil {
		return nil, err
	}
	ref, err := res.SingleRef()
	if err == nil && ref == nil {
		err = errors.Errorf("the build context %s is empty", report.PastContext)
	}
	return ref, err
}
