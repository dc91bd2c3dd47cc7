package explain_test

import (
	"archive/tar"
	"bytes"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/moby/buildkit/client"

	"github.com/cachewright/cachewright/integration/sandbox"
	"github.com/cachewright/cachewright/integration/scenario"
)

// TestHeldRecords builds again and again while the builder lists what it keeps, and
// looks for what to remove, all the time: each of them holds the record for a moment.
// The record is one all the same, and every build knows the one before.
func TestHeldRecords(t *testing.T) {
	t.Parallel()
	const builds = 20
	sb := sandbox.New(t, sandbox.Options{Registry: scenario.Start(t).Registry()})
	p := scenario.New(t, sb, rebuild{Dockerfile: "FROM $BASE\nCOPY file /\nRUN cat /file\n", Files: map[string]string{"file": "0 $ID"}})
	quiet(p, "first build", solve(p))

	done := make(chan struct{})
	var held sync.WaitGroup
	for _, hold := range []func() error{
		func() error { _, err := sb.Client().DiskUsage(t.Context()); return err },
		func() error {
			return sb.Client().Prune(t.Context(), nil, client.WithKeepOpt(24*time.Hour, 0, 0, 0))
		},
	} {
		held.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				if err := hold(); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for i := range builds {
		p.Write("file", fmt.Sprint(i+1, " $ID"))
		expect(p, fmt.Sprint("build ", i+2), solve(p), expected{notes: map[string]string{"COPY file /": "file changed", "RUN cat /file": "follows 2/3"}})
	}
	close(done)
	held.Wait()
	if n := recordMounts(t, sb); n != 1 {
		t.Errorf("the builder keeps the record %d times", n)
	}
}

// recordMounts returns how many cache mounts with records a builder has.
func recordMounts(t *testing.T, sb *sandbox.Sandbox) int {
	t.Helper()
	usage, err := sb.Client().DiskUsage(t.Context(), client.WithFilter([]string{"description~=cachewright-records"}))
	if err != nil {
		t.Fatal(err)
	}
	return len(usage)
}

// TestRemoteContexts builds a repository and an archive by their URLs, before and
// after a change: they are known by the URL.
func TestRemoteContexts(t *testing.T) {
	t.Parallel()
	sb, w := scenario.Start(t), scenario.NewWeb(t)
	commit := func(name string) func(*project, string) {
		return func(p *project, _ string) { w.Commit(p, name) }
	}
	pack := func(p *project, content string) { w.SetText("/context.tar", archive(p, "file", content)) }
	for _, c := range []struct {
		name, url string
		change    func(p *project, content string)
	}{
		{"git", "/git/branch.git#main", commit("branch.git")},
		{"git without a branch", "/git/default.git", commit("default.git")},
		{"archive", "/context.tar", pack},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := scenario.New(t, sb, rebuild{Dockerfile: "FROM $BASE\nCOPY file /\nRUN cat /file\n"})
			p.Attr("context", w.URL+c.url)
			p.Attr("dockerfilekey", "dockerfile") // the Dockerfile is the client's
			c.change(p, "1")
			quiet(p, "first build", solve(p))
			c.change(p, "2")
			expect(p, "after a change", solve(p), expected{notes: map[string]string{"COPY file /": "file changed", "RUN cat /file": "follows 2/3"}})
		})
	}
}

// archive returns a tar archive of one file.
func archive(p *project, name, content string) string {
	var b bytes.Buffer
	tw := tar.NewWriter(&b)
	p.Must(tw.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(content))}))
	_, err := tw.Write([]byte(content))
	p.Must(err)
	p.Must(tw.Close())
	return b.String()
}
