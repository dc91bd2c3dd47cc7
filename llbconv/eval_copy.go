package llbconv

import (
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/dfgitutil"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/system"
	digest "github.com/opencontainers/go-digest"
	"github.com/pkg/errors"
	mode "github.com/tonistiigi/dchapes-mode"

	"github.com/cachewright/cachewright/cachepolicy"
)

// copyFlags are the flags that COPY and ADD share, and those of one only.
type copyFlags struct {
	keyword  string // COPY or ADD
	from     copySource
	parents  bool // COPY only
	unpack   *bool
	keepGit  *bool
	checksum string
}

func (f copyFlags) isAdd() bool { return f.keyword == "ADD" }

// copy evaluates a COPY.
func (e *stageEval) copy(cmd command, c *instructions.CopyCommand) error {
	from := copySource{context: true}
	if len(cmd.sources) > 0 {
		src := cmd.sources[0]
		if !src.ready {
			return errors.Errorf("cannot copy from stage %q, it needs to be defined before current stage %q", c.From, e.s.label)
		}
		from = copySource{stage: src}
	}
	op, err := e.newCopy(c.DestPath, c.Chown, c.Chmod, c.ExcludePatterns, c.Link)
	if err != nil {
		return err
	}
	if err := e.copyStep(cmd, op, c.SourcesAndDest, c.String(), c.Chown, c.Chmod,
		copyFlags{keyword: "COPY", from: from, parents: c.Parents}); err != nil {
		return err
	}
	for _, src := range c.SourcePaths {
		if from.stage != nil {
			from.stage.used.add(src)
		} else {
			e.s.context.add(src)
		}
	}
	return nil
}

// add evaluates an ADD.
func (e *stageEval) add(cmd command, c *instructions.AddCommand) error {
	op, err := e.newCopy(c.DestPath, c.Chown, c.Chmod, c.ExcludePatterns, c.Link)
	if err != nil {
		return err
	}
	if c.Checksum != "" {
		if len(c.SourcePaths) != 1 {
			return errors.New("checksum can't be specified for multiple sources")
		}
		if !isHTTPSource(c.SourcePaths[0]) && !isGitSource(c.SourcePaths[0]) {
			return errors.New("checksum requires HTTP(S) or Git sources")
		}
	}
	if err := e.copyStep(cmd, op, c.SourcesAndDest, c.String(), c.Chown, c.Chmod, copyFlags{
		keyword: "ADD", from: copySource{context: true},
		unpack: c.Unpack, keepGit: c.KeepGitDir, checksum: c.Checksum,
	}); err != nil {
		return err
	}
	for _, src := range c.SourcePaths {
		if !strings.HasPrefix(src, "http://") && !strings.HasPrefix(src, "https://") {
			e.s.context.add(src)
		}
	}
	return nil
}

// newCopy evaluates the flags of COPY and ADD that say what happens at the
// destination.
func (e *stageEval) newCopy(dest, chown, chmod string, exclude []string, link bool) (*copyOp, error) {
	op := &copyOp{exclude: exclude, owner: parseOwner(chown), link: link}
	var err error
	if op.dest, err = e.destPath(dest); err != nil {
		return nil, err
	}
	if link && isNamed(op.owner) {
		return nil, errors.Errorf("--chown=%s: user and group names can't be resolved when used with --link, use numeric uid[:gid] instead", chown)
	}
	if chmod != "" {
		if op.mode, err = parseMode(chmod); err != nil {
			return nil, err
		}
	}
	return op, nil
}

