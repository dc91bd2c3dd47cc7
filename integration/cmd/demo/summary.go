package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/cachewright/cachewright/integration/sandbox"
)

// summarize writes a table for each scene of what the steps did in each round and
// why, and ends with a line for each with the number of cached steps.
func summarize(out io.Writer, played [][]*sandbox.Result) error {
	fmt.Fprintf(out, "\n== What each build's status says\n\n")
	var totals []string
	for i, sc := range scenes {
		total, err := sc.table(out, played[i])
		if err != nil {
			return err
		}
		totals = append(totals, total)
	}
	_, err := fmt.Fprintln(out, strings.Join(totals, "\n"))
	return err
}

// table writes a scene's table and returns its line of totals.
func (sc scene) table(out io.Writer, results []*sandbox.Result) (string, error) {
	names := steps(results[0])
	width := 0
	for _, name := range names {
		width = max(width, len(name))
	}
	line := fmt.Sprintf("%-*s", width, sc.example)
	for _, r := range sc.rounds {
		line += "  " + r.title
	}
	fmt.Fprintln(out, line)
	cached := make([]int, len(results))
	for _, name := range names {
		line := fmt.Sprintf("%-*s", width, name)
		for i, result := range results {
			step := find(result, name)
			if step == nil {
				return "", fmt.Errorf("%s, %s: no step %s in\n%s", sc.example, sc.rounds[i].title, name, result)
			}
			if step.Cached {
				cached[i]++
			}
			line += fmt.Sprintf("  %-*s", len(sc.rounds[i].title), step.State())
		}
		fmt.Fprintln(out, strings.TrimRight(line, " "))
	}
	fmt.Fprintln(out)
	sc.reasons(out, names, results)
	var counts []string
	for i, r := range sc.rounds {
		counts = append(counts, fmt.Sprintf("%s %d of %d", r.title, cached[i], len(names)))
	}
	return fmt.Sprintf("%s cached: %s", sc.example, strings.Join(counts, ", ")), nil
}

// reasons writes, for each round, why the steps that ran say they did.
func (sc scene) reasons(out io.Writer, names []string, results []*sandbox.Result) {
	for i, result := range results {
		var said strings.Builder
		for _, name := range names {
			step := find(result, name)
			if _, _, note := sandbox.ParseName(step.Name); note != "" && !step.Cached {
				fmt.Fprintf(&said, "  %s\n", step.Name)
			}
		}
		if said.Len() > 0 {
			fmt.Fprintf(out, "Why, %s:\n%s", sc.rounds[i].title, &said)
		}
	}
	fmt.Fprintln(out)
}

// steps returns the names of the steps that a Dockerfile's author wrote, stage by
// stage; the stage that was done last comes last. FROM is left out: it only names
// the image.
func steps(r *sandbox.Result) []string {
	var all []*sandbox.Step
	for _, s := range r.Steps {
		if s.Started != nil && stage(s) != "" && !isFrom(s) {
			all = append(all, s)
		}
	}
	slices.SortFunc(all, func(a, b *sandbox.Step) int { return a.Started.Compare(*b.Started) })
	last := map[string]int{}
	for i, s := range all {
		last[stage(s)] = i
	}
	slices.SortStableFunc(all, func(a, b *sandbox.Step) int { return last[stage(a)] - last[stage(b)] })
	var names []string
	for _, s := range all {
		number, text, _ := sandbox.ParseName(s.Name)
		names = append(names, "["+number+"] "+text)
	}
	return names
}

// find returns the step that is called name, as in "[deps 1/3] WORKDIR /app",
// whatever is said about it; nil if there is none.
func find(r *sandbox.Result, name string) *sandbox.Step {
	for _, s := range r.Steps {
		if number, text, _ := sandbox.ParseName(s.Name); s.Started != nil && "["+number+"] "+text == name {
			return s
		}
	}
	return nil
}

// stage returns the stage in a step's name, such as "deps" in "[deps 1/3] WORKDIR
// /app", and an empty string for a vertex that is no step of the Dockerfile.
func stage(s *sandbox.Step) string {
	number, _, _ := sandbox.ParseName(s.Name)
	name, _, ok := strings.Cut(number, " ")
	if !ok {
		return ""
	}
	return name
}

func isFrom(s *sandbox.Step) bool {
	_, text, _ := sandbox.ParseName(s.Name)
	return strings.HasPrefix(text, "FROM ")
}
