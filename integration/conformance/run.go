package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// runMode runs both sides of a mode, as far as the options ask for them, and
// puts their results side by side. The cases in skip are left out.
func runMode(ctx context.Context, w *workspace, m mode, o options, skip []string) (*table, error) {
	t := &table{mode: m}
	var err error
	if t.upstream, err = upstreamResults(ctx, w, m, o, skip); err != nil {
		return nil, err
	}
	if o.only == upstreamDir {
		return t, nil
	}
	s, err := w.suite(m, oursDir)
	if err != nil {
		return nil, err
	}
	start := time.Now()
	if t.ours, err = s.runAll(ctx, selection{cases: o.run, skip: skip, parallel: o.parallel}); err != nil {
		return nil, err
	}
	again := t.ours.failedCases()
	if t.upstream != nil {
		again = t.regressedCases()
	}
	if err := s.retry(ctx, t.ours, again, o.retries); err != nil {
		return nil, err
	}
	s.progress("took %s", time.Since(start).Round(time.Second))
	return t, t.saveRegressions(w.output("regressions", m.name))
}

// saveRegressions writes what each regressed test printed, the daemon's log
// included, to a file of its own in dir.
func (t *table) saveRegressions(dir string) error {
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	for _, name := range t.regressions() {
		r := t.ours[name]
		if r == nil {
			continue // not run: its case failed before it came to it
		}
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		file := filepath.Join(dir, strings.ReplaceAll(name, "/", "_")+".log")
		if err := os.WriteFile(file, []byte(r.Output), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// upstreamResults reads upstream's side from an earlier run of the same cases in
// the same environment, or runs it. A run of a few tests is not kept. The result
// is nil when only our side is asked for and there is nothing to read.
func upstreamResults(ctx context.Context, w *workspace, m mode, o options, skip []string) (results, error) {
	key := sha256.Sum256(fmt.Appendln(nil, w.environment, m, skip))
	kept := w.output(fmt.Sprintf("%s-upstream-%x.json", m.name, key[:6]))
	if !o.force || o.only == oursDir {
		all, err := loadResults(kept)
		if err == nil {
			return all.matching(o.run)
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	if o.only == oursDir {
		return nil, nil
	}
	s, err := w.suite(m, upstreamDir)
	if err != nil {
		return nil, err
	}
	start := time.Now()
	all, err := s.runAll(ctx, selection{cases: o.run, skip: skip, parallel: o.parallel})
	if err != nil {
		return nil, err
	}
	if err := s.retry(ctx, all, all.failedCases(), o.retries); err != nil {
		return nil, err
	}
	s.progress("took %s", time.Since(start).Round(time.Second))
	if o.run != "" {
		return all, nil
	}
	return all, all.save(kept)
}
