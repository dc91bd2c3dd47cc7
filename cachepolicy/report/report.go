// Package report writes what is known of a build's cache in the forms that people
// and programs read: the answers to `docker buildx build --call=cache` and its
// relatives.
//
// A Report is the one value behind all of them. Each form is a function in a file
// of its own and has one row in the table of Forms.
//
// The package is pure: no network, no clock, no BuildKit gateway.
package report

import (
	"time"

	"github.com/cachewright/cachewright/cachepolicy"
	"github.com/cachewright/cachewright/cachepolicy/advice"
	"github.com/cachewright/cachewright/cachepolicy/cacheplan"
	"github.com/cachewright/cachewright/cachepolicy/explain"
)

// Report is what is known of one build's cache.
type Report struct {
	Plan *cacheplan.Plan
	// Predictions has one entry for each step of the plan, or is empty where nothing
	// can be predicted.
	Predictions []explain.Prediction
	// Dockerfile is the text of the file, and Path where it lies in its repository or
	// build context, with slashes.
	Dockerfile []byte
	Path       string
	// Stages are all stages of the file, by their index, those that the target does
	// not need too. They may be missing.
	Stages []Stage
	// Expected is what the build argument CACHEWRIGHT_EXPECT says, if it is there.
	Expected []explain.Expectation
	// Past are the builds that a comparison is asked with, at most two.
	Past []Past
	// Advice is there for a form that Advises, if the builder keeps a log.
	Advice *advice.Advice
	// Skip are the findings that the Dockerfile does not want, as in
	// # check=skip=StaleUpgrade.
	Skip []string
	// Now is the time of the question.
	Now time.Time
	// Frontend is the release of the frontend, as in v1.2.3, empty for none.
	Frontend string
}

// Stage is one stage of the Dockerfile as it is written.
type Stage struct {
	Name string // may be empty
	Line int    // of its FROM, from 1
}

// Answer is a report in one form.
type Answer struct {
	// Text is for standard output.
	Text string
	// Value is the form's JSON: a Document, but for SARIF, which has a JSON form of
	// its own.
	Value any
	// Failed makes the client exit with status 1. Only a form that Asserts sets it.
	Failed bool
}

// Form is one form of a report.
type Form struct {
	// Name is that of the call, as in --call=cache-html.
	Name        string
	Description string
	// Asserts: the form needs expectations, and says by a status code whether they
	// are met. Compares: it needs the metadata of earlier builds. Advises: it says what advice
	// there is.
	Asserts, Compares, Advises bool
	// Write makes the answer. It fails where the report lacks what the form is about.
	Write func(*Report) (*Answer, error)
}

// Forms returns all forms, in the order in which they are described.
func Forms() []Form {
	return []Form{
		{Name: "cache", Description: "Predict which steps will run and why, with the inputs of their cache keys", Write: compact},
		{Name: "cache-verbose", Description: "Show what each step's cache key is made of, and predict which steps will run", Write: verbose},
		{Name: "cache-markdown", Description: "The same for a pull request's comment or the summary of a CI job", Write: markdown},
		{Name: "cache-html", Description: "The same as a page: the Dockerfile's lines with what is known of each step, and the graph of its stages", Write: html},
		{Name: "cache-github", Description: "Findings as annotations of a GitHub workflow", Advises: true, Write: github},
		{Name: "cache-sarif", Description: "Findings in SARIF 2.1.0", Advises: true, Write: sarif},
		{Name: "cache-diff", Description: "The first input that differs between builds whose metadata files are in the build context " + PastContext, Compares: true, Write: diff},
		{Name: "cache-advice", Description: "What in the Dockerfile costs its builds most, by what the recorded ones ran, with patches for git apply", Advises: true, Write: advise},
		{Name: "cache-assert", Description: "Fail unless the steps will do what the build argument " + cachepolicy.ArgExpect + " says, such as deps/*=hit,app/4=re-run", Asserts: true, Write: assert},
	}
}

// PastContext is the name of the build context with the metadata files that
// cache-diff compares.
const PastContext = "cachewright-past"
