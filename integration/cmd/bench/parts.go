package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/cachewright/cachewright/integration/bench"
)

// part is a measurement that can be chosen.
type part struct {
	name  string
	print func(ctx context.Context, out io.Writer) error
}

// parts returns everything there is to measure, in the order of the output.
func parts(lab *laboratory, rounds int, benchtime string) []part {
	return []part{
		{"converter", func(ctx context.Context, out io.Writer) error { return converters(ctx, out, rounds, benchtime) }},
		{"rebuild", lab.table(func(ctx context.Context, l *bench.Lab) (*bench.Table, error) { return l.Rebuild(ctx, rounds) })},
		{"explain", lab.table(func(ctx context.Context, l *bench.Lab) (*bench.Table, error) { return l.Explain(ctx, rounds) })},
		{"imported", lab.table(func(ctx context.Context, l *bench.Lab) (*bench.Table, error) { return l.Imported(ctx, rounds) })},
		{"runners", lab.table(func(ctx context.Context, l *bench.Lab) (*bench.Table, error) { return l.RunnersGo(ctx, rounds) })},
		{"runners-npm", lab.table(func(ctx context.Context, l *bench.Lab) (*bench.Table, error) { return l.RunnersNPM(ctx, rounds) })},
		{"runners-apt", lab.table(func(ctx context.Context, l *bench.Lab) (*bench.Table, error) { return l.RunnersApt(ctx, rounds) })},
		{"memory", lab.table(func(ctx context.Context, l *bench.Lab) (*bench.Table, error) { return l.Memory(ctx, rounds) })},
		{"cold", lab.table(func(ctx context.Context, l *bench.Lab) (*bench.Table, error) { return l.Cold(ctx, rounds) })},
		{"transfer", lab.table(func(ctx context.Context, l *bench.Lab) (*bench.Table, error) { return l.Transfer(ctx) })},
		{"size", func(ctx context.Context, out io.Writer) error { return sizes(ctx, out) }},
	}
}

func names(parts []part) []string {
	var all []string
	for _, p := range parts {
		all = append(all, p.name)
	}
	return all
}

// choose returns the parts that the comma-separated list names, all for an empty
// list. It fails on a name that is none.
func choose(all []part, list string) ([]part, error) {
	if list == "" {
		return all, nil
	}
	var chosen []part
	for name := range strings.SplitSeq(list, ",") {
		i := slices.Index(names(all), name)
		if i < 0 {
			return nil, fmt.Errorf("there is no part %q: use %s", name, strings.Join(names(all), ", "))
		}
		chosen = append(chosen, all[i])
	}
	return chosen, nil
}

// laboratory is a bench.Lab that is made for the first part that needs one.
type laboratory struct{ lab *bench.Lab }

// table returns what prints a table that is measured in the lab.
func (l *laboratory) table(measure func(context.Context, *bench.Lab) (*bench.Table, error)) func(context.Context, io.Writer) error {
	return func(ctx context.Context, out io.Writer) error {
		if l.lab == nil {
			lab, err := bench.NewLab(ctx, os.Stderr)
			if err != nil {
				return err
			}
			l.lab = lab
		}
		t, err := measure(ctx, l.lab)
		if err != nil {
			return err
		}
		return t.Write(out)
	}
}

func (l *laboratory) close() error {
	if l.lab == nil {
		return nil
	}
	return l.lab.Close()
}

func sizes(ctx context.Context, out io.Writer) error {
	tables, err := bench.Size(ctx)
	if err != nil {
		return err
	}
	for i, t := range tables {
		if i > 0 {
			fmt.Fprintln(out)
		}
		if err := t.Write(out); err != nil {
			return err
		}
	}
	return nil
}
