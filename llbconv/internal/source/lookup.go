package source

import (
	"archive/tar"
	"bytes"
	"cmp"
	"context"
	"io"
	"time"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/dockerui"
	gateway "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/apicaps"
	"github.com/moby/buildkit/util/gitutil/gitobject"
	"github.com/moby/go-archive/compression"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/pkg/errors"
)

// Lookup asks what sources are at the moment.
type Lookup struct {
	// Gateway is the daemon; nil where there is none: then only images can be asked for.
	Gateway gateway.Client
	// Images looks up the config of images. It is required.
	Images llb.ImageMetaResolver
	// ResolveMode says whether local images count.
	ResolveMode llb.ResolveMode
	// Caps is what the daemon understands; nil is unknown.
	Caps *apicaps.CapSet
}

// Image asks for an image's config and digest, under a name in progress output.
func (l *Lookup) Image(ctx context.Context, ref string, platform *ocispecs.Platform, logName string) (*Image, error) {
	name, dgst, config, err := l.Images.ResolveImageConfig(ctx, ref, sourceresolver.Opt{
		LogName:  logName,
		ImageOpt: &sourceresolver.ResolveImageOpt{Platform: platform, ResolveMode: l.ResolveMode.String()},
	})
	if err != nil {
		return nil, err
	}
	return &Image{Asked: ref, Name: name, Digest: dgst, Config: config}, nil
}

// Digest asks for the commit of a repository or the digest of what a URL serves. It
// is empty for all else, and where the daemon cannot tell before the build.
func (l *Lookup) Digest(ctx context.Context, st llb.State, logName string) (string, error) {
	op, ok, err := l.remote(ctx, st)
	if err != nil || !ok {
		return "", err
	}
	md, err := l.Gateway.ResolveSourceMetadata(ctx, op.SourceOp, sourceresolver.Opt{LogName: logName})
	switch {
	case err != nil:
		return "", err
	case md.Git != nil:
		return cmp.Or(md.Git.CommitChecksum, md.Git.Checksum), nil
	case md.HTTP != nil:
		return md.HTTP.Digest.String(), nil
	default:
		return "", nil
	}
}

// Time asks for the time of a source: the committer time of a git commit; a URL's
// Last-Modified, or else the time of the newest file in the archive that it serves.
// It is nil for all else, which has no time.
func (l *Lookup) Time(ctx context.Context, st llb.State, logName string) (*time.Time, error) {
	op, ok, err := l.remote(ctx, st)
	if err != nil || !ok {
		return nil, err
	}
	opt := sourceresolver.Opt{LogName: logName}
	if op.IsGit() {
		opt.GitOpt = &sourceresolver.ResolveGitOpt{ReturnObject: true}
	}
	md, err := l.Gateway.ResolveSourceMetadata(ctx, op.CloneVT(), opt)
	if err != nil {
		return nil, err
	}
	if md.Git != nil && len(md.Git.CommitObject) > 0 {
		return commitTime(md.Git.CommitObject)
	}
	if md.HTTP != nil && md.HTTP.LastModified != nil {
		return md.HTTP.LastModified, nil
	}
	name := op.Attrs[pb.AttrHTTPFilename]
	if !op.IsHTTP() || name == "" {
		return nil, nil
	}
	dt, err := l.download(ctx, op, name)
	if err != nil {
		return nil, err
	}
	return newestFile(dt), nil
}

// remote returns the only source of a state if it is a repository or a URL, and
// there is a daemon to ask about it.
func (l *Lookup) remote(ctx context.Context, st llb.State) (Op, bool, error) {
	if l.Gateway == nil {
		return Op{}, false, nil
	}
	op, ok, err := Only(ctx, st, l.constraints()...)
	return op, ok && (op.IsGit() || op.IsHTTP()), err
}

func commitTime(data []byte) (*time.Time, error) {
	obj, err := gitobject.Parse(data)
	if err != nil {
		return nil, err
	}
	commit, err := obj.ToCommit()
	if err != nil {
		return nil, err
	}
	return commit.Committer.When, nil
}

// constraints says what the daemon understands, if that is known.
func (l *Lookup) constraints() []llb.ConstraintsOpt {
	if l.Caps == nil {
		return nil
	}
	return []llb.ConstraintsOpt{llb.WithCaps(*l.Caps)}
}

// solve returns a reference to the files of a state.
func (l *Lookup) solve(ctx context.Context, st llb.State, opts ...llb.ConstraintsOpt) (gateway.Reference, error) {
	def, err := st.Marshal(ctx, opts...)
	if err != nil {
		return nil, err
	}
	res, err := l.Gateway.Solve(ctx, gateway.SolveRequest{Definition: def.ToPB()})
	if err != nil {
		return nil, err
	}
	return res.SingleRef()
}

// download returns what a URL serves.
func (l *Lookup) download(ctx context.Context, op Op, name string) ([]byte, error) {
	ref, err := l.solve(ctx, llb.NewState(llb.NewSource(op.Identifier, op.Attrs, llb.Constraints{}).Output()))
	if err != nil {
		return nil, err
	}
	dt, err := dockerui.ReadFile(ctx, ref, name)
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
