package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/moby/buildkit/client"
	gateway "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"

	"github.com/cachewright/cachewright/integration/sandbox"
)

// Transfer measures what a first build has the client send, Dockerfile and
// .dockerignore included: each frontend converts the project, then the local
// sources of the outcome are solved, and nothing else.
func (l *Lab) Transfer(ctx context.Context) (*Table, error) {
	projects, err := l.transferred()
	if err != nil {
		return nil, err
	}
	t := &Table{Header: []string{"Sent for a first build, bytes", ours, upstream, "in the context"}}
	for _, p := range projects {
		row := []string{p.name}
		for _, side := range []string{ours, upstream} {
			sent, err := l.sent(ctx, p.dir, side)
			if err != nil {
				return nil, fmt.Errorf("%s: %s: %w", p.name, side, err)
			}
			row = append(row, fmt.Sprint(sent))
		}
		total, err := treeSize(p.dir)
		if err != nil {
			return nil, err
		}
		t.Rows = append(t.Rows, append(row, fmt.Sprint(total)))
	}
	return t, nil
}

// contextDir is a project that is on the disk.
type contextDir struct{ name, dir string }

// transferred returns the examples and the projects of this package.
func (l *Lab) transferred() ([]contextDir, error) {
	root, err := sandbox.RepoRoot()
	if err != nil {
		return nil, err
	}
	files, err := filepath.Glob(filepath.Join(root, "examples", "*", "Dockerfile"))
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, errors.New("there are no examples")
	}
	var all []contextDir
	for _, file := range files {
		dir := filepath.Dir(file)
		all = append(all, contextDir{"examples/" + filepath.Base(dir), dir})
	}
	for _, p := range []project{typicalProject(), unusedProject()} {
		dir, err := l.context(p.name, p.files)
		if err != nil {
			return nil, err
		}
		all = append(all, contextDir{p.name, dir})
	}
	return all, nil
}

// sent returns the bytes that the client sends to a daemon that has nothing of
// the directory.
func (l *Lab) sent(ctx context.Context, dir, side string) (int64, error) {
	if err := l.sandbox.Client().Prune(ctx, nil, client.PruneAll); err != nil {
		return 0, err
	}
	r, err := l.sandbox.Solve(ctx, sandbox.Build{Context: dir, Func: func(ctx context.Context, c gateway.Client) (*gateway.Result, error) {
		res, err := c.Solve(ctx, gateway.SolveRequest{Frontend: "gateway.v0", FrontendOpt: map[string]string{
			"source":  ref(side),
			"cmdline": ref(side), // so that the file's own line is not followed
		}})
		if err != nil {
			return nil, err
		}
		return gateway.NewResult(), solveLocals(ctx, c, res)
	}})
	if err != nil {
		return 0, err
	}
	var sum int64
	for _, s := range r.Steps {
		sum += s.Transferred
	}
	return sum, nil
}

// solveLocals solves each local source of a result.
func solveLocals(ctx context.Context, c gateway.Client, res *gateway.Result) error {
	ref, err := res.SingleRef()
	if err != nil {
		return err
	}
	st, err := ref.ToState()
	if err != nil {
		return err
	}
	def, err := st.Marshal(ctx)
	if err != nil {
		return err
	}
	for _, data := range def.Def {
		var op pb.Op
		if err := op.UnmarshalVT(data); err != nil {
			return err
		}
		if !strings.HasPrefix(op.GetSource().GetIdentifier(), "local://") {
			continue
		}
		only, err := single(def.ToPB(), data)
		if err != nil {
			return err
		}
		if _, err := c.Solve(ctx, gateway.SolveRequest{Definition: only, Evaluate: true}); err != nil {
			return err
		}
	}
	return nil
}

// single returns the definition that ends in the operation with the given bytes,
// which has no inputs.
func single(def *pb.Definition, data []byte) (*pb.Definition, error) {
	dgst := string(digest.FromBytes(data))
	end, err := (&pb.Op{Inputs: []*pb.Input{{Digest: dgst}}}).MarshalVT()
	if err != nil {
		return nil, err
	}
	return &pb.Definition{Def: [][]byte{data, end}, Metadata: map[string]*pb.OpMetadata{dgst: def.Metadata[dgst]}}, nil
}

// treeSize adds up the sizes of the regular files below dir.
func treeSize(dir string) (int64, error) {
	var sum int64
	err := filepath.WalkDir(dir, func(_ string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			sum += info.Size()
		}
		return err
	})
	return sum, err
}
