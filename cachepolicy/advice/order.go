package advice

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/cachewright/cachewright/cachepolicy"
	"github.com/cachewright/cachewright/cachepolicy/cacheplan"
	"github.com/cachewright/cachewright/cachepolicy/internal/phrase"
)

// order returns a candidate for each command of which it is known what files it reads:
// these are copied first, and all others after it.
func (s *situation) order() []candidate {
	var out []candidate
	all := s.reading.Instructions
	for i := range all {
		if all[i].Keyword != "RUN" {
			continue
		}
		if c, ok := s.reorder(i); ok {
			out = append(out, c)
		}
	}
	return out
}

// reorder makes the candidate for one RUN.
func (s *situation) reorder(run int) (candidate, bool) {
	all := s.reading.Instructions
	in := &all[run]
	step := s.step(in)
	if step == nil || s.tally[nameOf(step)].certain < minSaved {
		return candidate{}, false
	}
	var moved []copied
	var needed []string
	for _, i := range s.movable(run) {
		c, ok := s.copied(&all[i], step)
		if !ok {
			return candidate{}, false
		}
		moved = append(moved, c)
	}
	if len(moved) == 0 {
		return candidate{}, false
	}
	var files []string
	for _, c := range moved {
		files = append(files, c.files...)
	}
	if slices.ContainsFunc(files, func(f string) bool { dir, _, _ := strings.Cut(f, "/"); return slices.Contains(installed, dir) }) {
		return candidate{}, false
	}
	for i := slices.IndexFunc(all, func(o Instruction) bool { return o.Line == moved[0].in.Line }); i <= run; i++ {
		if all[i].Keyword == "RUN" {
			names, known := s.commandReads(&all[i], files)
			if !known {
				return candidate{}, false
			}
			needed = append(needed, names...)
		}
	}
	return s.reordered(in, step, moved, needed)
}

// copied is a COPY of local files above a command.
type copied struct {
	in *Instruction
	// files are the paths of its files relative to where the command runs.
	files []string
	// from is the source directory that holds them, with a slash, or empty.
	from string
}

// movable returns the COPY instructions above a RUN that could as well stand below it,
// from the first one on: between them and the RUN is nothing that has to stay in order.
func (s *situation) movable(run int) []int {
	all := s.reading.Instructions
	var out []int
	crossed := false
	for i := run - 1; i >= 0 && all[i].Stage == all[run].Stage; i-- {
		in := &all[i]
		switch in.Keyword {
		case "FROM":
			return out
		case "RUN", "ENV", "ARG", "LABEL", "USER", "EXPOSE", "CMD", "ENTRYPOINT", "STOPSIGNAL", "HEALTHCHECK", "SHELL":
		case "WORKDIR":
			crossed = true
		case "COPY":
			if !isPlainCopy(in) || crossed && !strings.HasPrefix(in.Words[len(in.Words)-1], "/") {
				return out
			}
			out = slices.Insert(out, 0, i)
		default:
			return out
		}
	}
	return out
}

// isPlainCopy reports whether an instruction copies local files and nothing else has to
// be known of it.
func isPlainCopy(in *Instruction) bool {
	if in.Exec || in.Heredoc || len(in.Words) < 2 {
		return false
	}
	for _, f := range in.Flags {
		if !strings.HasPrefix(f, "--chown=") && !strings.HasPrefix(f, "--chmod=") && f != "--link" {
			return false
		}
	}
	return !strings.ContainsAny(strings.Join(in.Words, " ")+strings.Join(in.Flags, " "), "$\"'\\")
}

// step returns the step of an instruction, or nil.
func (s *situation) step(in *Instruction) *cacheplan.Step {
	for i := range s.reading.Plan.Steps {
		if step := &s.reading.Plan.Steps[i]; step.ID.Line == in.Line && step.ID.StageIndex == in.Stage && step.ID.Instruction == in.Keyword {
			return step
		}
	}
	return nil
}

// copied returns the files of a COPY as a command finds them that runs in the directory
// that they are copied to. It reports false where they go elsewhere.
func (s *situation) copied(in *Instruction, run *cacheplan.Step) (copied, bool) {
	step := s.step(in)
	if step == nil {
		return copied{}, false
	}
	sources, dest := in.Words[:len(in.Words)-1], in.Words[len(in.Words)-1]
	where := dest
	if !strings.HasPrefix(where, "/") {
		where = path.Join(setting(step, cachepolicy.InputWorkdir), dest)
	}
	inside, ok := below(path.Clean(where), setting(run, cachepolicy.InputWorkdir))
	if !ok {
		return copied{in: in}, true // the command does not run there
	}
	out := copied{in: in}
	known := s.known(step)
	for _, source := range sources {
		dir := strings.TrimPrefix(path.Clean("/"+source), "/")
		for _, f := range known {
			switch rel, under := below(dir, f); {
			case cacheplan.HasWildcard(dir) || f == dir:
				out.files = append(out.files, path.Join(inside, path.Base(f)))
			case under:
				out.files = append(out.files, path.Join(inside, rel))
			}
		}
		if len(sources) == 1 && dir != "" && inside == "" && !slices.Contains(known, dir) {
			out.from = dir + "/"
		}
	}
	return out, true
}

