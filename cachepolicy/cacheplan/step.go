package cacheplan

import "github.com/cachewright/cachewright/cachepolicy"

// Text tells the instruction from others.
func (s *Step) Text() string {
	if in, ok := s.command(); ok {
		return in.Value + in.Digest
	}
	return s.ID.Instruction
}

// Title is what a person calls the instruction.
func (s *Step) Title() string {
	if in, ok := s.command(); ok {
		return in.Value
	}
	return s.Name
}

func (s *Step) command() (cachepolicy.Input, bool) {
	for _, in := range s.Inputs {
		if in.Kind == cachepolicy.InputCommand {
			return in, true
		}
	}
	return cachepolicy.Input{}, false
}

// Setting returns an option of the step's rule, or the zero value.
func (s *Step) Setting(o cachepolicy.Option) Setting {
	for _, r := range s.Rule {
		if r.Option == o {
			return r
		}
	}
	return Setting{}
}
