package bench

import (
	"context"
	"errors"
	"fmt"
)

// The ways to have a cache mount's contents on a builder that is new.
const (
	noMounts   = "no contents"
	workaround = "extract and inject"
)

// runnersRounds is how often the builds are measured at most: they compile Go's
// standard library each time, or install all that a project needs.
const runnersRounds = 3

// runnerRun is what one build on a new builder took.
type runnerRun struct {
	whole, restore, save float64 // seconds; whole has the others in it
	down, up             float64 // bytes that the cache's registry, or the CI's cache of files, sent and was sent
}

// RunnersGo measures builds of a Go program on builders that are new and share a cache
// in a registry: with nothing in the cache mount, with its contents put there and taken
// out by builds around the real one, as one does without a frontend that can, and with
// the rule mounts=share. It fails, as RunnersNPM and RunnersApt do, when a build does
// not run or when contents were not there where they should, or there where not.
func (l *Lab) RunnersGo(ctx context.Context, rounds int) (*Table, error) {
	return l.runners(ctx, goProgram(), rounds)
}

// RunnersNPM measures the same for an npm install from a registry of this process.
func (l *Lab) RunnersNPM(ctx context.Context, rounds int) (_ *Table, err error) {
	registry, err := startPackages()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, registry.close()) }()
	p, err := registry.project()
	if err != nil {
		return nil, err
	}
	return l.runners(ctx, p, rounds)
}

// RunnersApt measures the same for an apt install from the mirror that the Debian
// image has.
func (l *Lab) RunnersApt(ctx context.Context, rounds int) (*Table, error) {
	return l.runners(ctx, aptInstall(), rounds)
}

func (l *Lab) runners(ctx context.Context, p runnerProject, rounds int) (_ *Table, err error) {
	if err := l.sandbox.Seed(ctx, p.image); err != nil {
		return nil, err
	}
	meter, err := startMeter(l.sandbox.Registry())
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, meter.close()) }()
	sides := []string{noMounts, workaround, ours}
	runs := map[string][]runnerRun{}
	for i := range min(rounds, runnersRounds) {
		for _, side := range rotate(sides, i) {
			r := &runner{lab: l, meter: meter, project: p, side: side, name: fmt.Sprintf("runners-%s-%d-%s", repository(p.name), i, repository(side))}
			for n, build := range p.builds {
				run, err := r.next(ctx, n)
				if err != nil {
					return nil, fmt.Errorf("%s, %s: %w", side, build, err)
				}
				fmt.Fprintf(l.log, "round %d, %s, %s: %.1f s\n", i+1, build, side, run.whole)
				runs[side+build] = append(runs[side+build], run)
			}
		}
	}
	return runnersTable(p, sides, runs), nil
}

// runnersTable has the medians of what was measured.
func runnersTable(p runnerProject, sides []string, runs map[string][]runnerRun) *Table {
	t := &Table{Header: []string{p.name + " on new builders", "whole build", "restore", "save", "down", "up"}}
	for _, build := range p.builds {
		for _, side := range sides {
			of := func(value func(runnerRun) float64) float64 {
				var all []float64
				for _, r := range runs[side+build] {
					all = append(all, value(r))
				}
				return median(all)
			}
			t.Rows = append(t.Rows, []string{build + ": " + side,
				fmt.Sprintf("%.1f s", of(func(r runnerRun) float64 { return r.whole })),
				fmt.Sprintf("%.1f s", of(func(r runnerRun) float64 { return r.restore })),
				fmt.Sprintf("%.1f s", of(func(r runnerRun) float64 { return r.save })),
				megabytes(of(func(r runnerRun) float64 { return r.down })),
				megabytes(of(func(r runnerRun) float64 { return r.up })),
			})
		}
	}
	return t
}
