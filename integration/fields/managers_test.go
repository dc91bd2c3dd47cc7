package fields_test

import (
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cachewright/cachewright/integration/scenario"
)

// manager is a package manager and a project for it.
type manager struct {
	name, preset string
	// copied are the patterns that COPY takes: the manifests and the lock file.
	copied []string
	// project is a project without the lock file.
	project  tree
	lockFile string
	env      []string
	// lock writes the lock file, install installs as builds do: with a lock file
	// that must agree with the manifest.
	lock, install command
	// alsoAccepts are more commands that find manifest and lock file to be a pair.
	alsoAccepts []command
	// installed are the directories in which something is installed.
	installed []string
	// volatile matches what is another text after each install.
	volatile *regexp.Regexp
	// notes are the files in which the tool writes down the project itself.
	notes []string
	// release is what changes from one version to the next and does not count.
	release []edit
	// warns is what the tool says of a lock file that does not agree, if it installs
	// all the same.
	warns string
	// raise raises a dependency; reason is what the next build says of that.
	raise  edit
	reason string
}

// command is a program with its arguments.
type command []string

// edit replaces a text in a file, which must be there.
type edit struct{ file, old, text string }

// managers returns the package managers, each with a registry of its own.
func managers(t *testing.T) []*manager {
	t.Helper()
	return slices.Concat(nodeManagers(t), pythonManagers(t), []*manager{composerManager(t), cargoManager(t)})
}

// TestManagers installs from the whole files and from what a build copies of them: the
// tool takes what is copied for a pair, and installs the same. A release runs nothing
// again; another dependency does, and is named.
func TestManagers(t *testing.T) {
	sb := scenario.Start(t)
	for _, m := range managers(t) {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			home := t.TempDir()
			whole := m.locked(t, home, m.project)
			p := scenario.New(t, sb, rebuild{Dockerfile: m.dockerfile(), Files: whole})
			short := whole.with(copied(p))
			if _, same := differing(whole, short); same {
				t.Error("nothing is left out")
			}
			want := m.mustInstall(t, home, whole)
			if len(want) < 2 {
				t.Errorf("little is installed: %v", want)
			}
			m.compare(t, "from the fields", want, m.mustInstall(t, home, short))
			for _, c := range m.alsoAccepts {
				if out, ok := m.run(t, home, short.write(t), c); !ok {
					t.Errorf("%s does not take the fields: %s", strings.Join(c, " "), out)
				}
			}
			broken := short.edited(t, m.raiseIn(short))
			if out, _, ok := m.tryInstall(t, home, broken); ok && (m.warns == "" || !strings.Contains(out, m.warns)) {
				t.Errorf("another dependency is installed with the old lock file:\n%s", out)
			}
			m.rebuild(t, home, p)
		})
	}
}

// dockerfile copies the manager's files first.
func (m *manager) dockerfile() string {
	return "FROM scratch AS fields\n# cache=fields=" + m.preset + "\nCOPY --parents " + strings.Join(m.copied, " ") + " /app/\n" +
		"FROM $BASE\nCOPY --from=fields /app /app\nRUN echo install > /log\nCOPY . /app\n"
}

// copied returns the files that the first stage has.
func copied(p *project) tree {
	p.Target = "fields"
	defer func() { p.Target = "" }()
	return files(p.T, filepath.Join(export(p), "app"))
}

// rebuild builds, releases, and raises a dependency.
func (m *manager) rebuild(t *testing.T, home string, p *project) {
	change := func(f tree) {
		for name, text := range m.locked(t, home, f) {
			p.Write(name, text)
		}
	}
	p.Solve()
	released := m.project.edited(t, m.release...)
	change(released)
	for _, s := range scenario.Steps(p.Solve()) {
		if !s.Cached && s.Text != "COPY . /app" && !strings.HasPrefix(s.Text, "FROM") {
			t.Errorf("after a release %s ran: %s", s.Text, s.Note)
		}
	}
	change(released.edited(t, m.raise))
	ran := map[string]string{}
	for _, s := range scenario.Steps(p.Solve()) {
		if !s.Cached {
			ran[strings.Join(strings.Fields(s.Text)[:2], " ")] = s.Note
		}
	}
	if !strings.Contains(ran["COPY --parents"], m.reason) || ran["RUN echo"] == "" {
		t.Errorf("after a raised dependency these ran: %v; want %s", ran, m.reason)
	}
}

// raiseIn returns the edit that raises the dependency in the canonical form of a file.
func (m *manager) raiseIn(f tree) edit {
	e := m.raise
	for _, quote := range []string{`"`, `'`} {
		for _, blank := range []string{" ", ""} {
			change := strings.NewReplacer(`"`, quote, ": ", ":"+blank)
			if old := change.Replace(e.old); strings.Contains(f[e.file], old) {
				return edit{e.file, old, change.Replace(e.text)}
			}
		}
	}
	return e
}

// locked returns a project with its lock file.
func (m *manager) locked(t *testing.T, home string, f tree) tree {
	t.Helper()
	dir := f.write(t)
	if out, ok := m.run(t, home, dir, m.lock); !ok {
		t.Fatalf("%s:\n%s", strings.Join(m.lock, " "), out)
	}
	return f.with(tree{m.lockFile: read(t, dir, m.lockFile)})
}

// mustInstall returns what is installed from a project.
func (m *manager) mustInstall(t *testing.T, home string, f tree) tree {
	t.Helper()
	out, installed, ok := m.tryInstall(t, home, f)
	if !ok {
		t.Fatalf("%s:\n%s", strings.Join(m.install, " "), out)
	}
	return installed
}

// tryInstall installs a project, always in the same place. It returns the tool's output, what
// is installed, and whether it succeeded.
func (m *manager) tryInstall(t *testing.T, home string, f tree) (string, tree, bool) {
	t.Helper()
	dir := filepath.Join(home, "project") // some write down where they are
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	f.writeTo(t, dir)
	out, ok := m.run(t, home, dir, m.install)
	installed := tree{}
	for _, pattern := range m.installed {
		matches, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range matches {
			rel, _ := filepath.Rel(dir, match)
			for name, text := range files(t, match) {
				if m.volatile != nil {
					text = m.volatile.ReplaceAllString(text, "")
				}
				installed[path.Join(rel, name)] = text
			}
		}
	}
	return out, installed, ok
}

// compare fails if two trees differ in more than where the tool writes down the
// project itself.
func (m *manager) compare(t *testing.T, what string, want, got tree) {
	t.Helper()
	names, _ := differing(want, got)
	for _, name := range names {
		if !slices.Contains(m.notes, name) {
			t.Errorf("%s, %s is another (-whole +fields):\n%s", what, name, cmp.Diff(want[name], got[name]))
		}
	}
}

// run runs a program in a directory and returns its output and whether it succeeded.
func (m *manager) run(t *testing.T, home, dir string, c command) (string, bool) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), c[0], c[1:]...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), append([]string{"HOME=" + home, "CI=1", "XDG_CACHE_HOME=" + filepath.Join(home, "cache")}, m.env...)...)
	out, err := cmd.CombinedOutput()
	return string(out), err == nil
}
