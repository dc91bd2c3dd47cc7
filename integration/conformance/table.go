package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
)

// table is the outcome of both sides of one mode. A side that was not run is nil.
type table struct {
	mode     mode
	upstream results
	ours     results
	excepted map[string]string // test → reason, from docs/differences.md
}

// ran reports whether any test ran.
func (t *table) ran() bool { return len(t.upstream)+len(t.ours) > 0 }

// regressions lists the tests that pass with upstream's frontend and not with
// ours, without those that are excepted and without the parts of a test that is
// listed itself. The bar is that there are none.
func (t *table) regressions() []string {
	var worse []string
	for _, name := range slices.Sorted(maps.Keys(t.upstream)) {
		parent := name[:max(strings.LastIndexByte(name, '/'), 0)]
		if _, reason := t.exception(name); t.regressed(name) && !t.regressed(parent) && reason == "" {
			worse = append(worse, name)
		}
	}
	return worse
}

// regressed reports whether the test passes with upstream's frontend and not with ours.
func (t *table) regressed(name string) bool {
	return t.upstream != nil && t.ours != nil && t.upstream.status(name) == pass && t.ours.status(name) != pass
}

// regressedCases are the cases of the regressions.
func (t *table) regressedCases() []string {
	var cases []string
	for _, name := range t.regressions() {
		cases = append(cases, caseOf(name))
	}
	return slices.Compact(cases)
}

// exception finds the row of the table of exceptions that a test comes under: its
// own, or that of the test that it is a part of. Both results are empty when
// there is none.
func (t *table) exception(name string) (excepted, reason string) {
	for n := name; n != ""; n = n[:max(strings.LastIndexByte(n, '/'), 0)] {
		if r := t.excepted[n]; r != "" {
			return n, r
		}
	}
	return "", ""
}

// print writes the rows. With short, cases that pass on both sides at the first
// attempt are left out.
func (t *table) print(w io.Writer, short bool) {
	fmt.Fprintf(w, "\nmode %s: %s\n\n", t.mode.name, t.mode.about)
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "test\tupstream\tours\tnote")
	for _, name := range t.rows(short) {
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\n", name, t.upstream.cell(name), t.ours.cell(name), t.note(name))
	}
	tw.Flush()
}

// note is why a test differs, or why it was skipped.
func (t *table) note(name string) string {
	worse := t.regressed(name)
	switch _, reason := t.exception(name); {
	case worse && reason == "":
		return "REGRESSION"
	case worse:
		return "difference: " + reason
	case t.upstream != nil:
		return t.upstream.skipReason(name)
	default:
		return t.ours.skipReason(name)
	}
}

// summarise prints the totals of all modes, the cases that pass in none of them
// and the regressions, and reports whether the bar is met: no regressions.
func summarise(w io.Writer, tables []*table) bool {
	fmt.Fprintln(w)
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "mode\tside\tpass\tfail\tskip\tregressions")
	for _, t := range tables {
		if t.upstream != nil {
			n := t.upstream.totals()
			fmt.Fprintf(tw, "%s\tupstream\t%d\t%d\t%d\t\n", t.mode.name, n[pass], n[fail], n[skip])
		}
		if t.ours != nil {
			n := t.ours.totals()
			fmt.Fprintf(tw, "%s\tours\t%d\t%d\t%d\t%d\n", t.mode.name, n[pass], n[fail], n[skip], len(t.regressions()))
		}
	}
	tw.Flush()
	if nowhere := passNowhere(tables); len(nowhere) > 0 {
		fmt.Fprintf(w, "\npass with upstream's frontend in no mode that ran: %s\n", strings.Join(nowhere, ", "))
	}
	met := true
	for _, t := range tables {
		if worse := t.regressions(); len(worse) > 0 {
			met = false
			fmt.Fprintf(w, "\nregressions in mode %s: %s\n", t.mode.name, strings.Join(worse, ", "))
		}
	}
	return met
}

// unneeded lists the exceptions that no test of any table made use of.
func unneeded(known map[string]string, tables []*table) []string {
	unused := maps.Clone(known)
	for _, t := range tables {
		for name := range t.upstream {
			if excepted, _ := t.exception(name); t.regressed(name) {
				delete(unused, excepted)
			}
		}
	}
	return slices.Sorted(maps.Keys(unused))
}

// passNowhere lists the cases that upstream's frontend passes in no mode.
func passNowhere(tables []*table) []string {
	some, all := map[string]bool{}, map[string]bool{}
	for _, t := range tables {
		for _, c := range t.upstream.cases(isPass) {
			some[c] = true
		}
		for name := range t.upstream {
			all[caseOf(name)] = true
		}
	}
	maps.DeleteFunc(all, func(c string, _ bool) bool { return some[c] })
	return slices.Sorted(maps.Keys(all))
}

// rows are the names to print: every variant of every case, and subtests where
// the sides differ.
func (t *table) rows(short bool) []string {
	names := map[string]bool{}
	for _, side := range []results{t.upstream, t.ours} {
		for name := range side {
			differs := t.upstream != nil && t.ours != nil && t.upstream.status(name) != t.ours.status(name)
			if differs || isVariant(name) && (!short || side[name].Status != pass || side[name].Attempts > 1) {
				names[name] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// status is the outcome of a test, empty when it was not run.
func (all results) status(name string) status {
	if r := all[name]; r != nil {
		return r.Status
	}
	return ""
}

// cell is what the table says of a test: its outcome, how many attempts it took
// when it took several, and "-" when it was not run.
func (all results) cell(name string) string {
	r := all[name]
	if r == nil {
		return "-"
	}
	if r.Attempts > 1 {
		return fmt.Sprintf("%s (attempt %d)", r.Status, r.Attempts)
	}
	return string(r.Status)
}

// totals counts the variants of the cases by outcome; subtests are not counted.
func (all results) totals() map[status]int {
	n := map[status]int{}
	for name, r := range all {
		if isVariant(name) {
			n[r.Status]++
		}
	}
	return n
}