// copyStep evaluates the sources of a COPY or ADD and adds the step.
func (e *stageEval) copyStep(cmd command, op *copyOp, args instructions.SourcesAndDest, text, chown, chmod string, f copyFlags) error {
	title := titleText(e.c.lex, e.c.escape, text, e.env)
	prefix := e.s.stepPrefix(e.c, cmd.onBuild, e.s.platform, e.env)
	var hist strings.Builder
	hist.Grow(len(text) + len(" # buildkit"))
	hist.WriteString(f.keyword)
	if f.parents {
		hist.WriteString(" --parents")
	}
	if chown != "" {
		hist.WriteString(" --chown=" + chown)
	}
	if chmod != "" {
		hist.WriteString(" --chmod=" + chmod)
	}
	for _, src := range args.SourcePaths {
		hist.WriteByte(' ')
		hist.WriteString(src)
		file, err := e.copyPath(cmd, src, f)
		if err != nil {
			return err
		}
		op.files = append(op.files, file)
	}
	for _, doc := range args.SourceContents {
		hist.WriteString(" <<" + doc.Path)
		name, err := system.CheckSystemDriveAndRemoveDriveLetter(doc.Path, e.s.platform.OS, false)
		if err != nil {
			return errors.Wrap(err, "removing drive letter")
		}
		op.files = append(op.files, copyFile{
			source: copySource{inline: &inlineFile{name: name, data: doc.Data, mode: 0o644}},
			path:   system.ToSlash(name, e.s.platform.OS),
		})
	}
	d, err := e.decide(cmd, op.readsContext())
	if err != nil {
		return err
	}
	e.addStep(cmd, op, title, prefix, d)
	if err := e.c.checkCopySupport(op, f.parents); err != nil {
		return err
	}
	e.adviseCopy(cmd, op)
	hist.WriteByte(' ')
	hist.WriteString(args.DestPath)
	hist.WriteString(" # buildkit")
	e.s.config.history.add(hist.String(), true, e.c.epoch)
	return nil
}

// copyPath evaluates one source path: a git repository, a URL, or a path in the
// context or stage.
func (e *stageEval) copyPath(cmd command, src string, f copyFlags) (copyFile, error) {
	if mayBeRemote(src) {
		ref, isGit, err := dfgitutil.ParseGitRef(src)
		if err != nil && isGit {
			return copyFile{}, err
		}
		if err == nil && !ref.IndistinguishableFromLocal {
			return gitFile(ref, f)
		}
		if isHTTPSource(src) {
			return httpFile(src, f)
		}
	}
	if f.from.context {
		e.checkIgnoredSource(checkKeyword(f), src, cmd.Location())
	}
	return e.localFile(src, f)
}

// checkKeyword is how the check of ignored sources names the instruction.
func checkKeyword(f copyFlags) string {
	if f.isAdd() {
		return "Add"
	}
	return "Copy"
}

// gitFile evaluates an ADD of a git repository. What the flags and the
// reference's query say must agree.
func gitFile(ref *dfgitutil.GitRef, f copyFlags) (copyFile, error) {
	if !f.isAdd() {
		return copyFile{}, errors.New("source can't be a git ref for COPY")
	}
	keep := f.keepGit
	if keep != nil && ref.KeepGitDir != nil && *keep != *ref.KeepGitDir {
		return copyFile{}, errors.New("inconsistent keep-git-dir configuration")
	}
	if ref.KeepGitDir != nil {
		keep = ref.KeepGitDir
	}
	sum := f.checksum
	if sum != "" && ref.Checksum != "" && sum != ref.Checksum {
		return copyFile{}, errors.Errorf("checksum mismatch %q != %q", sum, ref.Checksum)
	}
	if ref.Checksum != "" {
		sum = ref.Checksum
	}
	git := &gitSource{ref: ref, keepGitDir: keep != nil && *keep, checksum: sum}
	return copyFile{source: copySource{git: git}, path: "/"}, nil
}

// httpFile evaluates an ADD of a URL.
func httpFile(src string, f copyFlags) (copyFile, error) {
	if !f.isAdd() {
		return copyFile{}, errors.New("source can't be a URL for COPY")
	}
	name := urlFilename(src)
	var sum digest.Digest
	if f.checksum != "" {
		var err error
		if sum, err = digest.Parse(f.checksum); err != nil {
			return copyFile{}, err
		}
	}
	return copyFile{
		source: copySource{http: &httpSource{url: src, filename: name, checksum: sum}},
		path:   name,
		unpack: f.unpack != nil && *f.unpack,
	}, nil
}

// urlFilename is the name under which a URL's content is stored.
func urlFilename(src string) string {
	if u, err := url.Parse(src); err == nil {
		if base := path.Base(u.Path); base != "." && base != "/" {
			return base
		}
	}
	return "__unnamed__"
}

