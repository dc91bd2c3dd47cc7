package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
)

// status is the outcome of one test.
type status string

const (
	pass    status = "pass"
	fail    status = "fail"
	skip    status = "skip"
	running status = "running" // had started when the test binary ended
	waiting status = "waiting" // was not started yet when the test binary ended
)

// result is one test of the suite in one mode.
type result struct {
	Status   status
	Attempts int     // how many runs it took; more than 1 for a pass means that the test is flaky here
	Seconds  float64 // of the attempt that counts
	Output   string  // what the test printed, kept for failures and skips

	printed strings.Builder // Output while the test runs
}

// results are the outcomes by test name: the case's name, the matrix values it
// ran with (as in "TestRunHost/network.host=granted") and its own subtests.
// The parts that are the same for all tests of a mode are left out.
type results map[string]*result

// event is one line of "go tool test2json".
type event struct {
	Action  string
	Test    string
	Elapsed float64
	Output  string
}

const rootTest = "TestIntegration"

// readEvents reads a test2json stream to its end and returns the outcome of every
// test it names. complete is false when the test binary ended before its tests did.
func readEvents(r io.Reader) (_ results, complete bool, _ error) {
	all := results{}
	dec := json.NewDecoder(r)
	for {
		var e event
		if err := dec.Decode(&e); err == io.EOF {
			break
		} else if err != nil {
			return nil, false, err
		}
		if e.Test == rootTest && isOutcome(e.Action) {
			complete = true
		}
		if name := shortName(e.Test); name != "" {
			all.apply(name, e)
		}
	}
	for _, r := range all {
		if r.Status != pass {
			r.Output = r.printed.String()
		}
	}
	return all, complete, nil
}

func isOutcome(action string) bool {
	return action == string(pass) || action == string(fail) || action == string(skip)
}

// apply takes in one event of the test. Output may come before a test's first
// event and after its last.
func (all results) apply(name string, e event) {
	r := all[name]
	if r == nil {
		r = &result{Status: running, Attempts: 1}
		all[name] = r
	}
	switch {
	case e.Action == "output":
		r.printed.WriteString(e.Output)
	case e.Action == "pause":
		r.Status = waiting
	case e.Action == "cont":
		r.Status = running
	case isOutcome(e.Action):
		r.Status, r.Seconds = status(e.Action), e.Elapsed
	}
}

// shortName takes the parts that all tests of a mode share out of a test's full
// name: TestIntegration/TestX/worker=oci/frontend=gateway/sub is TestX/sub.
// It is empty for what is not a test of a frontend.
func shortName(full string) string {
	parts := strings.Split(full, "/")
	if len(parts) < 2 || parts[0] != rootTest {
		return ""
	}
	kept := parts[1:2]
	for _, p := range parts[2:] {
		if !strings.HasPrefix(p, "worker=") && !strings.HasPrefix(p, "frontend=") {
			kept = append(kept, p)
		}
	}
	return strings.Join(kept, "/")
}

// matrixKeys are the parts of a name that choose a variant of a case; what comes
// after them are the test's own subtests.
var matrixKeys = []string{"security.insecure=", "network.host=", "env="}

// isVariant tells a case, or a case with its matrix values, from a subtest.
func isVariant(name string) bool {
	for _, part := range strings.Split(name, "/")[1:] {
		if !slices.ContainsFunc(matrixKeys, func(key string) bool { return strings.HasPrefix(part, key) }) {
			return false
		}
	}
	return true
}

// caseOf is the function that a test belongs to: the first part of its name.
func caseOf(name string) string {
	c, _, _ := strings.Cut(name, "/")
	return c
}

// matching are the results whose case matches the regular expression.
func (all results) matching(expr string) (results, error) {
	re, err := regexp.Compile(expr)
	if err != nil {
		return nil, err
	}
	some := results{}
	for name, r := range all {
		if re.MatchString(caseOf(name)) {
			some[name] = r
		}
	}
	return some, nil
}

// save writes the results to a file that loadResults reads.
func (all results) save(file string) error {
	dt, err := json.MarshalIndent(all, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(file, dt, 0o644)
}

// loadResults reads what save wrote.
func loadResults(file string) (results, error) {
	dt, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var all results
	if err := json.Unmarshal(dt, &all); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return all, nil
}

// cases lists the cases all of whose tests have an outcome that accept accepts,
// sorted.
func (all results) cases(accept func(status) bool) []string {
	accepted := map[string]bool{}
	for name, r := range all {
		c := caseOf(name)
		before, seen := accepted[c]
		accepted[c] = (before || !seen) && accept(r.Status)
	}
	maps.DeleteFunc(accepted, func(_ string, ok bool) bool { return !ok })
	return slices.Sorted(maps.Keys(accepted))
}

// outcomes for cases.
func isPass(s status) bool     { return s == pass }
func notSkipped(s status) bool { return s != skip }

// skipReason is what a skipped test said, without the position it said it at.
func (all results) skipReason(name string) string {
	r := all[name]
	if r == nil || r.Status != skip {
		return ""
	}
	for line := range strings.Lines(r.Output) {
		_, said, ok := strings.Cut(line, ".go:")
		if _, text, ok2 := strings.Cut(said, ": "); ok && ok2 {
			return strings.TrimSpace(text)
		}
	}
	return ""
}
