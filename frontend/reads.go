package frontend

import (
	"context"
	"strings"
	"sync"

	"github.com/moby/buildkit/frontend/gateway/client"
	fstypes "github.com/tonistiigi/fsutil/types"
)

// fileReader is the gateway client that the Dockerfile and .dockerignore are read
// with. Package dockerui asks for a file's size, then for its content, then for
// the next file, and every question takes a round trip. Here all that it is
// going to ask is on its way at once.
type fileReader struct{ client.Client }

// Solve implements client.Client. The references that it returns are for reading
// only: they cannot be a build's result.
func (r fileReader) Solve(ctx context.Context, req client.SolveRequest) (*client.Result, error) {
	res, err := r.Client.Solve(ctx, req)
	if err != nil {
		return nil, err
	}
	if ref, err := res.SingleRef(); err == nil && ref != nil {
		res.SetRef(&filesRef{Reference: ref, heads: map[string]*head{}})
	}
	return res, nil
}

// filesRef is a reference that reads the head of a file as soon as its size is
// asked for.
type filesRef struct {
	client.Reference
	mu    sync.Mutex
	heads map[string]*head // by path
}

// headSize is how much of a file is read ahead, in bytes: all of nearly every
// Dockerfile.
const headSize = 64 << 10

// head is the beginning of a file, or the error of reading it, once done is closed.
type head struct {
	done chan struct{}
	data []byte
	err  error
}

// StatFile implements client.Reference. It fails for a file that was read ahead
// of the question with the error of reading it.
func (r *filesRef) StatFile(ctx context.Context, req client.StatRequest) (*fstypes.Stat, error) {
	h, ahead := r.head(ctx, req.Path)
	if ahead {
		if <-h.done; h.err != nil {
			return nil, h.err
		}
	}
	return r.Reference.StatFile(ctx, req)
}

// ReadFile implements client.Reference.
func (r *filesRef) ReadFile(ctx context.Context, req client.ReadRequest) ([]byte, error) {
	r.mu.Lock()
	h := r.heads[req.Filename]
	r.mu.Unlock()
	if h == nil {
		return r.Reference.ReadFile(ctx, req)
	}
	if <-h.done; h.err != nil {
		return nil, h.err
	}
	whole := len(h.data) < headSize
	if whole && (req.Range == nil || req.Range.Offset == 0 && req.Range.Length >= len(h.data)) {
		return h.data, nil
	}
	return r.Reference.ReadFile(ctx, req)
}

// head returns the head of the file at path, and whether an earlier call began to
// read it. The ignore file of a Dockerfile's own, which is asked for next, is
// read along with it.
func (r *filesRef) head(ctx context.Context, path string) (*head, bool) {
	const ignoreFile = ".dockerignore"
	r.mu.Lock()
	defer r.mu.Unlock()
	if h := r.heads[path]; h != nil {
		return h, true
	}
	if !strings.HasSuffix(path, ignoreFile) {
		r.heads[path+ignoreFile] = r.read(ctx, path+ignoreFile)
	}
	r.heads[path] = r.read(ctx, path)
	return r.heads[path], false
}

func (r *filesRef) read(ctx context.Context, path string) *head {
	h := &head{done: make(chan struct{})}
	go func() {
		defer close(h.done)
		h.data, h.err = r.Reference.ReadFile(ctx, client.ReadRequest{
			Filename: path,
			Range:    &client.FileRange{Length: headSize},
		})
	}()
	return h
}
