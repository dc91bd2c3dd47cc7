package source

import (
	"context"
	"path"
	"slices"
	"strings"

	"github.com/moby/buildkit/client/llb"
	gateway "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/pkg/errors"
	fstypes "github.com/tonistiigi/fsutil/types"
)

// Tree reads the files of a source. Paths in it are relative to its root, with
// slashes. It is not safe for concurrent use.
type Tree struct {
	ref  gateway.Reference
	dirs map[string][]*fstypes.Stat
}

// Tree returns the files of a source. It needs a daemon.
func (l *Lookup) Tree(ctx context.Context, st llb.State) (*Tree, error) {
	if l.Gateway == nil {
		return nil, errors.New("there is no builder to read files with")
	}
	ref, err := l.solve(ctx, st, l.constraints()...)
	return &Tree{ref: ref, dirs: map[string][]*fstypes.Stat{}}, err
}

// list returns what a directory holds; nothing if there is none.
func (t *Tree) list(ctx context.Context, dir string) ([]*fstypes.Stat, error) {
	if known, ok := t.dirs[dir]; ok || t.ref == nil {
		return known, nil
	}
	if dir != "." {
		st, err := t.Stat(ctx, dir)
		if err != nil || st == nil || !st.IsDir() {
			return nil, err
		}
	}
	list, err := t.ref.ReadDir(ctx, gateway.ReadDirRequest{Path: dir})
	if err != nil {
		return nil, err
	}
	t.dirs[dir] = list
	return list, nil
}

// Stat returns what is at a path, links not followed; nil if there is nothing.
func (t *Tree) Stat(ctx context.Context, p string) (*fstypes.Stat, error) {
	list, err := t.list(ctx, path.Dir(p))
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(list, func(st *fstypes.Stat) bool { return path.Base(st.Path) == path.Base(p) })
	if i < 0 {
		return nil, nil
	}
	return list[i], nil
}

// maxLinks is how many links lead to a file at most.
const maxLinks = 40

// Follow returns what is at a path, and what that is if links lead there; nil if
// there is nothing.
func (t *Tree) Follow(ctx context.Context, p string) (*fstypes.Stat, error) {
	for range maxLinks {
		st, err := t.Stat(ctx, p)
		if st == nil || err != nil || st.Linkname == "" || st.Mode&uint32(modeSymlink) == 0 {
			return st, err
		}
		next := st.Linkname
		if !path.IsAbs(next) {
			next = path.Join(path.Dir(p), next)
		}
		p = relative(next)
	}
	return nil, errors.Errorf("%s: links without end", p)
}

// modeSymlink is the bit of a link in fsutil's modes, which are those of package os.
const modeSymlink = 1 << 27

func relative(p string) string { return strings.TrimPrefix(path.Clean("/"+p), "/") }

// Glob returns the paths that match a pattern, as COPY reads it: each part of the
// pattern matches one name, and ** any number of directories. What has no wildcard
// matches if it is there.
func (t *Tree) Glob(ctx context.Context, pattern string) ([]string, error) {
	var out []string
	err := t.glob(ctx, ".", strings.Split(relative(pattern), "/"), &out)
	slices.Sort(out)
	return slices.Compact(out), err
}

func (t *Tree) glob(ctx context.Context, dir string, parts []string, out *[]string) error {
	list, err := t.list(ctx, dir)
	if err != nil {
		return err
	}
	part, rest := parts[0], parts[1:]
	if part == "**" && len(rest) > 0 {
		if err := t.glob(ctx, dir, rest, out); err != nil {
			return err
		}
	}
	for _, st := range list {
		name := path.Base(st.Path)
		p := path.Join(dir, name)
		if part == "**" {
			if len(rest) == 0 && !st.IsDir() {
				*out = append(*out, p)
			}
			if st.IsDir() {
				if err := t.glob(ctx, p, parts, out); err != nil {
					return err
				}
			}
			continue
		}
		matched, err := path.Match(part, name)
		if err != nil {
			return err
		}
		switch {
		case !matched && part != name:
		case len(rest) == 0:
			*out = append(*out, p)
		case st.IsDir():
			if err := t.glob(ctx, p, rest, out); err != nil {
				return err
			}
		}
	}
	return nil
}

// chunk is how much of a file is read at once, in bytes: messages have a limit.
const chunk = 4 << 20

// Read returns the content of a file of so many bytes.
func (t *Tree) Read(ctx context.Context, p string, size int64) ([]byte, error) {
	data := make([]byte, 0, size)
	for {
		part, err := t.ref.ReadFile(ctx, gateway.ReadRequest{Filename: p, Range: &gateway.FileRange{Offset: len(data), Length: chunk}})
		if err != nil {
			return nil, err
		}
		data = append(data, part...)
		if len(part) < chunk {
			return data, nil
		}
	}
}
