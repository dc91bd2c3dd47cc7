package source

import (
	"strings"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerfile/dfgitutil"
	"github.com/pkg/errors"
)

// Git is a git repository, as ADD takes it.
type Git struct {
	Ref        *dfgitutil.GitRef
	KeepGitDir bool
	Checksum   string // the commit, or empty
}

// NewGit returns the repository of a reference with the flags of an ADD: keep is nil
// and checksum empty where there is none. It fails where the flags and the
// reference's query disagree.
func NewGit(ref *dfgitutil.GitRef, keep *bool, checksum string) (*Git, error) {
	if keep != nil && ref.KeepGitDir != nil && *keep != *ref.KeepGitDir {
		return nil, errors.New("inconsistent keep-git-dir configuration")
	}
	if ref.KeepGitDir != nil {
		keep = ref.KeepGitDir
	}
	if checksum != "" && ref.Checksum != "" && checksum != ref.Checksum {
		return nil, errors.Errorf("checksum mismatch %q != %q", checksum, ref.Checksum)
	}
	if ref.Checksum != "" {
		checksum = ref.Checksum
	}
	return &Git{Ref: ref, KeepGitDir: keep != nil && *keep, Checksum: checksum}, nil
}

// State returns the repository's files. With advice, git is told not to mind being
// on no branch.
func (g *Git) State(advice bool, opts ...llb.GitOption) llb.State {
	opts = append(opts, llb.GitRef(g.Ref.Ref))
	if advice {
		opts = append(opts, llb.GitAdvice(true))
	}
	if g.KeepGitDir {
		opts = append(opts, llb.KeepGitDir())
	}
	if g.Checksum != "" {
		opts = append(opts, llb.GitChecksum(g.Checksum))
	}
	if g.Ref.SubDir != "" {
		opts = append(opts, llb.GitSubDir(g.Ref.SubDir))
	}
	if g.Ref.Submodules != nil && !*g.Ref.Submodules {
		opts = append(opts, llb.GitSkipSubmodules())
	}
	if g.Ref.FetchByCommit {
		opts = append(opts, llb.GitFetchByCommit())
	}
	return llb.Git(g.Ref.Remote, "", opts...)
}

// Version says which files of the repository are taken: those of a commit, and what
// is taken of it. It is empty if commit is.
func (g *Git) Version(commit string) string {
	if commit == "" {
		return ""
	}
	out := commit
	if g.Ref.SubDir != "" {
		out += ":" + g.Ref.SubDir
	}
	if g.KeepGitDir {
		out += ", with .git"
	}
	if g.Ref.Submodules != nil && !*g.Ref.Submodules {
		out += ", without submodules"
	}
	return out
}

// MayBeRemote reports whether a source can be a URL or git reference at all. Most
// are plain paths, and parsing a reference is slow.
func MayBeRemote(src string) bool {
	return strings.Contains(src, ":") || strings.HasPrefix(src, "github.com/")
}

// IsGit reports whether a source is a git repository.
func IsGit(src string) bool {
	ref, isGit, _ := dfgitutil.ParseGitRef(src)
	return ref != nil && isGit
}

// IsCommit reports whether a git reference is a whole commit hash, which never moves.
func IsCommit(ref string) bool {
	return (len(ref) == 40 || len(ref) == 64) && strings.Trim(ref, "0123456789abcdef") == ""
}
