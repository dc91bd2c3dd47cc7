package report

import (
	"github.com/cachewright/cachewright/cachepolicy/cacheplan"
	"github.com/cachewright/cachewright/cachepolicy/explain"
	"github.com/cachewright/cachewright/cachepolicy/internal/phrase"
)

// verbose prints every step with every input of its key and where that comes from.
func verbose(r *Report) (*Answer, error) {
	return &Answer{Text: Table(r.Plan, r.Predictions), Value: r.document()}, nil
}

// Table returns a plan as text for people. With predictions (one for each step, or
// nil) it says in front of each step what is predicted. Every line fits Width columns
// and ends in a newline; nothing in it is a control character.
func Table(p *cacheplan.Plan, predictions []explain.Prediction) string {
	t := newTable(&Report{Plan: p, Predictions: predictions})
	t.line(phrase.Shorten("Cache plan of "+t.subject(), Width))
	t.line(t.tally())
	for i := range p.Steps {
		t.step(i)
	}
	return t.b.String()
}
