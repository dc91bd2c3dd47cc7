package llbconv

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/dfgitutil"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/system"
	"github.com/pkg/errors"
	mode "github.com/tonistiigi/dchapes-mode"

	"github.com/cachewright/cachewright/cachepolicy/cacheplan"
	"github.com/cachewright/cachewright/llbconv/internal/source"
)

// transfer is a COPY or ADD with the flags that one or both of them have.
type transfer struct {
	cmd   command
	text  string // the instruction as written
	paths instructions.SourcesAndDest
	from  copySource

	chown, chmod string
	exclude      []string
	link         bool
	parents      bool      // COPY only
	add          *addFlags // nil for COPY
}

// addFlags are the flags that only ADD has.
type addFlags struct {
	unpack, keepGit *bool
	checksum        string
}

// keyword is the instruction's name in the image's history.
func (t *transfer) keyword() string {
	if t.add != nil {
		return "ADD"
	}
	return "COPY"
}

// checkKeyword is how the check of ignored sources names the instruction.
func (t *transfer) checkKeyword() string {
	if t.add != nil {
		return "Add"
	}
	return "Copy"
}

// copy evaluates a COPY.
func (e *stageEval) copy(cmd command, c *instructions.CopyCommand) error {
	from := copySource{context: true}
	if len(cmd.sources) > 0 {
		src := cmd.sources[0]
		if e.all.evaluated[src] == nil {
			return errors.Errorf("cannot copy from stage %q, it needs to be defined before current stage %q", c.From, e.s.label)
		}
		from = copySource{stage: src}
	}
	if err := e.transfer(&transfer{
		cmd: cmd, text: c.String(), paths: c.SourcesAndDest, from: from,
		chown: c.Chown, chmod: c.Chmod, exclude: c.ExcludePatterns, link: c.Link, parents: c.Parents,
	}); err != nil {
		return err
	}
	for _, src := range c.SourcePaths {
		if from.stage != nil {
			from.stage.used.Add(src)
		} else {
			e.s.context.Add(src)
		}
	}
	return nil
}

// add evaluates an ADD.
func (e *stageEval) add(cmd command, c *instructions.AddCommand) error {
	if err := e.transfer(&transfer{
		cmd: cmd, text: c.String(), paths: c.SourcesAndDest, from: copySource{context: true},
		chown: c.Chown, chmod: c.Chmod, exclude: c.ExcludePatterns, link: c.Link,
		add: &addFlags{unpack: c.Unpack, keepGit: c.KeepGitDir, checksum: c.Checksum},
	}); err != nil {
		return err
	}
	for _, src := range c.SourcePaths {
		if !strings.HasPrefix(src, "http://") && !strings.HasPrefix(src, "https://") {
			e.s.context.Add(src)
		}
	}
	return nil
}

// transfer evaluates the flags and sources of a COPY or ADD and adds the step.
func (e *stageEval) transfer(t *transfer) error {
	op, err := e.newCopy(t)
	if err != nil {
		return err
	}
	if err := t.checkChecksum(); err != nil {
		return err
	}
	for _, src := range t.paths.SourcePaths {
		file, err := e.copyPath(t, src)
		if err != nil {
			return err
		}
		op.files = append(op.files, file)
	}
	for _, doc := range t.paths.SourceContents {
		name, err := system.CheckSystemDriveAndRemoveDriveLetter(doc.Path, e.s.platform.OS, false)
		if err != nil {
			return errors.Wrap(err, "removing drive letter")
		}
		op.files = append(op.files, copyFile{
			source: copySource{inline: &inlineFile{name: name, data: doc.Data, mode: 0o644}},
			path:   system.ToSlash(name, e.s.platform.OS),
		})
	}
	if err := e.c.checkCopySupport(op, t.parents); err != nil {
		return err
	}
	e.addStep(t.cmd, op, titleText(&e.c.words, t.text, e.env), e.s.platform)
	e.adviseCopy(t.cmd, op)
	e.s.config.history.add(t.historyText(), true, e.c.epoch)
	return nil
}

