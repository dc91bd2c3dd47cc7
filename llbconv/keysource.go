package llbconv

import (
	"context"
	"fmt"
	"strings"

	"github.com/distribution/reference"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerfile/dfgitutil"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/solver/pb"
	"golang.org/x/sync/errgroup"

	"github.com/cachewright/cachewright/cachepolicy"
	"github.com/cachewright/cachewright/cachepolicy/cacheplan"
	"github.com/cachewright/cachewright/llbconv/internal/position"
	"github.com/cachewright/cachewright/llbconv/internal/source"
	"github.com/cachewright/cachewright/llbconv/internal/vertex"
)

// keySource is something outside the Dockerfile whose content a rule adds to a
// step's key.
type keySource struct {
	*cachepolicy.Key
	git      *dfgitutil.GitRef // of a git source
	location []parser.Range    // of its directive, or else of the step
	files    *vertex.Vertex    // what reads it from the build context
}

// keySources checks the sources of a step's decision, as far as that goes without
// looking at them, and adds them to it.
func (c *conversion) keySources(st *step, d *decision) error {
	for i := range d.Keys {
		if !d.Keys[i].Outside() {
			continue
		}
		k := keySource{Key: &d.Keys[i], location: st.cmd.Location()}
		if line := k.Origin().Line; line > 0 {
			k.location = position.Line(line)
		}
		switch k.Kind {
		case cachepolicy.SourceGit:
			var err error
			if k.git, _, err = dfgitutil.ParseGitRef(k.Ref); err != nil {
				return k.errorf("%v; write a git reference as ADD takes it", err)
			}
		case cachepolicy.SourceFile:
			if c.ignoresKey(k.Ref) {
				return k.errorf(".dockerignore keeps this out of the build context; take it out of .dockerignore or out of the rule")
			}
			d.reads = append(d.reads, k.Ref)
		case cachepolicy.SourceHTTP, cachepolicy.SourceImage, cachepolicy.SourceArg, cachepolicy.SourceText:
		}
		d.keys = append(d.keys, k)
	}
	return nil
}

// ignoresKey reports whether .dockerignore is certain to keep a path out of the
// context. Unlike for COPY, where the finding is only a hint, its exceptions are
// looked at.
func (c *conversion) ignoresKey(src string) bool {
	if c.ignored == nil {
		return false
	}
	for _, p := range c.ignored.Patterns() {
		text := cleanSlash(p.String())
		if p.Exclusion() && (src == "." || cacheplan.HasWildcard(src) || cacheplan.HasWildcard(text) || strings.HasPrefix(text, src+"/")) {
			return false
		}
	}
	if src == "." {
		return c.ignoresAll()
	}
	ok, err := c.ignored.MatchesOrParentMatches(src)
	return err == nil && ok
}

// errorf returns an error about the source, at its directive's line.
func (k *keySource) errorf(format string, args ...any) error {
	e := &cachepolicy.Error{Option: cachepolicy.OptionKey, Message: k.String() + ": " + fmt.Sprintf(format, args...)}
	return parser.WithLocation(e.At(k.Origin()), k.location)
}

// resolveKeys looks up the key sources of all steps, at once.
func (c *conversion) resolveKeys(ctx context.Context, ds decisions) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, d := range ds {
		for i := range d.keys {
			group.Go(c.resolveKey(ctx, d.step, &d.keys[i]))
		}
	}
	return group.Wait()
}

// resolveKey returns what looks up one key source of a step.
func (c *conversion) resolveKey(ctx context.Context, st *step, k *keySource) func() error {
	return func() error {
		digest, err := c.keyDigest(ctx, st, k)
		if err != nil {
			err = k.errorf("%v; %s", err, k.remedy())
		}
		if err != nil && c.opt.KeyFailed != nil {
			c.opt.KeyFailed(err)
			return nil
		}
		if err != nil {
			return err
		}
		k.Digest = digest
		return nil
	}
}

