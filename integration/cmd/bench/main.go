// Command bench measures this project's frontend and docker/dockerfile's side by
// side and prints Markdown tables: the converters alone, by the benchmarks of
// package llbconv, and the frontends on a daemon, by package bench.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/perf/benchfmt"

	"github.com/cachewright/cachewright/integration/sandbox"
)

func main() {
	rounds := flag.Int("rounds", 15, "measure everything this `many` times and take the medians")
	benchtime := flag.String("benchtime", "200ms", "how long to measure each benchmark of the converter in a round, a `duration` or 1x, 2x, ...")
	chosen := flag.String("parts", "", "what to measure, a comma-separated `list` of "+strings.Join(names(parts(nil, 0, "")), ", ")+"; all if empty")
	page := flag.String("write", "", "put the tables in the places of those in this Markdown `file` that have the same first heading")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var output strings.Builder
	err := run(ctx, io.MultiWriter(os.Stdout, &output), *chosen, *rounds, *benchtime)
	if err == nil && *page != "" {
		err = replaceTables(*page, output.String())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run measures the chosen parts and prints each on out when it is there.
func run(ctx context.Context, out io.Writer, chosen string, rounds int, benchtime string) (err error) {
	lab := &laboratory{}
	defer func() { err = errors.Join(err, lab.close()) }()
	todo, err := choose(parts(lab, rounds, benchtime), chosen)
	if err != nil {
		return err
	}
	for i, p := range todo {
		if i > 0 {
			fmt.Fprintln(out)
		}
		fmt.Fprintln(os.Stderr, "measuring:", p.name)
		if err := p.print(ctx, out); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	return nil
}

// converters measures both converters. The benchmarks' own output stays in
// build/bench.txt, for benchstat.
func converters(ctx context.Context, out io.Writer, rounds int, benchtime string) error {
	root, err := sandbox.RepoRoot()
	if err != nil {
		return err
	}
	dir, err := sandbox.BuildDir("bin")
	if err != nil {
		return err
	}
	binary := filepath.Join(dir, "llbconv.test")
	compile := exec.CommandContext(ctx, "go", "test", "-c", "-o", binary, "./llbconv")
	compile.Dir, compile.Stdout, compile.Stderr = root, os.Stderr, os.Stderr
	if err := compile.Run(); err != nil {
		return fmt.Errorf("compiling the benchmarks: %w", err)
	}
	var output bytes.Buffer
	// Each round runs everything once, so that ours and upstream alternate and a
	// busy moment of the machine hits both.
	for i := range rounds {
		fmt.Fprintf(os.Stderr, "round %d of %d\n", i+1, rounds)
		bench := exec.CommandContext(ctx, binary, "-test.run=^$", "-test.bench=.", "-test.benchtime="+benchtime)
		bench.Dir, bench.Stdout, bench.Stderr = filepath.Join(root, "llbconv"), &output, os.Stderr
		bench.Env = append(os.Environ(), "GOMAXPROCS=1") // or idle processors count as busy with garbage collection
		if err := bench.Run(); err != nil {
			return fmt.Errorf("running the benchmarks: %w\n%s", err, output.Bytes())
		}
	}
	raw, err := sandbox.BuildDir()
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(raw, "bench.txt"), output.Bytes(), 0o644); err != nil {
		return err
	}
	results, err := read(&output)
	if err != nil {
		return err
	}
	return write(out, results)
}

// read collects the measurements of every benchmark, all rounds together. It
// fails on a line that is no benchmark output.
func read(output io.Reader) (*measurements, error) {
	m := newMeasurements()
	reader := benchfmt.NewReader(output, "bench.txt")
	for reader.Scan() {
		switch rec := reader.Result().(type) {
		case *benchfmt.Result:
			if err := m.add(rec); err != nil {
				return nil, err
			}
		case *benchfmt.SyntaxError:
			return nil, rec
		case *benchfmt.UnitMetadata:
		default:
			return nil, fmt.Errorf("unknown benchmark record %T", rec)
		}
	}
	return m, reader.Err()
}
