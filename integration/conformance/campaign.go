package main

import (
	"context"
	"maps"
	"slices"
)

// maxCrashes is how many crashes of the test binary a run gets over; more than
// that says that the frontend is broken as a whole.
const maxCrashes = 20

// runAll runs every selected case to an outcome. When the test binary crashes or
// hangs, the cases that were running are suspects: the rest is run without them,
// and each suspect alone, so that it loses only its own result.
func (s *suite) runAll(ctx context.Context, sel selection) (results, error) {
	all := results{}
	var suspects []string
	for crashes := 0; ; crashes++ {
		got, complete, err := s.invoke(ctx, sel)
		if err != nil {
			return nil, err
		}
		finished, started := got.split()
		all.add(got, finished)
		if complete {
			break
		}
		s.progress("the test binary ended early; %d cases done, %d were running", len(finished), len(started))
		if crashes == maxCrashes || len(finished)+len(started) == 0 {
			got.failUnfinished("not run: the test binary kept crashing")
			maps.Copy(all, got)
			break
		}
		suspects = append(suspects, started...)
		sel.skip = slices.Concat(sel.skip, finished, started)
	}
	for _, c := range suspects {
		got, complete, err := s.invoke(ctx, selection{cases: anyOf([]string{c}), parallel: 1})
		if err != nil {
			return nil, err
		}
		if !complete {
			got.failUnfinished("the test binary crashed or ran out of time in this test")
		}
		all.add(got, []string{c})
	}
	return all, nil
}

// retry runs failed cases again, one at a time, up to attempts times; what
// passes once has passed.
func (s *suite) retry(ctx context.Context, all results, cases []string, attempts int) error {
	for n := 0; n < attempts && len(cases) > 0; n++ {
		s.progress("retry %d of %d: %d cases, one at a time", n+1, attempts, len(cases))
		again, err := s.runAll(ctx, selection{cases: anyOf(cases), parallel: 1})
		if err != nil {
			return err
		}
		for name, r := range again {
			before, known := all[name]
			switch {
			case !known:
				all[name] = r
			case before.Status == fail:
				r.Attempts = before.Attempts + 1
				all[name] = r
			}
		}
		cases = slices.DeleteFunc(cases, func(c string) bool { return !slices.Contains(all.failedCases(), c) })
	}
	return nil
}

// split lists the cases all of whose tests have an outcome, and the cases that
// had started and have none. Cases that never started are in neither.
func (all results) split() (finished, started []string) {
	unfinished, ran := map[string]bool{}, map[string]bool{}
	for name, r := range all {
		c := caseOf(name)
		unfinished[c] = unfinished[c] || r.Status == running || r.Status == waiting
		ran[c] = ran[c] || r.Status != waiting
	}
	for c := range unfinished {
		switch {
		case !unfinished[c]:
			finished = append(finished, c)
		case ran[c]:
			started = append(started, c)
		}
	}
	return finished, started
}

// add copies what got says of the cases into all.
func (all results) add(got results, cases []string) {
	for name, r := range got {
		if slices.Contains(cases, caseOf(name)) {
			all[name] = r
		}
	}
}

// failUnfinished turns tests without outcome into failures.
func (all results) failUnfinished(why string) {
	for _, r := range all {
		if r.Status == running || r.Status == waiting {
			r.Status, r.Output = fail, r.Output+why+"\n"
		}
	}
}

// failedCases lists the cases with at least one failed test, sorted.
func (all results) failedCases() []string {
	failed := map[string]bool{}
	for name, r := range all {
		if r.Status == fail {
			failed[caseOf(name)] = true
		}
	}
	return slices.Sorted(maps.Keys(failed))
}
