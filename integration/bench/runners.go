package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/moby/buildkit/client"

	"github.com/cachewright/cachewright/cachepolicy"
	"github.com/cachewright/cachewright/integration/sandbox"
)

// The ways to have a compiler's cache on a builder that is new.
const (
	noMounts   = "no contents"
	workaround = "extract and inject"
)

// runnersRounds is how often the builds are measured at most: they compile Go's
// standard library each time.
const runnersRounds = 3

// mountID names the cache mount of goProject.
const mountID = "bench-go-build"

// runnerBuilds are the builds of a round, each on a new builder, and what they change.
var runnerBuilds = []string{"first", "one file changed", "another file changed"}

// goProject is a Go program of three packages that needs the larger part of the
// standard library, so that compiling it anew is felt.
func goProject() project {
	files := map[string]string{
		"go.mod":       "module example.com/app\n\ngo 1.26\n",
		"main.go":      "package main\n\nimport (\n\t\"log\"\n\t\"net/http\"\n\n\t\"example.com/app/api\"\n\t\"example.com/app/page\"\n)\n\nfunc main() {\n\thttp.Handle(\"/api\", api.Handler())\n\thttp.Handle(\"/\", page.Handler())\n\tlog.Fatal(http.ListenAndServe(\":8080\", nil))\n}\n",
		"api/api.go":   "package api\n\nimport (\n\t\"encoding/json\"\n\t\"net/http\"\n)\n\nfunc Handler() http.Handler {\n\treturn http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _ = json.NewEncoder(w).Encode(\"hello\") })\n}\n",
		"page/page.go": "package page\n\nimport (\n\t\"html/template\"\n\t\"net/http\"\n)\n\nvar page = template.Must(template.New(\"\").Parse(\"hello {{.}}\"))\n\nfunc Handler() http.Handler {\n\treturn http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _ = page.Execute(w, r.URL.Path) })\n}\n",
		"Dockerfile": "FROM golang:1.26 AS build\nWORKDIR /src\n# cache=mounts=share\n" +
			"RUN --mount=target=. --mount=type=cache,id=" + mountID + ",target=/root/.cache/go-build CGO_ENABLED=0 go build -trimpath -o /out/app .\n" +
			"FROM scratch\nCOPY --from=build /out/app /app\n",
	}
	return project{name: "go program", files: files}
}

// runnerRun is what one build on a new builder took.
type runnerRun struct {
	whole, restore, save float64 // seconds; whole has the others in it
	down, up             float64 // bytes that the cache's registry, or the CI's cache of files, sent and was sent
}

// Runners measures builds of a Go program on builders that are new and share a cache in
// a registry: with nothing in the cache mount, with its contents put there and taken
// out by builds around the real one, as one does without a frontend that can, and with
// the rule mounts=share.
func (l *Lab) Runners(ctx context.Context, rounds int) (_ *Table, err error) {
	if err := l.sandbox.Seed(ctx, sandbox.Golang); err != nil {
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
			r := &runner{lab: l, meter: meter, side: side, name: fmt.Sprintf("runners-%d-%s", i, repository(side))}
			for _, build := range runnerBuilds {
				run, err := r.next(ctx, build)
				if err != nil {
					return nil, fmt.Errorf("%s, %s: %w", side, build, err)
				}
				fmt.Fprintf(l.log, "round %d, %s, %s: %.1f s\n", i+1, build, side, run.whole)
				runs[side+build] = append(runs[side+build], run)
			}
		}
	}
	return runnersTable(sides, runs), nil
}

