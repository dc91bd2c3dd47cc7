package cacheplan

import (
	"fmt"

	"github.com/cachewright/cachewright/cachepolicy"
)

// Text tells the instruction from others.
func (s *Step) Text() string {
	if in, ok := s.command(); ok && in.Secret {
		return in.Value // the digest means nothing on another builder
	} else if ok {
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

// StaysHere reports whether the step's result is not exported to a cache, by its rule.
func (s *Step) StaysHere() bool { return s.Setting(cachepolicy.OptionExport).Value == "no" }

// StepName returns how the progress output numbers a step: 3/6, or build 3/6 when
// seen from a step of another stage.
func (p *Plan) StepName(i int, from *Step) string {
	id := &p.Steps[i].ID
	if id.Number == 0 {
		return p.Steps[i].Name
	}
	n := fmt.Sprintf("%d/%d", id.Number, id.Total)
	if from != nil && id.StageIndex == from.ID.StageIndex {
		return n
	}
	return id.Stage + " " + n
}