// remedy says what to see to where a source cannot be looked up.
func (k *keySource) remedy() string {
	switch k.Kind {
	case cachepolicy.SourceImage:
		return "it is the builder that asks the registry: it has to reach it, and the image has to be there"
	case cachepolicy.SourceGit:
		return "it is the builder that asks the repository: it has to reach it, and the branch, tag or commit has to be there"
	case cachepolicy.SourceHTTP, cachepolicy.SourceFile, cachepolicy.SourceArg, cachepolicy.SourceText:
	}
	text := "it is the builder that asks this address: it has to reach it and to get an answer of status 200"
	if strings.HasPrefix(strings.ToLower(k.Ref), "https:") {
		text += ", and has to trust the server's certificate, with a CA of the builder's own machine"
	}
	return text
}

// keyDigest looks up what a source is now. It returns nothing for files of the
// build context, and where the daemon cannot tell before the build.
func (c *conversion) keyDigest(ctx context.Context, s *step, k *keySource) (string, error) {
	switch k.Kind {
	case cachepolicy.SourceImage:
		ref, err := reference.ParseNormalizedNamed(k.Ref)
		if err != nil {
			return "", err
		}
		name := reference.TagNameOnly(ref).String()
		img, err := c.lookup.Image(ctx, name, s.stage.platform, "[internal] load metadata for "+name)
		if err != nil {
			return "", err
		}
		return img.Digest.String(), nil
	case cachepolicy.SourceHTTP, cachepolicy.SourceGit:
		return c.lookup.Digest(ctx, c.keyState(k, ""), "[internal] resolve cache key "+k.String())
	case cachepolicy.SourceFile, cachepolicy.SourceArg, cachepolicy.SourceText:
	}
	return "", nil
}

// keyFile is the name under which a URL's content is stored.
const keyFile = "content"

// keyState returns the source of a URL or of a repository, with a progress name.
func (c *conversion) keyState(k *keySource, name string) llb.State {
	title, at := llb.WithCustomName(name), c.opt.SourceMap.Location(position.PB(k.location))
	if k.Kind == cachepolicy.SourceHTTP {
		return llb.HTTP(k.Ref, llb.Filename(keyFile), title, at)
	}
	ref := *k.git
	if !c.lacks(pb.CapSourceGitSkipSubmodules) {
		ref.Submodules = new(bool) // the commit says which
	}
	git := source.Git{Ref: &ref, Checksum: ref.Checksum}
	return git.State(c.opt.Config.GitAdvice, title, at)
}

// keyInput returns a filesystem whose key is the source's: the content of a URL or
// of files, the commit of a repository.
func (e *emitter) keyInput(k *keySource) llb.Output {
	name := "[internal] cache key " + k.String()
	switch k.Kind {
	case cachepolicy.SourceHTTP:
		return e.keyCopy(k, e.c.keyState(k, "[internal] load "+k.Ref).Output(), keyFile, name)
	case cachepolicy.SourceGit:
		return e.c.keyState(k, name).Output()
	case cachepolicy.SourceFile:
	case cachepolicy.SourceImage, cachepolicy.SourceArg, cachepolicy.SourceText: // in the key without an input
	}
	return e.keyCopy(k, e.context, k.Ref, name)
}

// keyCopy copies what counts out of a source, so that a missing file fails the
// build, and other files, times and headers do not count.
func (e *emitter) keyCopy(k *keySource, from llb.Output, path, name string) llb.Output {
	v := vertex.NewFile(&vertex.File{Actions: []vertex.Action{{
		Copies: true,
		Source: from,
		Action: &pb.FileAction_Copy{Copy: &pb.FileActionCopy{
			Src:            source.AbsPath(path),
			Dest:           "/",
			Mode:           -1,
			Timestamp:      -1,
			FollowSymlink:  true,
			AllowWildcard:  k.Kind == cachepolicy.SourceFile,
			CreateDestPath: true,
		}},
	}}}, name)
	e.locate(v, k.location)
	if k.Kind == cachepolicy.SourceFile {
		k.files = v
	}
	return v.Output()
}