// runnersTable has the medians of what was measured.
func runnersTable(sides []string, runs map[string][]runnerRun) *Table {
	t := &Table{Header: []string{"Go build on new builders", "whole build", "restore", "save", "down", "up"}}
	for _, build := range runnerBuilds {
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

// runner builds one project on one new builder after the other.
type runner struct {
	lab        *Lab
	meter      *meter
	side, name string
	saved      string // directory of the contents that were taken out; empty before the first build
}

// next makes the change that the build is named after, and all before it, and builds on
// a new builder.
func (r *runner) next(ctx context.Context, build string) (run runnerRun, err error) {
	p := goProject()
	if build != runnerBuilds[0] {
		p.files["page/page.go"] += "\n// Version is 2.\nvar Version = 2\n"
	}
	if build == runnerBuilds[2] {
		p.files["api/api.go"] += "\n// Version is 2.\nvar Version = 2\n"
	}
	dir, err := r.lab.context(r.name, p.files)
	if err != nil {
		return run, err
	}
	s, err := sandbox.Start(ctx, sandbox.Options{Registry: r.meter.addr})
	if err != nil {
		return run, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	r.meter.down.Store(0)
	r.meter.up.Store(0)
	start := time.Now()
	if r.side == workaround && r.saved != "" {
		if err := r.inject(ctx, s, &run); err != nil {
			return run, err
		}
	}
	attrs := travelling
	if r.side != ours {
		attrs = with(travelling, "build-arg:"+cachepolicy.ArgRules, "off")
	}
	result, err := s.Solve(ctx, cached(r.meter.addr, metered+r.name, sandbox.Build{Context: dir, Frontend: ref(ours), Attrs: attrs}))
	if err != nil {
		return run, fmt.Errorf("%w\n%s", err, result)
	}
	if r.side == workaround {
		if err := r.extract(ctx, s, build, &run); err != nil {
			return run, err
		}
	} else {
		run.restore = spent(result, "look up saved cache mounts", "restore cache mounts")
		run.save = spent(result, "save cache mounts", "note saved cache mounts")
	}
	run.whole = time.Since(start).Seconds()
	run.down += float64(r.meter.down.Load())
	run.up += float64(r.meter.up.Load())
	return run, nil
}

// packed is the archive that the workaround keeps between builds.
const packed = "contents.tar.gz"

// inject puts the contents that were taken out into the cache mount of a builder.
func (r *runner) inject(ctx context.Context, s *sandbox.Sandbox, run *runnerRun) error {
	err := os.WriteFile(filepath.Join(r.saved, "Dockerfile"), []byte("FROM busybox\n"+
		"RUN --mount=target=/in --mount=type=cache,id="+mountID+",target=/c tar -xzf /in/"+packed+" -C /c\n"), 0o644)
	if err != nil {
		return err
	}
	start := time.Now()
	if _, err := s.Solve(ctx, sandbox.Build{Context: r.saved}); err != nil {
		return err
	}
	run.restore = time.Since(start).Seconds()
	run.down += fileSize(filepath.Join(r.saved, packed))
	return nil
}

// extract takes the contents of the cache mount out.
func (r *runner) extract(ctx context.Context, s *sandbox.Sandbox, build string, run *runnerRun) error {
	dir, err := r.lab.context(r.name+"-extract", map[string]string{"Dockerfile": "FROM busybox AS take\n" +
		"RUN --mount=type=cache,id=" + mountID + ",target=/c tar -czf /" + packed + " -C /c .\n" +
		"FROM scratch\nCOPY --from=take /" + packed + " /\n"})
	if err != nil {
		return err
	}
	r.saved = r.lab.path(r.name+"-saved", build)
	start := time.Now()
	if _, err := s.Solve(ctx, sandbox.Build{Context: dir, Exports: []client.ExportEntry{sandbox.ExportDir(r.saved)}}); err != nil {
		return err
	}
	run.save = time.Since(start).Seconds()
	run.up += fileSize(filepath.Join(r.saved, packed))
	return nil
}

// fileSize is the size of a file in bytes, 0 if there is none.
func fileSize(path string) float64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return float64(info.Size())
}

// spent returns the seconds that the frontend's own steps of these names ran.
func spent(r *sandbox.Result, titles ...string) float64 {
	var sum time.Duration
	for _, s := range r.Steps {
		if slices.Contains(titles, strings.TrimPrefix(s.Name, "[internal] ")) && s.Ran() && s.Completed != nil {
			sum += s.Completed.Sub(*s.Started)
		}
	}
	return sum.Seconds()
}

// metered begins the names of the repositories whose bytes a meter counts.
const metered = "metered/"

// meter passes requests on to a registry and counts the bytes of some repositories.
type meter struct {
	server   http.Server
	addr     string       // host:port
	down, up atomic.Int64 // bytes of the bodies of answers and requests
}

// startMeter starts one on a free port in front of the registry at host:port.
func startMeter(registry string) (*meter, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	m := &meter{addr: l.Addr().String()}
	next := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: registry})
	m.server.Handler = http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if strings.HasPrefix(req.URL.Path, "/v2/"+metered) {
			req.Body = &countedBody{req.Body, &m.up}
			w = &countedWriter{w, &m.down}
		}
		next.ServeHTTP(w, req)
	})
	go func() { _ = m.server.Serve(l) }() // ends with close
	return m, nil
}

func (m *meter) close() error { return m.server.Shutdown(context.Background()) }

type countedBody struct {
	io.ReadCloser
	n *atomic.Int64
}

func (c *countedBody) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	c.n.Add(int64(n))
	return n, err
}

type countedWriter struct {
	http.ResponseWriter
	n *atomic.Int64
}

func (c *countedWriter) Write(p []byte) (int, error) {
	n, err := c.ResponseWriter.Write(p)
	c.n.Add(int64(n))
	return n, err
}
