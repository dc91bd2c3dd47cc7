package llbconv

import (
	"archive/tar"
	"bytes"
	"context"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/dockerui"
	gateway "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/gitutil/gitobject"
	"github.com/moby/go-archive/compression"
	"github.com/pkg/errors"
)

// resolveEpoch turns a SOURCE_DATE_EPOCH value into a time: a number of seconds,
// or the name of a source that has one. It returns nil if the source has none.
func (c *conversion) resolveEpoch(ctx context.Context, value string, prog *program) (*time.Time, error) {
	if value == "" {
		return nil, nil
	}
	if sec, err := strconv.ParseInt(value, 10, 64); err == nil {
		t := time.Unix(sec, 0).UTC()
		return &t, nil
	}
	src, err := c.epochSource(ctx, value, prog)
	if err != nil || src == nil || c.opt.Client == nil {
		return nil, err
	}
	op, err := c.remoteSource(ctx, src.state)
	if err != nil || op == nil {
		return nil, err
	}
	return c.sourceTime(ctx, op, src.logName)
}

// epochSource is where a SOURCE_DATE_EPOCH comes from.
type epochSource struct {
	state   llb.State
	logName string // of the lookup, in progress output
}

// epochSource finds the source that a SOURCE_DATE_EPOCH value names: the main
// context ("context"), a named context, or a stage, in this order.
func (c *conversion) epochSource(ctx context.Context, value string, prog *program) (*epochSource, error) {
	if value == "context" {
		if c.opt.Client == nil {
			return nil, nil
		}
		st, err := c.opt.Client.MainContext(ctx)
		if err != nil {
			return nil, err
		}
		return &epochSource{*st, "[internal] resolve main build context metadata"}, nil
	}
	nc, err := c.namedContext(value, dockerui.ContextOpt{})
	if err != nil {
		return nil, err
	}
	if nc != nil {
		st, _, err := nc.Load(ctx)
		if err != nil || st == nil {
			return nil, err
		}
		return &epochSource{*st, "[internal] resolve SOURCE_DATE_EPOCH named context " + value}, nil
	}
	return c.epochStage(value, prog)
}

// remoteSource returns the only source of a state if it is a git repository or a
// URL; nil for all else, which has no time.
func (c *conversion) remoteSource(ctx context.Context, st llb.State) (*pb.SourceOp, error) {
	var opts []llb.ConstraintsOpt
	if c.opt.Caps != nil {
		opts = append(opts, llb.WithCaps(*c.opt.Caps))
	}
	def, err := st.Marshal(ctx, opts...)
	if err != nil {
		return nil, err
	}
	var found *pb.SourceOp
	for _, dt := range def.Def {
		var op pb.Op
		if err := op.UnmarshalVT(dt); err != nil {
			return nil, err
		}
		src := op.GetSource()
		if src == nil {
			continue
		}
		if found != nil {
			return nil, nil
		}
		found = src
	}
	if found != nil && (isGitOp(found) || isHTTPOp(found)) {
		return found, nil
	}
	return nil, nil
}

func isGitOp(op *pb.SourceOp) bool { return strings.HasPrefix(op.Identifier, "git://") }

func isHTTPOp(op *pb.SourceOp) bool {
	return strings.HasPrefix(op.Identifier, "http://") || strings.HasPrefix(op.Identifier, "https://")
}

// sourceTime asks the daemon for the time of a source: the committer time of a
// git commit; a URL's Last-Modified, or else the time of the newest file in the
// archive that it serves.
func (c *conversion) sourceTime(ctx context.Context, op *pb.SourceOp, logName string) (*time.Time, error) {
	opt := sourceresolver.Opt{LogName: logName}
	if isGitOp(op) {
		opt.GitOpt = &sourceresolver.ResolveGitOpt{ReturnObject: true}
	}
	md, err := c.opt.Client.GatewayClient().ResolveSourceMetadata(ctx, op.CloneVT(), opt)
	if err != nil {
		return nil, err
	}
	if md.Git != nil && len(md.Git.CommitObject) > 0 {
		obj, err := gitobject.Parse(md.Git.CommitObject)
		if err != nil {
			return nil, err
		}
		commit, err := obj.ToCommit()
		if err != nil {
			return nil, err
		}
		return commit.Committer.When, nil
	}
	if md.HTTP != nil && md.HTTP.LastModified != nil {
		return md.HTTP.LastModified, nil
	}
	filename := op.Attrs[pb.AttrHTTPFilename]
	if !isHTTPOp(op) || filename == "" {
		return nil, nil
	}
	dt, err := c.download(ctx, op, filename)
	if err != nil {
		return nil, err
	}
	return newestFile(dt), nil
}

// download returns what a URL serves.
func (c *conversion) download(ctx context.Context, op *pb.SourceOp, filename string) ([]byte, error) {
	def, err := llb.NewState(llb.NewSource(op.Identifier, op.Attrs, llb.Constraints{}).Output()).Marshal(ctx)
	if err != nil {
		return nil, err
	}
	res, err := c.opt.Client.GatewayClient().Solve(ctx, gateway.SolveRequest{Definition: def.ToPB()})
	if err != nil {
		return nil, err
	}
	ref, err := res.SingleRef()
	if err != nil {
		return nil, err
	}
	dt, err := dockerui.ReadFile(ctx, ref, filename)
	return dt, errors.Wrap(err, "failed to read SOURCE_DATE_EPOCH source")
}

// newestFile returns the time of the newest regular file in a tar archive, which
// may be compressed; nil if it is no archive or has no regular file.
func newestFile(dt []byte) *time.Time {
	rc, err := compression.DecompressStream(bytes.NewReader(dt))
	if err != nil {
		return nil
	}
	defer rc.Close()
	var newest *time.Time
	archive := tar.NewReader(rc)
	for {
		hdr, err := archive.Next()
		if err != nil {
			if errors.Is(err, io.EOF) {
				return newest
			}
			return nil
		}
		if t := hdr.ModTime.UTC(); hdr.Typeflag == tar.TypeReg && (newest == nil || t.After(*newest)) {
			newest = &t
		}
	}
}
