package llbconv

import (
	"context"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/cachewright/cachewright/llbconv/internal/source"
)

// maxLookups is how many sources are asked for at a time.
const maxLookups = 8

// lookUp finds out what the sources that ADD fetches are at the moment, once for a
// definition. The daemon asks for the same when it builds, and knows the answer then.
// What it cannot tell stays unknown: only the build itself may fail for that.
func (d *Definition) lookUp(ctx context.Context) {
	d.asked.Do(func() {
		d.found = map[copySource]string{}
		var mu sync.Mutex
		var group errgroup.Group
		group.SetLimit(maxLookups)
		for _, s := range d.steps {
			if s.step == nil {
				continue
			}
			op, ok := s.step.op.(*copyOp)
			if !ok {
				continue
			}
			for _, f := range op.files {
				if f.source.http == nil && f.source.git == nil {
					continue
				}
				group.Go(func() error {
					digest := d.res.c.version(ctx, f.source)
					mu.Lock()
					defer mu.Unlock()
					d.found[f.source] = digest
					return nil
				})
			}
		}
		_ = group.Wait()
	})
}

// version returns the digest of what a URL serves or the commit of a repository;
// nothing for all else, and where it cannot be found out.
func (c *conversion) version(ctx context.Context, src copySource) string {
	switch {
	case src.http != nil && src.http.Checksum != "":
		return src.http.Checksum.String()
	case src.http != nil:
		name, _ := withoutSecrets(src.http.URL, nil)
		digest, _ := c.lookup.Digest(ctx, src.http.State(), "[internal] resolve "+name)
		return digest
	case src.git != nil && src.git.Checksum != "":
		return src.git.Checksum
	case src.git != nil && source.IsCommit(src.git.Ref.Ref):
		return src.git.Ref.Ref
	case src.git != nil:
		name, _ := withoutSecrets(src.git.Ref.Remote, nil)
		commit, _ := c.lookup.Digest(ctx, src.git.State(c.opt.Config.GitAdvice), "[internal] resolve "+name)
		return commit
	default:
		return ""
	}
}