// localFile evaluates a source path in the context or a stage.
func (e *stageEval) localFile(src string, f copyFlags) (copyFile, error) {
	file := copyFile{source: f.from, local: true, unpack: f.isAdd()}
	if f.unpack != nil {
		file.unpack = *f.unpack
	}
	normalize := func(p string) (string, error) {
		p, err := system.NormalizePath("/", p, e.s.platform.OS, false)
		return p, errors.Wrap(err, "removing drive letter")
	}
	var err error
	if f.parents {
		root, pattern, pivot := strings.Cut(src, "/./")
		if !pivot {
			root, pattern = "/", src
		}
		if pattern, err = normalize(pattern); err != nil {
			return copyFile{}, err
		}
		file.include = []string{strings.TrimPrefix(pattern, "/")}
		if !cachepolicy.HasWildcard(root) && !cachepolicy.HasWildcard(pattern) {
			required, err := normalize(filepath.Join(root, pattern))
			if err != nil {
				return copyFile{}, err
			}
			file.required = []string{required}
		}
		src = root
	}
	file.path, err = normalize(src)
	return file, err
}

// destPath makes a destination absolute; a trailing slash is kept.
func (e *stageEval) destPath(p string) (string, error) {
	os := e.s.platform.OS
	p, err := system.CheckSystemDriveAndRemoveDriveLetter(p, os, true)
	if err != nil {
		return "", errors.Wrap(err, "removing drive letter")
	}
	if system.IsAbs(p, os) {
		return system.NormalizePath("/", p, os, true)
	}
	if p == "." || p == "" {
		p = "./"
	}
	return system.NormalizePath(e.dir, p, os, true)
}

// parseOwner reads USER[:GROUP]; a number is an id, anything else a name. An empty
// group is none.
func parseOwner(s string) *pb.ChownOpt {
	if s == "" {
		return nil
	}
	user, group, _ := strings.Cut(s, ":")
	out := &pb.ChownOpt{User: parseOwnerID(user)}
	if group != "" {
		out.Group = parseOwnerID(group)
	}
	return out
}

// isNamed reports whether the user or group is a name, which only the files of an
// image can turn into a number.
func isNamed(o *pb.ChownOpt) bool {
	return o.GetUser().GetByName() != nil || o.GetGroup().GetByName() != nil
}

func parseOwnerID(s string) *pb.UserOpt {
	if s == "root" {
		s = "0"
	}
	if s == "" {
		return &pb.UserOpt{User: &pb.UserOpt_ByID{}}
	}
	if id, err := strconv.ParseInt(s, 10, 32); err == nil {
		return &pb.UserOpt{User: &pb.UserOpt_ByID{ByID: uint32(id)}}
	}
	return &pb.UserOpt{User: &pb.UserOpt_ByName{ByName: &pb.NamedUserOpt{Name: s}}}
}

// parseMode reads an octal or symbolic mode as chmod(1) takes it.
func parseMode(s string) (*copyMode, error) {
	notOctal := func() error {
		return errors.Errorf("invalid chmod parameter: '%v'. it should be octal string and between 0 and 07777", s)
	}
	if bits, err := strconv.ParseUint(s, 8, 32); err == nil {
		if bits > 0o7777 {
			return nil, notOctal()
		}
		return &copyMode{bits: os.FileMode(bits)}, nil
	}
	if _, err := mode.Parse(s); err != nil {
		var number *strconv.NumError
		if errors.As(err, &number) {
			return nil, notOctal()
		}
		return nil, err
	}
	return &copyMode{symbolic: s}, nil
}

// mayBeRemote tells whether a source can be a URL or git reference at all. Most are
// plain paths, and parsing a reference is slow.
func mayBeRemote(src string) bool {
	return strings.Contains(src, ":") || strings.HasPrefix(src, "github.com/")
}

func isGitSource(src string) bool {
	ref, isGit, _ := dfgitutil.ParseGitRef(src)
	return ref != nil && isGit
}

// isHTTPSource tells whether a source is a URL that is not a git repository.
func isHTTPSource(src string) bool {
	return (strings.HasPrefix(src, "http://") || strings.HasPrefix(src, "https://")) && !isGitSource(src)
}