// newCopy evaluates the flags of COPY and ADD that say what happens at the
// destination.
func (e *stageEval) newCopy(t *transfer) (*copyOp, error) {
	op := &copyOp{exclude: t.exclude, owner: parseOwner(t.chown), link: t.link}
	var err error
	if op.dest, err = e.destPath(t.paths.DestPath); err != nil {
		return nil, err
	}
	if t.link && isNamed(op.owner) {
		return nil, errors.Errorf("--chown=%s: user and group names can't be resolved when used with --link, use numeric uid[:gid] instead", t.chown)
	}
	if t.chmod != "" {
		if op.mode, err = parseMode(t.chmod); err != nil {
			return nil, err
		}
	}
	return op, nil
}

// checkChecksum fails for a --checksum of what cannot have one.
func (t *transfer) checkChecksum() error {
	switch {
	case t.add == nil || t.add.checksum == "":
		return nil
	case len(t.paths.SourcePaths) != 1:
		return errors.New("checksum can't be specified for multiple sources")
	case !source.IsHTTP(t.paths.SourcePaths[0]) && !source.IsGit(t.paths.SourcePaths[0]):
		return errors.New("checksum requires HTTP(S) or Git sources")
	default:
		return nil
	}
}

// historyText is the instruction as the image's history shows it.
func (t *transfer) historyText() string {
	var hist strings.Builder
	hist.Grow(len(t.text) + len(" # buildkit"))
	hist.WriteString(t.keyword())
	if t.parents {
		hist.WriteString(" --parents")
	}
	if t.chown != "" {
		hist.WriteString(" --chown=" + t.chown)
	}
	if t.chmod != "" {
		hist.WriteString(" --chmod=" + t.chmod)
	}
	for _, src := range t.paths.SourcePaths {
		hist.WriteByte(' ')
		hist.WriteString(src)
	}
	for _, doc := range t.paths.SourceContents {
		hist.WriteString(" <<" + doc.Path)
	}
	hist.WriteByte(' ')
	hist.WriteString(t.paths.DestPath)
	hist.WriteString(" # buildkit")
	return hist.String()
}

// copyPath evaluates one source path: a git repository, a URL, or a path in the
// context or stage.
func (e *stageEval) copyPath(t *transfer, src string) (copyFile, error) {
	if source.MayBeRemote(src) {
		ref, isGit, err := dfgitutil.ParseGitRef(src)
		if err != nil && isGit {
			return copyFile{}, err
		}
		if err == nil && !ref.IndistinguishableFromLocal {
			return gitFile(ref, t.add)
		}
		if source.IsHTTP(src) {
			return httpFile(src, t.add)
		}
	}
	if t.from.context {
		e.checkIgnoredSource(t.checkKeyword(), src, t.cmd.Location())
	}
	return e.localFile(t, src)
}

// gitFile evaluates an ADD of a git repository. What the flags and the
// reference's query say must agree.
func gitFile(ref *dfgitutil.GitRef, f *addFlags) (copyFile, error) {
	if f == nil {
		return copyFile{}, errors.New("source can't be a git ref for COPY")
	}
	git, err := source.NewGit(ref, f.keepGit, f.checksum)
	return copyFile{source: copySource{git: git}, path: "/"}, err
}

// httpFile evaluates an ADD of a URL.
func httpFile(src string, f *addFlags) (copyFile, error) {
	if f == nil {
		return copyFile{}, errors.New("source can't be a URL for COPY")
	}
	http, err := source.NewHTTP(src, f.checksum)
	return copyFile{
		source: copySource{http: http},
		path:   http.Filename,
		unpack: f.unpack != nil && *f.unpack,
	}, err
}

// localFile evaluates a source path in the context or a stage.
func (e *stageEval) localFile(t *transfer, src string) (copyFile, error) {
	file := copyFile{source: t.from, local: true, unpack: t.add != nil}
	if t.add != nil && t.add.unpack != nil {
		file.unpack = *t.add.unpack
	}
	normalize := func(p string) (string, error) {
		p, err := system.NormalizePath("/", p, e.s.platform.OS, false)
		return p, errors.Wrap(err, "removing drive letter")
	}
	var err error
	if t.parents {
		root, pattern, pivot := strings.Cut(src, "/./")
		if !pivot {
			root, pattern = "/", src
		}
		if pattern, err = normalize(pattern); err != nil {
			return copyFile{}, err
		}
		file.include = []string{strings.TrimPrefix(pattern, "/")}
		if !cacheplan.HasWildcard(root) && !cacheplan.HasWildcard(pattern) {
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
