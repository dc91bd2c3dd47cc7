package advice

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cachewright/cachewright/cachepolicy"
	"github.com/cachewright/cachewright/cachepolicy/cacheplan"
	"github.com/cachewright/cachewright/cachepolicy/internal/phrase"
	"github.com/cachewright/cachewright/cachepolicy/record"
)

// arguments returns candidates for each ARG that changed and stands above commands that
// do not name it: to declare it right above the first instruction that does, or to keep
// it from these commands by a rule. One that no instruction names is there for the cache.
func (s *situation) arguments() []candidate {
	var out []candidate
	all := s.reading.Instructions
	for i := range all {
		in := &all[i]
		if in.Keyword != "ARG" || in.Stage < 0 || len(in.Words) != 1 || strings.Contains(in.Words[0], "$") {
			continue
		}
		name, _, _ := strings.Cut(in.Words[0], "=")
		user, idle := s.users(i, name)
		if user < 0 || len(idle) == 0 || !s.changed(name) {
			continue
		}
		seen := fmt.Sprintf("%s changed in %s, and %s", s.at(in), phrase.Count(s.changes(name), "build"), doNotUse(len(idle)))
		assume := fmt.Sprintf("no script that they start reads %s from its environment", name)
		for _, c := range []candidate{s.moveArg(i, user), s.hideArg(name, idle)} {
			c.Kind, c.Line, c.Seen, c.If, c.ignore = KindArguments, s.line(in), seen, assume, s.ignore
			if c.dockerfile != "" {
				out = append(out, c)
			}
		}
	}
	return out
}

func doNotUse(n int) string {
	if n == 1 {
		return "1 command below it does not use it"
	}
	return fmt.Sprintf("%d commands below it do not use it", n)
}

// users returns the first instruction of the stage below an ARG that names it, or -1, and
// the commands of the stage that do not.
func (s *situation) users(arg int, name string) (first int, idle []int) {
	all := s.reading.Instructions
	first = -1
	for i := arg + 1; i < len(all) && all[i].Stage == all[arg].Stage; i++ {
		switch {
		case names(&all[i], name) || all[i].Heredoc:
			if first < 0 {
				first = i
			}
		case all[i].Keyword == "RUN":
			idle = append(idle, i)
		}
	}
	return first, idle
}

// names reports whether a name stands in an instruction as a word of its own.
func names(in *Instruction, name string) bool {
	isWord := func(r byte) bool {
		return r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
	}
	text := strings.Join(slices.Concat(in.Flags, in.Words), " ")
	for at := 0; ; at++ {
		n := strings.Index(text[at:], name)
		if n < 0 {
			return false
		}
		at += n
		end := at + len(name)
		if (at == 0 || !isWord(text[at-1])) && (end == len(text) || !isWord(text[end])) {
			return true
		}
	}
}

// changed reports whether an argument of that name ever changed.
func (s *situation) changed(name string) bool { return s.changes(name) > 0 }

// changes counts the builds in which an argument changed.
func (s *situation) changes(name string) int {
	n := 0
	for _, e := range s.history.entries {
		if slices.ContainsFunc(e.Changes, func(c record.LogChange) bool { return c.Kind == cachepolicy.InputArg && c.Name == name }) {
			n++
		}
	}
	return n
}

// moveArg declares an argument right above the instruction that uses it.
func (s *situation) moveArg(arg, user int) candidate {
	all := s.reading.Instructions
	text := ended(linesOf(s.dockerfile))
	from, to := text.block(&all[arg])
	target, _ := text.block(&all[user])
	if target <= to {
		return candidate{}
	}
	block := slices.Clone(text[from:to])
	text = slices.Insert(text, target, block...)
	text = slices.Delete(text, from, to)
	return candidate{
		Suggestion: Suggestion{Do: "move it right above " + s.at(&all[user])},
		dockerfile: text.String(),
	}
}

// hideArg keeps an argument from commands by a rule that lists the other ones.
func (s *situation) hideArg(name string, idle []int) candidate {
	all := s.reading.Instructions
	text := linesOf(s.dockerfile)
	rule := ""
	for _, i := range slices.Backward(idle) {
		step := s.step(&all[i])
		if step == nil {
			continue
		}
		if step.Setting(cachepolicy.OptionArgs).Option != "" || step.Setting(cachepolicy.OptionDefault).Option != "" {
			return candidate{}
		}
		if args := argsOf(step); slices.Contains(args, name) {
			rule = "# cache=args=" + otherArgs(args, name)
			text = text.above(&all[i], rule)
		}
	}
	if rule == "" {
		return candidate{}
	}
	return candidate{
		Suggestion: Suggestion{Do: rule + " above them"},
		dockerfile: text.String(),
	}
}

// argsOf returns the arguments that reach a step.
func argsOf(s *cacheplan.Step) []string {
	var out []string
	for _, in := range s.Inputs {
		if in.Kind == cachepolicy.InputArg {
			out = append(out, in.Name)
		}
	}
	return out
}

func otherArgs(args []string, name string) string {
	others := slices.DeleteFunc(slices.Clone(args), func(a string) bool { return a == name })
	if len(others) == 0 {
		return "none"
	}
	return strings.Join(others, ",")
}
