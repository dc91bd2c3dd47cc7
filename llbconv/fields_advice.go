package llbconv

import (
	"path"
	"slices"
	"strings"

	"github.com/cachewright/cachewright/cachepolicy/cacheplan"
)

// adviseFields warns of files that stay short: of which no later instruction of the
// stage, or of a stage that goes on from it, brings the whole.
func (c *conversion) adviseFields(ev *evaluation, ds decisions, steps []*step) {
	for _, st := range steps {
		var short []string
		for _, f := range ds[st].reduced.files {
			if !broughtWhole(ev, ds, st, f.Path) {
				short = append(short, f.Path)
			}
		}
		if len(short) > 0 {
			lint := c.lint.WithMergedConfigFromComments(st.cmd.Comments())
			c.advise(lint, "CacheFieldsOnly", strings.Join(short, ", ")+": only some fields are copied, and no later instruction copies the whole file over it; add one, such as COPY . .",
				st.cmd.Location())
		}
	}
}

// broughtWhole reports whether a later instruction of the step's stage, or of a stage
// that starts or copies from it, copies a file of the build context as it is.
func broughtWhole(ev *evaluation, ds decisions, st *step, file string) bool {
	dest := destinationOf(st.op.(*copyOp), file)
	after := false
	for _, other := range st.stage.steps {
		if after && bringsWhole(ds, other, file, dest) {
			return true
		}
		after = after || other == st
	}
	for _, s := range ev.inOrder() {
		if s.base == st.stage.stage && slices.ContainsFunc(s.steps, func(o *step) bool { return bringsWhole(ds, o, file, dest) }) {
			return true
		}
		if copiesFrom(s, st.stage.stage) && slices.ContainsFunc(s.steps, func(o *step) bool { return bringsWhole(ds, o, file, "") }) {
			return true
		}
	}
	return false
}

// copiesFrom reports whether a stage copies from another, or mounts it.
func copiesFrom(s *evaluatedStage, from *stage) bool {
	for _, st := range s.steps {
		switch op := st.op.(type) {
		case *copyOp:
			if slices.ContainsFunc(op.files, func(f copyFile) bool { return f.source.stage == from }) {
				return true
			}
		case *runOp:
			if slices.ContainsFunc(op.mounts, func(m runMount) bool { return m.source.stage == from }) {
				return true
			}
		case *workdirOp:
		}
	}
	return false
}

// bringsWhole reports whether a step copies a file of the build context as it is, to
// dest unless that is empty.
func bringsWhole(ds decisions, st *step, file, dest string) bool {
	op, ok := st.op.(*copyOp)
	if d := ds[st]; !ok || d != nil && d.Fields != nil {
		return false
	}
	for _, f := range op.files {
		if !f.source.context {
			continue
		}
		for _, pattern := range f.selects() {
			if under, ok := selects(pattern, file); ok && (dest == "" || f.lands(op, file, under) == dest) {
				return true
			}
		}
	}
	return false
}

// selects reports whether a pattern selects a file, and its path below what the
// pattern matches; that is empty if it matches the file itself.
func selects(pattern, file string) (under string, ok bool) {
	if pattern == "." {
		return file, true
	}
	if strings.Contains(pattern, "**") { // close enough for a hint
		pattern, _, _ = strings.Cut(pattern, "**")
		return file, strings.HasPrefix(file, pattern)
	}
	for dir, below := file, ""; dir != "."; dir, below = path.Dir(dir), path.Join(path.Base(dir), below) {
		if match, err := path.Match(pattern, dir); err == nil && match {
			return below, true
		}
	}
	return "", false
}

// destinationOf is where an instruction puts a file of the build context.
func destinationOf(op *copyOp, file string) string {
	for _, f := range op.files {
		for _, pattern := range f.selects() {
			if under, ok := selects(pattern, file); ok {
				return f.lands(op, file, under)
			}
		}
	}
	return ""
}

// lands is where a source of an instruction puts a file, which is under a directory
// that the source selects, or is selected itself.
func (f copyFile) lands(op *copyOp, file, under string) string {
	switch {
	case len(f.include) > 0: // --parents
		return path.Join(op.dest, strings.TrimPrefix(file, strings.TrimPrefix(contextPath(f.path)+"/", "./")))
	case under != "":
		return path.Join(op.dest, under)
	case strings.HasSuffix(op.dest, "/") || len(op.files) > 1 || cacheplan.HasWildcard(f.path):
		return path.Join(op.dest, path.Base(file))
	default:
		return path.Clean(op.dest)
	}
}
