package llbconv

import (
	"os"
	"slices"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/solver/pb"

	"github.com/cachewright/cachewright/cachepolicy"
	"github.com/cachewright/cachewright/llbconv/internal/source"
)

// step is an evaluated instruction that makes a vertex: all its words are
// expanded and all that goes into its key is here.
type step struct {
	stage    *evaluatedStage
	cmd      instructions.Command
	onBuild  bool   // cmd is a trigger of the base image
	title    string // progress text without the prefix
	prefix   string // progress prefix, "[stage 2/5] " or "[stage 2/5] ONBUILD "
	number   int    // of total, as in the prefix
	op       stepOp
	declared []instructions.KeyValuePairOptional // the ARGs above it in its stage

	// For the plan.
	vars              envSnapshot // what the instruction's words are expanded with
	secrets           []string    // those of its words that are made of secrets
	dir               string
	dirFrom, userFrom envSource
}

// id names the step as progress output does.
func (s *step) id() cachepolicy.StepID { return s.stage.stepID(s.cmd, s.onBuild, s.number) }

// name is the step's name in progress output.
func (s *step) name() string { return s.prefix + s.title }

// stepOp is what a step does: *runOp, *copyOp or *workdirOp.
type stepOp interface{ isStepOp() }

func (*runOp) isStepOp()     {}
func (*copyOp) isStepOp()    {}
func (*workdirOp) isStepOp() {}

// runOp is a RUN.
type runOp struct {
	source     string // the instruction as written
	args       []string
	shell      []string // what of args is the stage's shell
	title      string   // what the progress text is expanded from
	env        []string // NAME=VALUE; shared, not to be modified
	vars       envSnapshot
	declared   []string // build arguments for the history, NAME=VALUE; shared
	dir        string
	user       string
	network    pb.NetMode
	ownNetwork bool // network is the instruction's, not the build's
	security   pb.SecurityMode
	mounts     []runMount
	secrets    []runSecret
	ssh        []runSSH
	devices    []*pb.CDIDevice
}

// runMount is a mount with a filesystem of its own: bind, cache, tmpfs, or the
// script of a heredoc.
type runMount struct {
	target   string
	source   mountSource
	selector string // path within the source
	readonly bool
	noOutput bool // writable, but what is written is dropped
	cacheID  string
	sharing  pb.CacheSharingOpt
	tmpfs    bool
	size     int64 // of a tmpfs, in bytes; 0 is unlimited
}

// mountSource is where a mount's files come from. At most one of the fields is
// set; none means an empty filesystem.
type mountSource struct {
	context bool
	stage   *stage
	script  *inlineFile
	// owner makes an empty directory /cache of that owner in the source first.
	owner *cacheOwner
}

// cacheOwner is the owner and mode of a cache mount's directory.
type cacheOwner struct {
	uid, gid int
	mode     os.FileMode
}

// runSecret is a secret as a file, a variable, or both.
type runSecret struct {
	id       string
	target   *string
	env      *string
	mode     uint32
	uid, gid uint32
	optional bool
}

// runSSH is a forwarded agent socket.
type runSSH struct {
	id       string
	target   string // empty is the default path
	mode     uint32
	uid, gid uint32
	optional bool
}

// inlineFile is a heredoc as a file.
type inlineFile struct {
	name string
	data string
	mode os.FileMode
}

// copyOp is a COPY or ADD.
type copyOp struct {
	dest    string // absolute; a trailing slash has meaning
	link    bool
	exclude []string
	owner   *pb.ChownOpt // indexes of named owners are filled in when emitted
	mode    *copyMode
	files   []copyFile
}

// readsContext reports whether a COPY or ADD takes files of the build context.
func (op *copyOp) readsContext() bool {
	return slices.ContainsFunc(op.files, func(f copyFile) bool { return f.source.context })
}

// copyMode is what --chmod says: bits, or a symbolic expression.
type copyMode struct {
	bits     os.FileMode
	symbolic string
}

// copyFile is one source of a COPY or ADD.
type copyFile struct {
	source   copySource
	path     string // what to copy from source
	include  []string
	required []string
	unpack   bool
	local    bool // from a context or stage: wildcards and links are followed
}

// copySource is where a copied file comes from. Exactly one field is set,
// except that an empty stage source (scratch) has none.
type copySource struct {
	context bool
	stage   *stage
	git     *source.Git
	http    *source.HTTP
	inline  *inlineFile
}

// workdirOp is a WORKDIR that makes a directory.
type workdirOp struct {
	path  string // absolute
	user  string // whose it becomes; empty is root
	owner *pb.ChownOpt
}
