package llbconv

import (
	"cmp"
	"path"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"

	"github.com/cachewright/cachewright/cachepolicy"
	"github.com/cachewright/cachewright/cachepolicy/cacheplan"
	"github.com/cachewright/cachewright/cachepolicy/secret"
)

// copy collects what a COPY or ADD is keyed by.
func (k *stepKey) copy(op *copyOp) {
	var docs []string
	relative := !strings.HasPrefix(destination(k.step.cmd), "/")
	k.linked = k.w.c.links(op)
	ignoreModes := k.decision != nil && k.decision.IgnoreModes
	var local []string
	var from *stage
	var taken []string
	for _, f := range op.files {
		switch {
		case f.source.context:
			local = append(local, f.patterns()...)
		case f.source.stage != nil:
			from, taken = f.source.stage, append(taken, f.patterns()...)
		case f.source.inline != nil:
			docs = append(docs, f.source.inline.data)
		}
	}
	k.command(docs, k.step.vars)
	if relative {
		k.place(cachepolicy.InputWorkdir, k.step.dir, k.step.dirFrom)
	}
	switch {
	case k.decision != nil && k.decision.reduced != nil: // rule adds them
	case len(local) > 0:
		k.files("", local, op.exclude, ignoreModes)
	}
	if from != nil {
		k.taken(from, taken, op.exclude, cacheplan.ByContent, "--from")
	}
	for _, f := range op.files {
		switch {
		case f.source.http != nil:
			name, _ := k.shown(f.source.http.URL)
			k.follows = append(k.follows, cacheplan.FollowFetched(name, k.w.def.found[f.source], "ADD"))
		case f.source.git != nil:
			name, _ := k.shown(f.source.git.Ref.Remote)
			k.follows = append(k.follows, cacheplan.FollowSource(name, f.source.git.Version(k.w.def.found[f.source]), "ADD"))
		}
	}
}

// patterns are the paths that a source selects, as in cacheplan.FileSet.
func (f copyFile) patterns() []string {
	dir := contextPath(f.path)
	if len(f.include) == 0 {
		return []string{dir}
	}
	out := make([]string, len(f.include))
	for i, p := range f.include {
		out[i] = strings.TrimPrefix(dir+"/./"+p, "./")
	}
	return out
}

// contextPath returns a path relative to the build context.
func contextPath(p string) string {
	return cmp.Or(strings.TrimPrefix(path.Clean("/"+p), "/"), ".")
}

// destination is the destination of a COPY or ADD.
func destination(cmd instructions.Command) string {
	switch c := cmd.(type) {
	case *instructions.CopyCommand:
		return c.DestPath
	case *instructions.AddCommand:
		return c.DestPath
	}
	return "/"
}

// files adds files of a build context. Which ones is not asked for if that would tell
// a secret.
func (k *stepKey) files(context string, patterns, exclude []string, ignoreModes bool) {
	origin := cachepolicy.Origin{Kind: cachepolicy.OriginContext, Name: context}
	all := strings.Join(patterns, " ")
	shown, hidden := k.shown(all + "\n" + strings.Join(exclude, " "))
	if hidden {
		name, _, _ := strings.Cut(shown, "\n")
		in := cachepolicy.NewWithheld(cachepolicy.InputFiles, name, "", all, origin, k.w.key())
		in.Unresolved = true
		k.add(in)
		return
	}
	id := k.w.fileSet(cacheplan.FileSet{Context: context, Patterns: patterns, Exclude: exclude, IgnoreModes: ignoreModes})
	k.add(cachepolicy.Input{Kind: cachepolicy.InputFiles, Name: all, Files: id, Origin: origin})
}

// taken adds what is taken from a stage, image or named context.
func (k *stepKey) taken(src *stage, patterns, exclude []string, by cacheplan.By, via string) {
	ends := k.w.endsOf(src)
	from := k.w.def.res.evaluated[src]
	if name, ok := k.w.localContext(src); ok && len(from.steps) == 0 {
		k.files(name, patterns, exclude, false)
		return
	}
	if len(ends) > 0 {
		for _, i := range ends {
			k.follows = append(k.follows, cacheplan.FollowStep(i, by, via))
		}
		return
	}
	if from.root.out == nil {
		return // an empty filesystem
	}
	b := k.w.def.res.bases[src]
	name, digest := b.name(src)
	if name, _ = withoutSecrets(name, nil); src.secret {
		name = secret.Hidden
	}
	k.follows = append(k.follows, cacheplan.FollowSource(name, digest, via))
}
