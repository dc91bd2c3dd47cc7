package bench

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/cachewright/cachewright/integration/sandbox"
)

// explainCase is a kind of build of which the explanation's cost is measured.
type explainCase struct {
	name  string
	files int
	size  int // of each file, in bytes
	// change makes the project of one build, the n-th.
	change func(l *Lab, p project, n int) (dir string, err error)
	note   string // what a step's name has when the build is explained
	bar    string
}

// explainCases are the rows of the explanation's cost.
func explainCases() []explainCase {
	return []explainCase{
		{name: "nothing changed, 1,000 files", files: 1000, size: 4 << 10, change: (*Lab).unchanged, bar: "10 ms"},
		{name: "one of 1,000 files changed", files: 1000, size: 4 << 10, change: (*Lab).changeOne, note: "← src/d0/file0 changed", bar: "150 ms"},
		{name: "nothing changed, 20,000 files", files: 20_000, size: 25_000, change: (*Lab).unchanged, bar: "10 ms"},
		{name: "one of 20,000 files changed, 500 MB", files: 20_000, size: 25_000, change: (*Lab).changeOne, note: "← src/d0/file0 changed", bar: "400 ms"},
		{name: "first build, 1,000 files", files: 1000, size: 4 << 10, change: (*Lab).another},
	}
}

// filesProject has so many files of so many bytes, all of which a step reads. No
// two have the same steps, or one's record would be in the cache for the other.
func filesProject(name string, files, size int) project {
	p := project{name: name, files: map[string]string{
		"Dockerfile": fmt.Sprintf("FROM busybox\nRUN echo %q\nRUN --mount=target=/context cat /context/src/d0/file0 >/file0\nRUN echo build\n", name),
	}}
	body := strings.Repeat("0123456789abcde\n", (size+15)/16)[:size]
	for i := range files {
		p.files[fmt.Sprintf("src/d%d/file%d", i%50, i)] = body
	}
	return p
}

func (l *Lab) unchanged(p project, _ int) (string, error) { return l.path("context", p.name), nil }

// changeOne gives one file of a project a content that it never had.
func (l *Lab) changeOne(p project, n int) (string, error) {
	dir := l.path("context", p.name)
	return dir, os.WriteFile(filepath.Join(dir, "src/d0/file0"), fmt.Appendf(nil, "build %d\n", n), 0o644)
}

// another writes the project's files into a new directory, with steps that the
// daemon has not seen.
func (l *Lab) another(p project, n int) (string, error) {
	name := fmt.Sprintf("%s, build %d", p.name, n)
	if _, err := l.context(name, p.files); err != nil {
		return "", err
	}
	return l.context(name, map[string]string{"Dockerfile": p.files["Dockerfile"] + fmt.Sprintf("RUN echo %d\n", n)})
}

// Explain measures what it costs that builds say why their steps run again: wall
// times with the explanation and without.
func (l *Lab) Explain(ctx context.Context, rounds int) (*Table, error) {
	t := &Table{Header: []string{"Explanation, wall time of a build", "with", "without", "difference", "lower quartiles", "bar"}}
	for _, c := range explainCases() {
		p := filesProject(c.name, c.files, c.size)
		dir, err := l.context(p.name, p.files)
		if err != nil {
			return nil, err
		}
		all := frontends(ref)[:2]
		if _, err := l.explained(ctx, dir, all[0], ""); err != nil { // or there is nothing to compare with
			return nil, err
		}
		builds := 0
		s, err := l.interleave(ctx, rounds, all, func(side contender) (float64, error) {
			builds++
			dir, err := c.change(l, p, builds)
			if err != nil {
				return 0, err
			}
			return l.explained(ctx, dir, side, c.note)
		})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.name, err)
		}
		t.Rows = append(t.Rows, []string{c.name, milliseconds(s.median(ours)), milliseconds(s.median(unexplained)),
			milliseconds(s.difference(ours, unexplained)), milliseconds(s.lowerQuartile(ours) - s.lowerQuartile(unexplained)), c.bar})
	}
	return t, nil
}

// explained returns the seconds that a build takes. It fails if a build with the
// explanation does not say note, or one without does.
func (l *Lab) explained(ctx context.Context, dir string, c contender, note string) (float64, error) {
	start := time.Now()
	result, err := l.sandbox.Solve(ctx, sandbox.Build{Context: dir, Frontend: c.frontend, Attrs: c.attrs, SharedKey: filepath.Base(dir)})
	took := time.Since(start).Seconds()
	if err != nil {
		return 0, err
	}
	said := strings.Contains(result.String(), "←")
	if want := note != "" && c.name == ours; said != want || want && !strings.Contains(result.String(), note) {
		return 0, fmt.Errorf("want %q said, and only in %s:\n%s", note, ours, result)
	}
	return took, nil
}
