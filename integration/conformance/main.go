// Command conformance runs moby/buildkit's own Dockerfile test suite against
// upstream's Dockerfile frontend and against this repository's, in the same
// environment, and prints a table of both. It fails when a test that passes with
// upstream's frontend does not pass with ours, unless docs/differences.md names
// the test with a reason.
//
// The suite comes from the BuildKit module that go.mod pins; nothing of it is
// kept in this repository. docs/conformance.md tells how a run works.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"syscall"
)

// allModes is the -mode of a complete run.
const allModes = "gateway,client,containerd,builtin"

// options is the command line of one run.
type options struct {
	run      string // regular expression on test names; empty runs all
	only     string // "ours", "upstream" or empty for both
	modes    string // comma-separated mode names
	parallel int    // tests in flight
	retries  int    // how often a failed test is run again, alone
	force    bool   // run upstream's side even when its results are cached
	race     bool   // client mode with the race detector on our side
	oursTar  string // image tar to test in place of one built from this tree
	short    bool   // leave out of the table what passes on both sides
}

func main() {
	if len(os.Args) == 3 && os.Args[1] == webCommand {
		fmt.Fprintln(os.Stderr, "conformance:", serveWeb(os.Args[2], os.Stdout))
		os.Exit(2)
	}
	var o options
	flag.StringVar(&o.run, "run", "", "run only tests whose `name` matches this regular expression")
	flag.StringVar(&o.only, "only", "", "run one `side`: ours or upstream")
	flag.StringVar(&o.modes, "mode", allModes, "comma-separated `modes` to run")
	flag.IntVar(&o.parallel, "j", 2*runtime.NumCPU(), "`tests` in flight")
	flag.IntVar(&o.retries, "retries", 2, "run a failed test again, alone, up to this `many` times")
	flag.BoolVar(&o.force, "force", false, "run upstream's side even when its results are cached")
	flag.StringVar(&o.oursTar, "image", "", "test this frontend image `tar` in gateway mode in place of one built from this tree")
	flag.BoolVar(&o.race, "race", false, "in client mode, run our side under the race detector (needs a C compiler)")
	flag.BoolVar(&o.short, "short", false, "leave the tests that pass on both sides out of the table")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ok, err := conformance(ctx, o)
	if err != nil {
		fmt.Fprintln(os.Stderr, "conformance:", err)
		os.Exit(2)
	}
	if !ok {
		os.Exit(1)
	}
}

// conformance builds what the run needs, runs every mode on both sides and
// prints the tables. It reports whether the bar was met.
func conformance(ctx context.Context, o options) (bool, error) {
	if err := o.check(); err != nil {
		return false, err
	}
	w, err := openWorkspace(ctx)
	if err != nil {
		return false, err
	}
	known, err := readExceptions(w.path("docs", "differences.md"))
	if err != nil {
		return false, err
	}
	if err := w.build(ctx, o); err != nil {
		return false, err
	}
	var tables []*table
	var done []string // cases that upstream's frontend ran in full in the modes so far
	for _, name := range strings.Split(o.modes, ",") {
		m, err := modeByName(name)
		if err != nil {
			return false, err
		}
		var skip []string
		if m.rest {
			skip = done
		}
		t, err := runMode(ctx, w, m, o, skip)
		if err != nil {
			return false, fmt.Errorf("mode %s: %w", m.name, err)
		}
		t.excepted = known
		t.print(os.Stdout, o.short)
		tables = append(tables, t)
		done = append(done, t.upstream.cases(notSkipped)...)
	}
	if !slices.ContainsFunc(tables, (*table).ran) {
		return false, fmt.Errorf("no test ran: -run %q matches none", o.run)
	}
	met := summarise(os.Stdout, tables)
	if o.complete() {
		for _, name := range unneeded(known, tables) {
			fmt.Printf("exception that is no longer needed: %s\n", name)
			met = false
		}
	}
	return met, nil
}

// complete reports whether the options leave nothing out.
func (o options) complete() bool {
	return o.run == "" && o.only == "" && o.modes == allModes
}

func (o options) check() error {
	if _, err := regexp.Compile(o.run); err != nil {
		return fmt.Errorf("-run: %w", err)
	}
	switch o.only {
	case "", oursDir, upstreamDir:
	default:
		return fmt.Errorf("-only %q: write ours or upstream", o.only)
	}
	if o.parallel < 1 {
		return fmt.Errorf("-j %d: at least one test has to be in flight", o.parallel)
	}
	if o.retries < 0 {
		return fmt.Errorf("-retries %d: cannot be negative", o.retries)
	}
	return nil
}
