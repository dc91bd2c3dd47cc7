package scenario

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/cachewright/cachewright/integration/sandbox"
)

// Rebuild is a row of a table: a build, a change, and the same build again. Want is
// what the test expects of it, in the test's own terms.
type Rebuild[Want any] struct {
	Name string
	// Dockerfile is the file of the first build, without its first line, which
	// declares BASE: an image that nothing else uses. $ID is a text that no other
	// project has.
	Dockerfile string
	Files      map[string]string // more files of the context by their names, with $ID
	Links      map[string]string // its symbolic links: name to target
	Options    sandbox.Build     // of the first build; New sets Frontend, Context and SharedKey
	Prepare    Change            // what else has to be there, nil if nothing
	Change     Change            // nil if the second build is the same
	Want       Want
}

// Start returns the daemon that the tests of a test binary share, with the frontend
// and the given images in its registry.
func Start(t testing.TB, images ...sandbox.Image) *sandbox.Sandbox {
	t.Helper()
	sb := sandbox.Shared(t, images...)
	push.Do(func() { errPush = sb.PushFrontend(context.WithoutCancel(t.Context()), sandbox.FrontendRef) })
	if errPush != nil {
		t.Fatal(errPush)
	}
	return sb
}

// The frontend is pushed once to the daemon that all tests share.
var (
	push    sync.Once
	errPush error
)

// StartOwn returns a daemon of the test's own that has busybox, for tests that
// prune, or that need a builder without a past.
func StartOwn(t testing.TB) *sandbox.Sandbox {
	t.Helper()
	sb := sandbox.New(t, sandbox.Options{}, sandbox.Busybox)
	if err := sb.PushFrontend(t.Context(), sandbox.FrontendRef); err != nil {
		t.Fatal(err)
	}
	return sb
}

// New makes the project that a row builds, in a temporary directory of the test,
// with all that Prepare adds. Nothing is built yet.
func New[Want any](t testing.TB, sb *sandbox.Sandbox, row Rebuild[Want]) *Project {
	t.Helper()
	p := &Project{T: t, Sandbox: sb, ID: NewID(), Words: map[string]string{}, Build: row.Options}
	p.Frontend = sandbox.FrontendRef
	p.Context = filepath.Join(t.TempDir(), p.ID) // clients tell directories by their names
	p.SharedKey = p.Context
	p.Args, p.Attrs, p.Secrets = maps.Clone(p.Args), maps.Clone(p.Attrs), maps.Clone(p.Secrets)
	for name, text := range row.Files {
		p.Write(name, text)
	}
	for name, target := range row.Links {
		p.Must(os.Symlink(target, p.Path(name)))
	}
	p.Write("Dockerfile", "ARG BASE=none\n"+row.Dockerfile)
	p.Arg("BASE", p.PushImage("project/"+p.ID+":1", p.NewBase()))
	if row.Prepare != nil {
		row.Prepare(p)
	}
	return p
}

// Run calls check with the rows of all tables, each in a parallel subtest that is
// named TABLE/NAME, and returns when all have ended.
func Run[Want any](t *testing.T, tables map[string][]Rebuild[Want], check func(*testing.T, Rebuild[Want])) {
	t.Helper()
	t.Run("all", func(t *testing.T) {
		for table, rows := range tables {
			for _, row := range rows {
				t.Run(table+"/"+row.Name, func(t *testing.T) {
					t.Parallel()
					check(t, row)
				})
			}
		}
	})
}