// below returns the path of file relative to a directory, empty for the directory
// itself, and reports whether it is in there. An empty directory has all files.
func below(dir, file string) (string, bool) {
	if dir == file {
		return "", true
	}
	if dir != "" {
		dir = strings.TrimSuffix(dir, "/") + "/"
	}
	return strings.CutPrefix(file, dir)
}

// setting returns the value of an input of a step.
func setting(s *cacheplan.Step, kind cachepolicy.InputKind) string {
	for _, in := range s.Inputs {
		if in.Kind == kind {
			return in.Value
		}
	}
	return "/"
}

// known returns the paths of the files that a step of the Dockerfile selects, going by
// those that the build's plan has.
func (s *situation) known(step *cacheplan.Step) []string {
	var out []string
	for _, in := range step.Inputs {
		set := s.reading.Plan.FileSet(in.Files)
		if set == nil {
			continue
		}
		for _, file := range s.files[set.Context] {
			if selects(set, file) {
				out = append(out, file)
			}
		}
	}
	return out
}

// filesOfContexts returns the paths of all files that a plan has, without directories,
// by their context.
func filesOfContexts(p *cacheplan.Plan) map[string][]string {
	out := map[string][]string{}
	for _, set := range p.Files {
		for _, f := range set.Files {
			if !f.Mode.IsDir() {
				out[set.Context] = append(out[set.Context], f.Path)
			}
		}
	}
	for context, files := range out {
		slices.Sort(files)
		out[context] = slices.Compact(files)
	}
	return out
}

// commandReads returns the files that a RUN reads.
func (s *situation) commandReads(in *Instruction, files []string) ([]string, bool) {
	bind := slices.ContainsFunc(in.Flags, func(f string) bool {
		return strings.HasPrefix(f, "--mount=") && !strings.Contains(f, "type=cache") && !strings.Contains(f, "type=secret") && !strings.Contains(f, "type=tmpfs") && !strings.Contains(f, "type=ssh")
	})
	if in.Exec || in.Heredoc || bind || len(in.Words) != 1 {
		return nil, false
	}
	return reads(in.Words[0], files)
}

// reordered writes the Dockerfile anew.
func (s *situation) reordered(in *Instruction, run *cacheplan.Step, moved []copied, needed []string) (candidate, bool) {
	text := ended(linesOf(s.dockerfile))
	var below, first lines
	var rest, where []string // what stands below the command in the end
	var copies []string
	// A COPY of nothing but what the command reads stays, if no other one has to move
	// across it.
	move := moved
	for len(move) > 0 && len(move[0].files) > 0 && !slices.ContainsFunc(move[0].files, func(f string) bool { return !slices.Contains(needed, f) }) {
		move = move[1:]
	}
	if len(move) == 0 {
		return candidate{}, false
	}
	end := in.EndLine
	for _, c := range slices.Backward(move) {
		from, to := text.block(c.in)
		below = slices.Concat(text[from:to], below)
		var names []string
		for _, n := range needed {
			if slices.Contains(c.files, n) && !slices.Contains(names, c.from+n) {
				if strings.Contains(n, "/") {
					return candidate{}, false // its directory would have to be made
				}
				names = append(names, c.from+n)
			}
		}
		first = nil
		if len(names) > 0 {
			dest := strings.TrimSuffix(c.in.Words[len(c.in.Words)-1], "/") + "/"
			words := slices.Concat([]string{"COPY"}, c.in.Flags, names, []string{dest})
			first = lines{strings.Join(words, " ") + "\n"}
			copies = append(names, copies...)
		}
		text = slices.Replace(text, from, to, first...)
		end += len(first) - (to - from)
		rest = slices.Insert(rest, 0, c.in.Text)
		where = slices.Insert(where, 0, s.at(c.in))
	}
	text = slices.Insert(text, end, below...)
	c := candidate{dockerfile: text.String(), ignore: s.ignore}
	c.Kind, c.Line = KindOrder, s.line(in)
	c.Seen = fmt.Sprintf("%s ran in %d of %s", s.at(in), s.tally[nameOf(run)].certain, phrase.Count(len(s.history.states), "build"))
	c.step, c.because = run.Title(), list(where)
	c.Do = fmt.Sprintf("move %s below it", list(rest))
	c.If = "it reads no file of the project that is copied below it now"
	if len(copies) > 0 {
		c.Do = fmt.Sprintf("copy %s first, and move %s below it", list(copies), list(rest))
		c.If = fmt.Sprintf("it reads no other files of the project than %s, and no script that it starts does", list(copies))
	}
	return c, true
}
