package llbconv_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/cachewright/cachewright/llbconv/internal/oracle"
)

// TestOracleGenerated compares generated Dockerfiles. ORACLE_FILES is how many
// (default 3000), ORACLE_SEED the seed of the first (default 0).
func TestOracleGenerated(t *testing.T) {
	count, first := envInt(t, "ORACLE_FILES", 3000), envInt(t, "ORACLE_SEED", 0)
	var failed, differ, invalid atomic.Int64
	var rows sync.Map // row → how many files show it
	eg, ctx := errgroup.WithContext(t.Context())
	eg.SetLimit(2)
	for i := range count {
		eg.Go(func() error {
			c := oracle.Generate(first + i)
			report := oracle.Compare(ctx, c)
			if report.Failed {
				invalid.Add(1)
			}
			if len(report.Diffs) > 0 {
				differ.Add(1)
			}
			for row := range report.Rows() {
				n, _ := rows.LoadOrStore(row, new(atomic.Int64))
				n.(*atomic.Int64).Add(1)
			}
			if diffs := report.Unexplained(); len(diffs) > 0 && failed.Add(1) <= 10 {
				t.Errorf("%s\n%s: %s", c, diffs[0].Kind, diffs[0].Detail)
			}
			return nil
		})
	}
	if err := eg.Wait(); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d files compared (%d of them do not build), %d differ, %d of these as docs/differences.md says",
		count, invalid.Load(), differ.Load(), differ.Load()-failed.Load())
	rows.Range(func(row, n any) bool {
		t.Logf("  %s: %d", row, n.(*atomic.Int64).Load())
		return true
	})
}

// TestOracleFound compares the Dockerfiles of this project and those that
// BuildKit's own tests of its Dockerfile frontend have.
func TestOracleFound(t *testing.T) {
	for name, dir := range map[string]string{
		"project":  "..",
		"upstream": filepath.Join(buildkitDir(t), "frontend", "dockerfile"),
	} {
		t.Run(name, func(t *testing.T) {
			found, err := oracle.DockerfilesIn(dir)
			if err != nil {
				t.Fatal(err)
			}
			compared, explained := 0, 0
			for _, c := range found {
				for _, v := range c.Variants() {
					compared++
					report := oracle.Compare(t.Context(), v)
					if len(report.Diffs) > 0 {
						explained++
					}
					for _, d := range report.Unexplained() {
						t.Errorf("%s\n%s: %s", v, d.Kind, d.Detail)
					}
				}
			}
			t.Logf("%d Dockerfiles compared in %d variants, %d differ", len(found), compared, explained)
		})
	}
}

// buildkitDir is where BuildKit's source is on this machine.
func buildkitDir(t *testing.T) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "github.com/moby/buildkit").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

func envInt(t *testing.T, name string, or uint64) uint64 {
	t.Helper()
	v := os.Getenv(name)
	if v == "" {
		return or
	}
	n, err := strconv.ParseUint(v, 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}
